import Foundation
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
        deployments: changes.deployments, retracted: changes.retracted))
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
