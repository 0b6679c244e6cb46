import Graph
import Impact
import Model

/// Reads what is known of two stretches and asks for the health of services.
struct HealthInquiry {
  let compared: ComparedWindows
  let system: SystemHealth

  /// The history is this long unless it is said.
  static let baseDefaultNanos: Nanos = .hour

  /// - Parameters:
  ///   - base: the history; where it overlaps the range, it ends with the minute before it.
  ///   - environment: only this one; nil for all.
  init(
    _ call: Call, _ range: Range<Nanos>, base: Range<Nanos>, environment: String?
  ) async throws {
    compared = try await call.compared(range, base: base, kinds: SystemHealth.kinds)
    let names = compared.names
    let isIncluded = { (key: SeriesKey) in
      environment.map { CauseRoutes.isAbout(key, $0, names) } ?? true
    }
    system = SystemHealth(
      base: compared.base.windows.map { $0.including(isIncluded) },
      current: compared.current.windows.map { $0.including(isIncluded) },
      seconds: Double(compared.width) / Double(Nanos.second),
      errorsTolerated: call.configuration.errorsTolerated,
      objectives: call.configuration.objectives(of: names.values))
  }

  /// The services among what was seen, with their names, by id and environment.
  var services: [Name] {
    system.nodes.compactMap { compared.names[$0] }.filter { $0.kind == .service }
  }
}

extension Call {
  /// Two stretches window by window. What a minute has of both would count for both, so the base ends
  /// before it.
  func compared(
    _ range: Range<Nanos>, base: Range<Nanos>, kinds: Set<SeriesKind>
  ) async throws -> ComparedWindows {
    let begin = range.lowerBound.floored(to: .minute)
    let end = base.upperBound > begin && base.lowerBound < begin ? begin : base.upperBound
    return try await backend.compared(
      tenant: tenant, base: min(base.lowerBound, end - 1)..<end, current: range, kinds: kinds,
      atLeast: .tenSeconds)
  }
}

extension QueryConfiguration {
  /// The objectives by the services they are about: one for an id counts before one for a name.
  func objectives(of names: some Sequence<Name>) -> [NameID: ServiceObjective] {
    guard !objectives.isEmpty else { return [:] }
    var found: [NameID: ServiceObjective] = [:]
    for name in names where name.kind == .service {
      let byID = NodeLabel.id(of: name).flatMap { objectives[$0] }
      found[name.id] = byID ?? objectives[NodeIdentity(text: name.text).name]
    }
    return found
  }
}

extension GraphInput {
  /// Health by the range alone, without history.
  func health(_ configuration: QueryConfiguration) -> SystemHealth {
    SystemHealth(
      current: [window], seconds: max(1, Double(end - min(start, end)) / Double(Nanos.second)),
      errorsTolerated: configuration.errorsTolerated,
      objectives: configuration.objectives(of: names.values))
  }

  /// The scores of all nodes, by the range alone.
  func scores(_ configuration: QueryConfiguration) -> [NameID: Double] {
    let system = health(configuration)
    var scores: [NameID: Double] = [:]
    for node in system.nodes { scores[node] = system.score(of: node) }
    return scores
  }
}
