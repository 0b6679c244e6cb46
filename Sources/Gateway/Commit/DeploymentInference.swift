import Markers
import Model
import NIOPosix
import Store

/// Turns the versions and instances in sealed sums into markers: what `MarkerInference` and
/// `ScalingInference` say by ids, with the texts behind them.
struct DeploymentInference {
  /// What a checkpoint changes about inferred markers.
  struct Changes: Sendable {
    /// Deployments and scalings.
    var markers: [Marker] = []
    var retracted: [MarkerID] = []
  }

  private let names: NameTable
  private let store: TileStore
  private var inference: MarkerInference
  private var scaling: ScalingInference

  /// Knows the versions, and the instances of the last hour, that the store knows: nothing is
  /// inferred twice after a restart.
  init(store: TileStore, names: NameTable) throws {
    self.store = store
    self.names = names
    inference = MarkerInference(knowing: try store.versionSightings())
    let end = (try store.newestWindow() ?? 0).saturatingAdding(windowNanos)
    let start = end.saturatingSubtracting(ScalingInference.openNanos).floored(to: windowNanos)
    let recent = try store.windows(
      SeriesSelection([SeriesKind.instance]), from: start, to: end, by: .minute)
    scaling = ScalingInference(
      knowing: DeploymentInference.instances(in: recent.sums), since: start)
  }

  /// - Errors: when the store cannot be read; nothing is taken in then, and the same sums can be
  ///   observed again.
  mutating func observe(_ sums: WindowSums) async throws -> Changes {
    var observed = inference
    let found = observed.observe(sums.versionSightings)
    var sized = scaling
    let resized = sized.observe(DeploymentInference.instances(in: sums))
    var changes = found.isEmpty ? Changes() : try await named(found)
    if !resized.isEmpty { try await add(resized, to: &changes) }
    inference = observed
    scaling = sized
    return changes
  }

  /// What is summed under overflow is many instances, and no count of any.
  private static func instances(in sums: WindowSums) -> [InstanceSighting] {
    let sightings = sums.instanceSightings
    let overflows = Set(sightings.map(\.service)).map {
      Name(tenant: .standard, kind: .instance, scope: $0, text: Name.overflowText)
    }
    let ids = Set(overflows.map(\.id))
    let crowded = Set(sightings.filter { ids.contains($0.instance) }.map(\.service))
    return crowded.isEmpty ? sightings : sightings.filter { !crowded.contains($0.service) }
  }

  private func add(
    _ found: ScalingInference.Changes, to changes: inout Changes
  ) async throws {
    let texts = try await texts(Set((found.steps + found.retracted).map(\.service)))
    for step in found.steps {
      guard let service = texts[step.service] else { continue }
      changes.markers.append(
        Marker(
          inferredScaling: .init(from: step.from, to: step.to),
          of: NodeIdentity(text: service.text), tenant: service.tenant, time: step.time,
          endTime: step.endTime, isRollout: step.isRollout))
    }
    for step in found.retracted {
      guard let service = texts[step.service] else { continue }
      changes.retracted.append(
        .of(
          tenant: service.tenant, service: NodeIdentity(text: service.text),
          scalingAt: step.time))
    }
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
      changes.markers.append(
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
