import Graph
import Markers
import Model
import NIOPosix
import OTLP
import Receive
import Store
import Synchronization

/// Makes markers of the events of Kubernetes that come as log records.
///
/// They are read and stored on the threads that wait for the store anyway, so that nothing of it is
/// done where spans are received. A sender is answered when the markers are in the store.
final class EventMarkers: Sendable {
  private let store: TileStore
  private let clock: @Sendable () -> Nanos
  private let reader = WebhookReader(
    language: MarkerReader.Language(
      time: Timestamp.parse,
      nearest: { Spelling.nearest(to: $0, among: $1, countMax: 1).first },
      written: Timestamp.text))
  private let waiting = Atomic<Int>(0)

  /// Events that wait for the store at once, of all requests; more are refused for the moment.
  static let waitingMax = 10_000

  /// What came of the events so far.
  let taken = Atomic<UInt64>(0)
  /// They change nothing that runs.
  let ignored = Atomic<UInt64>(0)
  /// They should tell of a change and cannot be read.
  let unreadable = Atomic<UInt64>(0)

  init(store: TileStore, clock: @escaping @Sendable () -> Nanos) {
    self.store = store
    self.clock = clock
  }

  func keep(
    _ events: [KubernetesEventRecord], done: @escaping @Sendable (Admission) -> Void
  ) {
    let count = events.count
    guard wait(count) else {
      return done(.refused(reason: EventMarkers.backlogText, retryAfterSeconds: 1))
    }
    NIOThreadPool.singleton.submit { state in
      let admission = state == .active ? self.keepNow(events) : EventMarkers.failed
      self.waiting.subtract(count, ordering: .relaxed)
      done(admission)
    }
  }

  /// Counts events as waiting; false, and nothing counted, where there is no room. A request that comes
  /// alone always has room.
  @discardableResult
  func wait(_ count: Int) -> Bool {
    let before = waiting.add(count, ordering: .relaxed).oldValue
    guard before > 0, before + count > EventMarkers.waitingMax else { return true }
    waiting.subtract(count, ordering: .relaxed)
    return false
  }

  private func keepNow(_ events: [KubernetesEventRecord]) -> Admission {
    let now = clock()
    var markers: [Marker] = []
    var ignoredCount: UInt64 = 0
    var unreadableCount: UInt64 = 0
    for record in events {
      guard let event = KubernetesEvent(record) else {
        if record.object != nil { unreadableCount += 1 }
        continue
      }
      let reading = reader.read(event, received: now, tenant: .standard)
      markers += reading.markers
      if !reading.problems.isEmpty {
        unreadableCount += 1
      } else if reading.markers.isEmpty {
        ignoredCount += 1
      }
    }
    if !markers.isEmpty {
      do { _ = try store.insert(markers) } catch { return EventMarkers.failed }
    }
    taken.add(UInt64(markers.count), ordering: .relaxed)
    ignored.add(ignoredCount, ordering: .relaxed)
    unreadable.add(unreadableCount, ordering: .relaxed)
    return .accepted
  }

  private static let failed = Admission.refused(
    reason: "the gateway cannot keep events at the moment. Send the request again after the delay",
    retryAfterSeconds: 5)
  private static let backlogText =
    "the gateway is busy: events arrive faster than they are kept. Send the request again after the "
    + "delay"
}

extension KubernetesEvent {
  /// nil for a record without a reason, and for an object that is no event.
  fileprivate init?(_ record: KubernetesEventRecord) {
    if let object = record.object {
      self.init(JSONValue(object))
      return
    }
    var attributes: [String: JSONValue] = [
      "k8s.event.reason": .text(record.reason), "k8s.event.uid": .text(record.uid),
      "k8s.namespace.name": .text(record.namespace),
    ]
    if let count = record.count { attributes["k8s.event.count"] = .integer(count) }
    self.init(
      body: record.message, attributes: attributes,
      resource: [
        "k8s.object.kind": .text(record.kind), "k8s.object.name": .text(record.name),
      ],
      time: record.time == 0 ? .null : Int64(exactly: record.time).map { .integer($0) } ?? .null)
  }
}

extension JSONValue {
  /// An event as its API gives it.
  fileprivate init(_ object: KubernetesObject) {
    var members = object.values.compactMapValues(JSONValue.init)
    for (key, part) in object.parts {
      members[key] = .object(part.compactMapValues(JSONValue.init))
    }
    self = .object(members)
  }

  /// nil for a count of nothing, which the other receiver leaves out.
  private init?(_ value: KubernetesObject.Value) {
    switch value {
    case .text(let text): self = .text(text)
    case .number(0): return nil
    case .number(let number): self = .integer(number)
    }
  }
}
