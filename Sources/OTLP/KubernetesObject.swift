/// An event of Kubernetes as its API gives it, of which only those members are read that tell of a
/// change. Nothing lies deeper than in a part, so that no sender says how much is kept.
/// - Source: Kubernetes API, Event v1 core and Event v1 events.k8s.io; opentelemetry-collector-contrib,
///   `receiver/k8sobjectsreceiver`.
public struct KubernetesObject: Equatable, Sendable {
  public enum Value: Equatable, Sendable {
    case text(String)
    case number(Int64)
  }

  /// What stands in the object itself.
  public var values: [String: Value] = [:]
  /// What stands in members that are objects themselves.
  public var parts: [String: [String: Value]] = [:]

  public init() {}

  /// Bytes read of a text; Kubernetes writes 1 024 at most in a message.
  public static let textBytesMax = 4_096

  // The places of the keys in the list below.
  static let kindKey = 0
  static let reasonKey = 1
  static let keys = [
    "kind", "reason", "message", "note", "count", "deprecatedCount", "eventTime",
    "firstTimestamp", "lastTimestamp", "deprecatedLastTimestamp",
  ]

  static let partKeys: [(part: String, keys: [String])] = [
    ("metadata", ["uid", "creationTimestamp"]),
    ("series", ["count", "lastObservedTime"]),
    ("involvedObject", ["kind", "namespace", "name"]),
    ("regarding", ["kind", "namespace", "name"]),
  ]
}
