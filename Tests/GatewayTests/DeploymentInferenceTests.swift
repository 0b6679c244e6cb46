import Foundation
import Markers
import Model
import Store
import Testing

@testable import Gateway

private let epoch: Nanos = 1_699_999_200 * .second

/// A store and the names of one service, over several starts of a gateway.
private final class Setting {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "spangate-" + UUID().uuidString).path
  var names = NameTable()
  private var checkpoint: UInt64 = 0

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func open() throws -> TileStore { try TileStore(path: folder) }

  /// The sums of one window in which a version answered.
  func sums(_ version: String, _ time: Nanos) -> WindowSums {
    let identity = NodeIdentity(environment: "prod", namespace: "shop", name: "checkout")
    let service = names.intern(kind: .service, identity.text, now: time)
    let id =
      version.isEmpty
      ? NameID.none : names.intern(kind: .version, scope: service, version, now: time)
    var sums = WindowSums()
    sums.add(Finding(window: time, key: .version(service, id), latency: 1))
    return sums
  }

  /// The sums of one window in which instances of a version answered.
  func sums(instances: [String], of version: String = "", _ time: Nanos) -> WindowSums {
    var sums = WindowSums()
    let identity = NodeIdentity(environment: "prod", namespace: "shop", name: "checkout")
    let service = names.intern(kind: .service, identity.text, now: time)
    let versionID =
      version.isEmpty
      ? NameID.none : names.intern(kind: .version, scope: service, version, now: time)
    for instance in instances {
      let id = names.intern(kind: .instance, scope: service, instance, now: time)
      sums.add(
        Finding(window: time, key: .instance(service, id, version: versionID), latency: 1))
    }
    return sums
  }

  /// What a checkpoint does.
  func store(
    _ sums: WindowSums, _ inference: inout DeploymentInference, in store: TileStore
  ) async throws {
    let changes = try await inference.observe(sums)
    checkpoint += 1
    let ids = sums.windows.values.flatMap { $0.series.keys.flatMap(\.names) }
    try store.commit(
      CheckpointContent(
        number: checkpoint, mark: 0, sums: sums, names: Array(names.names(ids).values),
        inferred: changes.markers, retracted: changes.retracted))
  }
}

@Suite struct DeploymentInferenceTests {
  /// Scenario: versions follow each other over a restart; the second start knows no name but from
  /// the store.
  /// Guarantees: one marker for each version but the first, with service, place, time and the
  /// version before; none twice; what a user deleted does not come back.
  @Test func overRestarts() async throws {
    let setting = Setting()
    var store = try setting.open()
    var inference = try DeploymentInference(store: store, names: setting.names)
    try await setting.store(setting.sums("", epoch), &inference, in: store)
    try await setting.store(setting.sums("v1", epoch), &inference, in: store)
    try await setting.store(setting.sums("v2", epoch + .minute), &inference, in: store)
    let everything = MarkerFilter(start: 0, end: .max)
    let first = try #require(try store.markers(everything).first)
    #expect(try store.markers(everything).count == 1)
    #expect(first.service == "checkout" && first.namespace == "shop")
    #expect(first.environment == "prod" && first.inferred && first.source == "spans")
    #expect(first.time == epoch + .minute)
    #expect(first.version == "v2" && first.previousVersion == "v1")
    #expect(try store.deleteMarker(first.id, tenant: .standard))
    try store.close()

    setting.names = NameTable()
    store = try setting.open()
    inference = try DeploymentInference(store: store, names: setting.names)
    for version in ["v1", "v2"] {
      try await setting.store(setting.sums(version, epoch + .hour), &inference, in: store)
    }
    #expect(try store.markers(everything).isEmpty)
    setting.names = NameTable()
    inference = try DeploymentInference(store: store, names: setting.names)
    try await setting.store(setting.sums("v3", epoch + .day), &inference, in: store)
    let second = try #require(try store.markers(everything).first)
    #expect(second.version == "v3" && second.previousVersion == "v2")
  }

  /// Scenario: two instances become three, over a restart; a horizontal pod autoscaler says so later.
  /// Guarantees: one scaling, once, at the window in which the third came; it merges into the announced
  /// one.
  @Test func scaling() async throws {
    let setting = Setting()
    var store = try setting.open()
    var inference = try DeploymentInference(store: store, names: setting.names)
    let two = ["a", "b"]
    let three = ["a", "b", "c"]
    for minute in 0..<20 as Range<Nanos> {
      let sums = setting.sums(instances: minute < 13 ? two : three, epoch + minute * .minute)
      try await setting.store(sums, &inference, in: store)
    }
    let everything = MarkerFilter(start: 0, end: .max)
    let seen = try #require(try store.markers(everything).first)
    #expect(try store.markers(everything).count == 1)
    #expect(seen.kind == .scaling && seen.scaling == .init(from: 2, to: 3))
    #expect(seen.inferred && seen.source == "spans" && seen.state == .finished)
    #expect(seen.time == epoch + 13 * .minute)
    #expect(seen.service == "checkout" && seen.namespace == "shop" && seen.environment == "prod")
    try store.close()

    setting.names = NameTable()
    store = try TileStore(path: setting.folder, markers: MarkerMerging.rule)
    inference = try DeploymentInference(store: store, names: setting.names)
    for minute in 20..<30 as Range<Nanos> {
      let sums = setting.sums(instances: three, epoch + minute * .minute)
      try await setting.store(sums, &inference, in: store)
    }
    #expect(try store.markers(everything) == [seen])
    let announced = Marker(
      kind: .scaling, service: "checkout", time: epoch + 12 * .minute, scaling: .init(to: 3),
      dedupeKey: "k")
    _ = try store.insert(announced)
    #expect(try store.markers(everything) == [announced])
    #expect(try store.marker(seen.id, tenant: .standard) == announced)
  }

  /// Scenario: so many versions that the rest is summed under overflow.
  /// Guarantees: what stands for many is no deployment.
  @Test func overflow() async throws {
    let setting = Setting()
    let store = try setting.open()
    var inference = try DeploymentInference(store: store, names: setting.names)
    try await setting.store(setting.sums("v1", epoch), &inference, in: store)
    try await setting.store(
      setting.sums(Name.overflowText, epoch + .minute), &inference, in: store)
    #expect(try store.markers(MarkerFilter(start: 0, end: .max)).isEmpty)
  }
}
