import Markers
import Model
import NIOPosix
import Store

/// Turns the versions in sealed sums into markers: what `MarkerInference` says by ids, with the texts
/// behind them.
struct DeploymentInference {
  /// What a checkpoint changes about inferred markers.
  struct Changes: Sendable {
    var deployments: [Marker] = []
    var retracted: [MarkerID] = []
  }

  private let names: NameTable
  private let store: TileStore
  private var inference: MarkerInference

  /// Knows the versions the store knows: nothing is inferred twice after a restart.
  init(store: TileStore, names: NameTable) throws {
    self.store = store
    self.names = names
    inference = MarkerInference(knowing: try store.versionSightings())
  }

  /// - Errors: when the store cannot be read; nothing is taken in then, and the same sums can be
  ///   observed again.
  mutating func observe(_ sums: WindowSums) async throws -> Changes {
    var observed = inference
    let found = observed.observe(sums.versionSightings)
    let changes = found.isEmpty ? Changes() : try await named(found)
    inference = observed
    return changes
  }

  private func named(_ found: MarkerInference.Changes) async throws -> Changes {
    var ids = Set(found.deployments.flatMap { [$0.service, $0.version, $0.previous] })
    for sighting in found.retracted { ids.formUnion([sighting.service, sighting.version]) }
    let texts = try await texts(ids)
    var changes = Changes()
    for deployment in found.deployments {
      guard let service = texts[deployment.service],
        let version = shown(texts[deployment.version])
      else { continue }
      changes.deployments.append(
        Marker(
          inferredFor: version, of: NodeIdentity(text: service.text), tenant: service.tenant,
          time: deployment.time, previousVersion: shown(texts[deployment.previous]) ?? ""))
    }
    for sighting in found.retracted {
      guard let service = texts[sighting.service], let version = shown(texts[sighting.version])
      else { continue }
      changes.retracted.append(
        .of(
          tenant: service.tenant, service: NodeIdentity(text: service.text),
          firstSightOf: version))
    }
    return changes
  }

  /// What is summed under overflow is many versions, and says nothing about any of them.
  private func shown(_ version: Name?) -> String? {
    guard let text = version?.text, !text.isEmpty, text != Name.overflowText else { return nil }
    return text
  }

  /// Names long unused, such as that of a version before a restart, are only in the store.
  private func texts(_ ids: Set<NameID>) async throws -> [NameID: Name] {
    let recent = names.names(ids)
    let missing = ids.subtracting(recent.keys).subtracting([.none])
    guard !missing.isEmpty else { return recent }
    let store = store
    let stored = try await NIOThreadPool.singleton.runIfActive { try store.names(missing) }
    return recent.merging(stored) { recent, _ in recent }
  }
}
