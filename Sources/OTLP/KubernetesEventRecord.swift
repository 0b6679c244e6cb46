public import Model

/// A log record in which the OpenTelemetry Collector tells of an event of Kubernetes.
/// - Source: opentelemetry-collector-contrib, `receiver/k8seventsreceiver`.
public struct KubernetesEventRecord: Equatable, Sendable {
  /// Of the object the event is about.
  public var kind = ""
  public var name = ""
  public var namespace = ""
  public var reason = ""
  /// The body of the record.
  public var message = ""
  public var uid = ""
  /// How often it happened; nil where the record does not say.
  public var count: Int64?
  /// Unix nanoseconds; 0 where the record has none.
  public var time: Nanos = 0

  public init() {}

  /// Events read of one request; those beyond are counted as ignored.
  public static let perRequestMax = 1_000

  // The places of the keys in the lists below.
  static let reasonKey = 0
  static let uidKey = 1
  static let countKey = 2
  static let namespaceKey = 3
  static let keys = [
    "k8s.event.reason", "k8s.event.uid", "k8s.event.count", "k8s.namespace.name",
  ]

  static let kindKey = 0
  static let nameKey = 1
  static let resourceKeys = ["k8s.object.kind", "k8s.object.name"]
}

/// Finds events among log records: the attributes that tell of one, of the resource and of the
/// record. Log records without them cost one comparison an attribute.
struct KubernetesEventReader {
  private var resource = ChosenAttributes(KubernetesEventRecord.resourceKeys)
  private var attributes = ChosenAttributes(KubernetesEventRecord.keys)
  /// Of the resource, kept beyond its end.
  private var kind = ""
  private var name = ""

  mutating func beginResource() { resource.removeAll() }

  mutating func noteOfResource(_ key: UnsafeRawBufferPointer, _ value: AttributeValue) {
    unsafe resource.note(key, value)
  }

  mutating func endResource() {
    kind = text(resource[KubernetesEventRecord.kindKey])
    name = text(resource[KubernetesEventRecord.nameKey])
  }

  mutating func beginRecord() { attributes.removeAll() }

  mutating func noteOfRecord(_ key: UnsafeRawBufferPointer, _ value: AttributeValue) {
    unsafe attributes.note(key, value)
  }

  /// nil for a record that is no event.
  func event(message: UnsafeRawBufferPointer?, time: Nanos) -> KubernetesEventRecord? {
    guard !attributes.isEmpty else { return nil }
    let reason = text(attributes[KubernetesEventRecord.reasonKey])
    guard !reason.isEmpty else { return nil }
    var event = KubernetesEventRecord()
    event.kind = kind
    event.name = name
    event.namespace = text(attributes[KubernetesEventRecord.namespaceKey])
    event.reason = reason
    event.message = unsafe message.map { unsafe String(decoding: $0, as: UTF8.self) } ?? ""
    event.uid = text(attributes[KubernetesEventRecord.uidKey])
    event.count = attributes[KubernetesEventRecord.countKey].number
    event.time = time
    return event
  }

  private func text(_ value: AttributeValue) -> String {
    unsafe value.text.map { unsafe String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
