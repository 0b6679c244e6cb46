import Foundation
import Graph
import Markers
import Model
import OTLP
import Receive
import Store
import Testing

@testable import Gateway

private let now: Nanos = 1_790_000_000 * .second

private func event(
  _ reason: String = "ScalingReplicaSet", uid: String = "e-1", count: Int64? = 1,
  message: String = "Scaled up replica set checkout-7d9 to 3 from 0", time: Nanos = now - .minute
) -> KubernetesEventRecord {
  var event = KubernetesEventRecord()
  event.kind = "Deployment"
  event.name = "checkout"
  event.namespace = "shop"
  event.reason = reason
  event.message = message
  event.uid = uid
  event.count = count
  event.time = time
  return event
}

/// The same event as its API gives it.
private func object(
  uid: String = "e-1", count: Int64? = 1, about: String = "involvedObject"
) -> KubernetesEventRecord {
  var object = KubernetesObject()
  let event = event(uid: uid, count: count)
  object.values = [
    "kind": .text("Event"), "reason": .text(event.reason), "message": .text(event.message),
    "lastTimestamp": .text(Timestamp.text(event.time)),
  ]
  object.values["count"] = count.map { .number($0) }
  object.parts = [
    "metadata": ["uid": .text(uid)],
    about: [
      "kind": .text(event.kind), "name": .text(event.name), "namespace": .text(event.namespace),
    ],
  ]
  var record = KubernetesEventRecord()
  record.object = object
  record.time = now
  return record
}

@Suite final class EventMarkersTests {
  private let folder = FileManager.default.temporaryDirectory
    .appending(path: "spangate-" + UUID().uuidString).path

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func store() throws -> TileStore {
    try TileStore(path: folder, markers: MarkerMerging.rule)
  }

  private func keep(
    _ events: [KubernetesEventRecord], _ markers: EventMarkers
  ) async -> Admission {
    await withCheckedContinuation { continuation in
      markers.keep(events) { continuation.resume(returning: $0) }
    }
  }

  private func kept(_ store: TileStore) throws -> [Marker] {
    try store.markers(MarkerFilter(tenant: .standard, start: 0, end: .max))
  }

  /// Scenario: the same event twice in a request, again in another, and once more with a higher
  /// count.
  /// Guarantees: accepted when it can be read from the store; one marker an event and count, with the
  /// event's time.
  @Test func once() async throws {
    let store = try store()
    let markers = EventMarkers(store: store, clock: { now })
    #expect(await keep([event(), event()], markers) == .accepted)
    let first = try #require(try kept(store).first)
    #expect(try kept(store).count == 1)
    #expect(first.service == "checkout" && first.namespace == "shop")
    #expect(first.kind == .deployment && first.version == "checkout-7d9")
    #expect(first.time == now - .minute && first.source == "kubernetes")
    #expect(await keep([event()], markers) == .accepted)
    #expect(try kept(store) == [first])
    #expect(await keep([event(count: 2)], markers) == .accepted)
    #expect(try kept(store).count == 2)
    #expect(markers.taken.load(ordering: .relaxed) == 4)
  }

  /// Scenario: events that `k8seventsreceiver` and `k8sobjectsreceiver` both send, with a count, without,
  /// and with one of nothing, whichever comes first; one of events.k8s.io; one that is about nothing.
  /// Guarantees: the marker of both is one and the same, with the event's own time; what is about nothing
  /// cannot be read.
  @Test func bothReceivers() async throws {
    let store = try store()
    let markers = EventMarkers(store: store, clock: { now })
    #expect(await keep([event()], markers) == .accepted)
    let first = try kept(store)
    #expect(await keep([object()], markers) == .accepted)
    #expect(try kept(store) == first && first.count == 1)
    #expect(await keep([object(count: 2), event(count: 2)], markers) == .accepted)
    #expect(try kept(store).count == 2)
    #expect(
      await keep([object(uid: "e-2", count: 0), event(uid: "e-2", count: nil)], markers)
        == .accepted)
    #expect(try kept(store).count == 3)
    #expect(await keep([object(uid: "e-3", about: "regarding")], markers) == .accepted)
    #expect(await keep([object(uid: "e-4", about: "related")], markers) == .accepted)
    let all = try kept(store)
    #expect(all.count == 4 && all.allSatisfy { $0.time == now - .minute })
    #expect(all.allSatisfy { $0.service == "checkout" && $0.version == "checkout-7d9" })
    #expect(markers.unreadable.load(ordering: .relaxed) == 1)
  }

  /// Scenario: events that change nothing, cannot be read, are of the future, have no time, and one
  /// that is a change among them.
  /// Guarantees: all are accepted, since sending them again would change nothing; only changes are
  /// kept; the others are counted by what they are.
  @Test func others() async throws {
    let store = try store()
    let markers = EventMarkers(store: store, clock: { now })
    let events = [
      event("Pulled"), event(message: "Scaled sideways"), event(time: now + .hour), event(""),
      event(uid: "", count: nil, time: 0), event("Pulled", time: .max),
    ]
    #expect(await keep(events, markers) == .accepted)
    #expect(try kept(store).map(\.time) == [now])
    #expect(markers.taken.load(ordering: .relaxed) == 1)
    #expect(markers.ignored.load(ordering: .relaxed) == 2)
    #expect(markers.unreadable.load(ordering: .relaxed) == 2)
  }

  /// Scenario: more events at once than may wait, and the same again when there is room.
  /// Guarantees: one request may always come, however large; what comes while it waits and does not
  /// fit is refused for the moment; nothing of what was refused is kept.
  @Test func bound() async throws {
    let store = try store()
    let markers = EventMarkers(store: store, clock: { now })
    let most = (0..<EventMarkers.waitingMax).map { _ in event("Pulled") }
    #expect(await keep(most + most, markers) == .accepted)
    #expect(await keep([event()], markers) == .accepted)
    #expect(try kept(store).count == 1)
    markers.wait(EventMarkers.waitingMax)
    guard case .refused = await keep([event(uid: "e-2")], markers) else {
      Issue.record("there was no room")
      return
    }
    #expect(try kept(store).count == 1)
  }
}
