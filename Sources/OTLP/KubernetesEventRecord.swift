public import Model

/// A log record in which the OpenTelemetry Collector tells of an event of Kubernetes.
/// - Source: opentelemetry-collector-contrib, `receiver/k8seventsreceiver` and
///   `receiver/k8sobjectsreceiver`.
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
  /// The event itself, where that is the body; all but the time is read from it then.
  public var object: KubernetesObject?

  public init() {}

  /// Events read of one request; those beyond are counted as ignored.
  public static let perRequestMax = 1_000

  // The places of the keys in the lists below.
  static let reasonKey = 0
  static let uidKey = 1
  static let countKey = 2
  static let namespaceKey = 3
  /// What objects are called in the API, of a record whose body is one.
  static let objectsKey = 4
  /// What happened to that object, where the record says that beside it.
  static let changeKey = 5
  static let keys = [
    "k8s.event.reason", "k8s.event.uid", "k8s.event.count", "k8s.namespace.name",
    "k8s.resource.name", "event.type",
  ]

  /// What events are called in the API.
  static let objectsOfEvents = "events"

  static let kindKey = 0
  static let nameKey = 1
  static let resourceKeys = ["k8s.object.kind", "k8s.object.name"]
}

/// Finds events among log records: the attributes that tell of one, of the resource and of the
/// record. Log records without them cost one comparison an attribute.
struct KubernetesEventReader {
  private var resource = ChosenAttributes(KubernetesEventRecord.resourceKeys)
  private var attributes = ChosenAttributes(KubernetesEventRecord.keys)
  var object = KubernetesObjectReader()
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

  mutating func beginRecord() {
    attributes.removeAll()
    object.removeAll()
  }

  mutating func noteOfRecord(_ key: UnsafeRawBufferPointer, _ value: AttributeValue) {
    unsafe attributes.note(key, value)
  }

  /// nil for a record that is no event.
  func event(message: UnsafeRawBufferPointer?, time: Nanos) -> KubernetesEventRecord? {
    guard !attributes.isEmpty else { return nil }
    let reason = text(attributes[KubernetesEventRecord.reasonKey])
    guard !reason.isEmpty else { return isOfObject ? objectEvent(time: time) : nil }
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

  /// Whether the body is an object of Kubernetes, of whatever sort.
  var isOfObject: Bool {
    !attributes.isEmpty && !text(attributes[KubernetesEventRecord.objectsKey]).isEmpty
  }

  private func objectEvent(time: Nanos) -> KubernetesEventRecord? {
    let objects = text(attributes[KubernetesEventRecord.objectsKey])
    let change = attributes[KubernetesEventRecord.changeKey]
    guard objects == KubernetesEventRecord.objectsOfEvents,
      let object = object.event(isDeleted: KubernetesObjectReader.isDeleted(change))
    else { return nil }
    var event = KubernetesEventRecord()
    event.object = object
    event.time = time
    return event
  }

  private func text(_ value: AttributeValue) -> String {
    unsafe value.text.map { unsafe String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
