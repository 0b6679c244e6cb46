/// An event of Kubernetes, however it came.
public struct KubernetesEvent: Equatable, Sendable {
  /// Of the object it is about.
  var kind = ""
  var namespace = ""
  var name = ""
  var reason = ""
  var message = ""
  var uid = ""
  /// How often it happened: each time is an event of its own.
  var count = ""
  var time = JSONValue.null

  /// `core/v1` or `events.k8s.io/v1`; nil for what is no event.
  /// - Source: Kubernetes API, Event v1 core and Event v1 events.k8s.io.
  public init?(_ object: JSONValue) {
    guard object["kind"].text == "Event" || object["kind"] == .null else { return nil }
    let about = object["involvedObject"].isObject ? object["involvedObject"] : object["regarding"]
    guard about.isObject, !object["reason"].text.isEmpty else { return nil }
    kind = about["kind"].text
    namespace = about["namespace"].text
    name = about["name"].text
    reason = object["reason"].text
    message = object["message"].text.isEmpty ? object["note"].text : object["message"].text
    uid = object["metadata"]["uid"].text
    count =
      KubernetesEvent.first(
        object["series"]["count"], object["count"], object["deprecatedCount"]
      ).plain
    time = KubernetesEvent.first(
      object["series"]["lastObservedTime"], object["lastTimestamp"],
      object["deprecatedLastTimestamp"], object["eventTime"], object["firstTimestamp"],
      object["metadata"]["creationTimestamp"])
  }

  /// A log record of the OpenTelemetry Collector's `k8seventsreceiver`; nil for any other.
  /// - Parameter time: of the record, as a text or a number.
  /// - Source: opentelemetry-collector-contrib, `receiver/k8seventsreceiver`.
  public init?(
    body: String, attributes: [String: JSONValue], resource: [String: JSONValue], time: JSONValue
  ) {
    guard let reason = attributes["k8s.event.reason"]?.text, !reason.isEmpty else { return nil }
    self.reason = reason
    message = body
    kind = resource["k8s.object.kind"]?.text ?? ""
    name = resource["k8s.object.name"]?.text ?? ""
    namespace = attributes["k8s.namespace.name"]?.text ?? ""
    uid = attributes["k8s.event.uid"]?.text ?? ""
    count = attributes["k8s.event.count"]?.plain ?? ""
    self.time = time
  }

  private static func first(_ values: JSONValue...) -> JSONValue {
    values.first { !$0.plain.isEmpty } ?? .null
  }
}
