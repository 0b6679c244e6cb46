import Foundation
import GRDB
import Markers
import Model
import TestSupport
import Testing

@testable import Store

private func deployment(
  _ version: String, of service: String = "checkout", namespace: String = "",
  environment: String = "", at time: Nanos = epoch, key: String? = nil
) -> Marker {
  Marker(
    kind: .deployment, service: service, namespace: namespace, environment: environment,
    time: time, version: version, dedupeKey: key)
}

private func inferred(_ version: String, at time: Nanos) -> Marker {
  Marker(
    inferredFor: version, of: NodeIdentity(environment: "prod", name: "checkout"),
    tenant: .standard, time: time, previousVersion: "v1")
}

extension TileStore {
  fileprivate func ids(
    service: String? = nil, namespace: String? = nil, environment: String? = nil,
    kind: MarkerKind? = nil, from start: Nanos = 0, to end: Nanos = .max, countMax: Int = 100
  ) throws -> [MarkerID] {
    try markers(
      MarkerFilter(
        start: start, end: end, service: service, namespace: namespace, environment: environment,
        kind: kind, countMax: countMax)
    ).map(\.id)
  }
}

@Suite struct MarkerStoreTests {
  /// Scenario: a marker with everything a marker can have.
  /// Guarantees: it is read as it was written, also after the store was opened again.
  @Test func keepsEverything() throws {
    let directory = try TemporaryDirectory()
    let marker = Marker(
      kind: .scaling, service: "a'b\"é", namespace: "n", environment: "e", time: epoch + 1,
      endTime: epoch + 2, version: "v2", previousVersion: "v1",
      scaling: .init(from: nil, to: 5, reason: "load"), source: "s", dedupeKey: "k",
      url: "https://x/y",
      attributes: [
        "t": .text("\n\u{0}"), "i": .integer(-1), "d": .number(0.5), "b": .boolean(false),
      ])
    let store = try TileStore(path: directory.path)
    #expect(try store.insert(marker) == MarkerInsertion(id: marker.id, existed: false))
    try store.close()
    let again = try TileStore(path: directory.path)
    #expect(try again.marker(marker.id, tenant: .standard) == marker)
    #expect(try again.marker(marker.id, tenant: TenantID(1)) == nil)
  }

  /// Scenario: the same key, or the same content, again; another tenant's with the same key.
  /// Guarantees: the first stays, with its id; tenants do not see each other.
  @Test func once() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    let first = try store.insert(deployment("v1", key: "k"))
    #expect(
      try store.insert(deployment("v2", key: "k")) == MarkerInsertion(id: first.id, existed: true))
    #expect(try store.marker(first.id, tenant: .standard)?.version == "v1")
    #expect(try !store.insert(deployment("v3")).existed)
    #expect(try store.insert(deployment("v3")).existed)
    var foreign = deployment("v1", key: "k")
    foreign = Marker(
      tenant: TenantID(1), kind: .deployment, service: foreign.service, time: epoch,
      dedupeKey: "k")
    #expect(try !store.insert(foreign).existed)
    #expect(try store.ids().count == 2)
    #expect(try !store.deleteMarker(foreign.id, tenant: .standard))
  }

  /// Scenario: three messages about one change in every order, one of them twice, with an inferred
  /// deployment whose version only the last message names.
  /// Guarantees: in the end the same marker stands, alone.
  @Test func life() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path, markers: MarkerMerging.rule)
    let messages = [
      Marker(kind: .deployment, service: "checkout", time: epoch, state: .started, dedupeKey: "k"),
      Marker(
        kind: .deployment, service: "checkout", time: epoch + 5, state: .inProgress,
        dedupeKey: "k"),
      Marker(
        kind: .deployment, service: "checkout", time: epoch + 9, state: .finished, version: "v2",
        dedupeKey: "k"),
    ]
    let expected = Marker(
      kind: .deployment, service: "checkout", time: epoch, endTime: epoch + 9, state: .finished,
      version: "v2", dedupeKey: "k")
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0, 1], [0, 0, 2, 1], [2, 0, 1], [1, 0, 2]] {
      let sight = inferred("v2", at: epoch + 1)
      _ = try store.insert(sight)
      for index in order { _ = try store.insert(messages[index]) }
      #expect(try store.ids() == [expected.id])
      #expect(try store.marker(sight.id, tenant: .standard) == expected)
      #expect(try store.ids(kind: .deployment, from: epoch + 6) == [expected.id])
      #expect(try store.deleteMarker(expected.id, tenant: .standard))
    }
  }

  /// Scenario: scalings that do not say how many there were, told in any order, of two targets.
  /// Guarantees: each shows the size that the one of its target before it led to.
  @Test func sizeBefore() throws {
    func scaling(_ minute: Nanos, _ scaling: Marker.Scaling?, object: String = "a") -> Marker {
      Marker(
        kind: .scaling, service: "checkout", time: epoch + minute * .minute, scaling: scaling,
        attributes: ["object": .text(object)])
    }
    let markers = [
      scaling(1, .init(to: 3)), scaling(2, .init(from: 3, to: 5)), scaling(3, nil),
      scaling(4, .init(to: 9), object: "b"), scaling(5, .init(to: 4)), scaling(6, .init(to: 8)),
    ]
    for order in [markers, markers.reversed()] {
      let directory = try TemporaryDirectory()
      let store = try TileStore(path: directory.path)
      for marker in order { _ = try store.insert(marker) }
      let read = try store.markers(MarkerFilter(start: 0, end: .max))
      #expect(read.map { $0.scaling?.from } == [4, 5, nil, nil, 3, nil])
      #expect(try store.marker(markers[5].id, tenant: .standard)?.scaling?.from == 4)
      #expect(try store.insert(markers[5]).existed)
    }
  }

  /// Scenario: a deployment is inferred, then announced; another announced, then inferred.
  /// Guarantees: one marker each, under the announced id; the other id leads to it, also again;
  /// deleting by either deletes it.
  @Test func merges() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path, markers: MarkerMerging.rule)
    let seen = inferred("v2", at: epoch)
    let told = deployment("v2", at: epoch + .minute)
    #expect(try !store.insert(seen).existed)
    #expect(try !store.insert(told).existed)
    #expect(try store.ids() == [told.id])
    #expect(try store.marker(seen.id, tenant: .standard) == told)
    #expect(try store.insert(seen) == MarkerInsertion(id: told.id, existed: true))
    let toldFirst = deployment("v3", at: epoch + .hour)
    let seenLater = inferred("v3", at: epoch + .hour + .minute)
    _ = try store.insert(toldFirst)
    #expect(try store.insert(seenLater).id == toldFirst.id)
    #expect(try store.ids() == [toldFirst.id, told.id])
    #expect(try store.deleteMarker(seen.id, tenant: .standard))
    #expect(try store.marker(seen.id, tenant: .standard) == nil)
    #expect(try !store.deleteMarker(told.id, tenant: .standard))
    #expect(try store.count("marker_aliases") == 1)
  }

  /// Scenario: an inferred deployment turns out earlier, or later, or none at all.
  /// Guarantees: it moves to the earlier time only; what is retracted is gone, what was announced
  /// stays.
  @Test func inferredMoves() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path, markers: MarkerMerging.rule)
    let id = try store.insert(inferred("v2", at: epoch + 20 * .second)).id
    #expect(try store.insert(inferred("v2", at: epoch + 10 * .second)).existed)
    #expect(try store.insert(inferred("v2", at: epoch + 30 * .second)).existed)
    #expect(try store.marker(id, tenant: .standard)?.time == epoch + 10 * .second)
    let told = try store.insert(deployment("v3")).id
    try store.commit(
      CheckpointContent(
        number: 1, mark: 0, sums: WindowSums(), names: [],
        inferred: [inferred("v4", at: epoch + .day)], retracted: [id, told]))
    #expect(try store.ids() == [inferred("v4", at: 0).id, told])
  }

  /// Scenario: markers of several services, places, kinds and times.
  /// Guarantees: each filter finds what it names and what names less; newest first; limits hold;
  /// what lasted into the range is in it.
  @Test func filters() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    let everywhere = deployment("v1", at: epoch)
    let prod = deployment("v1", namespace: "shop", environment: "prod", at: epoch + 1)
    let staging = deployment("v1", namespace: "shop", environment: "staging", at: epoch + 2)
    let other = deployment("v1", of: "cart", namespace: "shop", at: epoch + 3)
    let long = Marker(kind: .incident, service: "", time: epoch - .hour, endTime: epoch)
    for marker in [everywhere, prod, staging, other, long] { _ = try store.insert(marker) }
    #expect(try store.ids() == [other, staging, prod, everywhere, long].map(\.id))
    #expect(try store.ids(countMax: 2) == [other, staging].map(\.id))
    #expect(try store.ids(service: "checkout") == [staging, prod, everywhere].map(\.id))
    #expect(try store.ids(service: "shop/checkout") == [staging, prod, everywhere].map(\.id))
    #expect(try store.ids(service: "x/checkout") == [everywhere.id])
    #expect(try store.ids(service: "' OR 1=1 --").isEmpty)
    #expect(
      try store.ids(service: "checkout", environment: "prod") == [prod, everywhere].map(\.id))
    #expect(try store.ids(namespace: "") == [everywhere, long].map(\.id))
    #expect(try store.ids(kind: .incident) == [long.id])
    #expect(try store.ids(from: epoch, to: epoch + 2) == [prod, everywhere].map(\.id))
    #expect(try store.ids(from: epoch - 1, to: epoch) == [long.id])
    #expect(try store.ids(from: epoch + 1, to: epoch + 2) == [prod.id])
  }

  /// Scenario: markers and versions grow older than the retention.
  /// Guarantees: they are deleted, with the ids that led to them; younger ones stay.
  @Test func expire() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path, markers: MarkerMerging.rule)
    let seen = inferred("v2", at: epoch)
    for marker in [seen, deployment("v2"), deployment("v3", at: epoch + 2 * .day)] {
      _ = try store.insert(marker)
    }
    let finding = Finding(window: epoch, key: .version(NameID(1), NameID(2)), latency: 1)
    let later = Finding(window: epoch + 2 * .day, key: .version(NameID(1), NameID(3)), latency: 1)
    try store.commit(
      CheckpointContent(number: 1, mark: 0, sums: WindowSums([finding, later]), names: []))
    try store.deleteExpired(now: epoch + 2 * .day, retention: .day)
    #expect(try store.markers(MarkerFilter(start: 0, end: .max)).map(\.version) == ["v3"])
    #expect(try store.count("marker_aliases") == 0)
    #expect(try store.versionSightings().map(\.version) == [NameID(3)])
  }

  /// Scenario: versions are seen in several checkpoints; some spans name none.
  /// Guarantees: the first and the newest window of each.
  @Test func versions() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    let key = SeriesKey.version(NameID(.max), NameID(7))
    for (number, time) in [epoch + .minute, epoch, epoch + .hour].enumerated() {
      let sums = WindowSums([
        Finding(window: time, key: key, latency: 1),
        Finding(window: time, key: .version(NameID(.max), .none), latency: 1),
      ])
      try store.commit(
        CheckpointContent(number: UInt64(number + 1), mark: 0, sums: sums, names: []))
    }
    #expect(
      try store.versionSightings() == [
        VersionSighting(
          service: NameID(.max), version: NameID(7), first: epoch, newest: epoch + .hour)
      ])
  }

  /// Scenario: a store written by the first version is opened.
  /// Guarantees: everything in it is still there, markers can be added, and versions that ran are
  /// known to the hour.
  @Test func migratesVersionOne() throws {
    let directory = try TemporaryDirectory()
    do {
      let queue = try DatabaseQueue(path: directory.file)
      try StoreMigrations.migrator.migrate(queue, upTo: "1 tiles, names, checkpoint")
      try queue.write { db in
        try TileRows.add(
          db, .hour,
          WindowSums([
            Finding(window: epoch + .hour, key: .version(NameID(1), NameID(2)), latency: 1),
            Finding(window: epoch, key: .version(NameID(1), NameID(2)), latency: 1),
            Finding(window: epoch, key: .version(NameID(1), .none), latency: 1),
            Finding(window: epoch, key: .node(NameID(1)), latency: 1),
          ]))
        try CheckpointRow(number: 9, mark: 90).save(db)
      }
      #expect(try queue.read { try !$0.tableExists("markers") })
      try queue.close()
    }
    let store = try TileStore(path: directory.path)
    #expect(try store.committed == (9, 90))
    #expect(try store.count("tiles") == 4)
    #expect(
      try store.versionSightings() == [
        VersionSighting(
          service: NameID(1), version: NameID(2), first: epoch, newest: epoch + .hour)
      ])
    #expect(try !store.insert(deployment("v1")).existed)
  }

  /// Scenario: a store written by the version that knew markers but no verdicts is opened.
  /// Guarantees: everything in it is still there, what names an end is over, and verdicts and
  /// deadlines can be kept.
  @Test func migratesVersionTwo() throws {
    let directory = try TemporaryDirectory()
    do {
      let queue = try DatabaseQueue(path: directory.file)
      try StoreMigrations.migrator.migrate(queue, upTo: "2 markers, versions")
      try queue.write { db in
        for (marker, end) in [(deployment("v1"), nil), (deployment("v2"), Int64(epoch))] {
          try db.execute(
            sql: """
              INSERT INTO markers VALUES
              (?, 0, 'deployment', 'checkout', '', '', ?, ?, ?, NULL, 0, '{}')
              """, arguments: [marker.id.raw.signed, marker.version, Int64(epoch), end])
        }
        try CheckpointRow(number: 9, mark: 90).save(db)
      }
      #expect(try queue.read { try !$0.tableExists("verdicts") })
      try queue.close()
    }
    let store = try TileStore(path: directory.path)
    #expect(try store.committed == (9, 90))
    #expect(try store.insert(deployment("v1")).existed)
    #expect(try store.marker(deployment("v1").id, tenant: .standard)?.state == nil)
    #expect(try store.marker(deployment("v2").id, tenant: .standard)?.state == .finished)
    let rollout = RolloutID(tenant: .standard, service: "a", environment: "", version: "v1")
    let verdict = StoredVerdict(
      id: VerdictID(rollout, verdict: "wait", since: epoch), tenant: .standard, rollout: rollout,
      service: "a", version: "v1", verdict: "wait", since: epoch, until: epoch, report: [],
      answer: [])
    #expect(try store.keep(verdict) == verdict.id)
    #expect(
      try store.deadline(of: rollout, since: 0, tenant: .standard, wanted: epoch) == epoch)
  }

  /// Scenario: what a marker holds was damaged in the file.
  /// Guarantees: the error names the marker.
  @Test func damaged() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    let id = try store.insert(deployment("v1")).id
    for (column, value) in [("details", "{"), ("kind", "party"), ("state", "dancing")] {
      try store.pool.write {
        try $0.execute(sql: "UPDATE markers SET \(column) = ?", arguments: [value])
      }
      let error = #expect(throws: StoreError.self) { try store.marker(id, tenant: .standard) }
      #expect(error?.message.contains("\(id)") == true)
    }
  }
}
