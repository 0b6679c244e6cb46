import Graph
import Impact
import Model

/// What became of one service over a week, with its names.
struct WeekReport: Sendable {
  var service: Name
  var week: ServiceWeek
}

/// Reads what is stored of one service over a week.
struct WeekInquiry {
  let call: Call
  let range: Range<Nanos>
  let environment: String?

  init(_ call: Call, _ range: Range<Nanos>, environment: String?) {
    self.call = call
    self.range = range
    self.environment = environment
  }

  private static let kinds = SystemHealth.kinds.union([.version, .call, .unreached])
  private static let markersMax = 1_000
  private static let verdictsMax = 1_000

  /// - Errors: the service was not seen in the range, or runs in several environments.
  func report() async throws -> WeekReport {
    let compared = try await call.compared(
      range, base: range.lowerBound.saturatingSubtracting(.day)..<max(range.lowerBound, 1),
      kinds: WeekInquiry.kinds)
    let seen = compared.names.values.filter { name in
      guard name.kind == .service else { return false }
      return environment.map { $0 == NodeIdentity(text: name.text).environment } ?? true
    }
    let service = try call.service(among: seen.sorted { $0.text < $1.text })
    let identity = NodeIdentity(text: service.text)
    var filter = MarkerFilter(
      tenant: call.tenant, start: compared.current.start, end: compared.current.end,
      service: identity.name, countMax: WeekInquiry.markersMax)
    let own = try await call.backend.markers(filter).filter { $0.concerns(identity) }
    filter.service = nil
    filter.kind = .incident
    let everywhere = try await call.backend.markers(filter).filter(\.service.isEmpty)
    let verdicts = try await call.backend.verdicts(
      VerdictFilter(
        tenant: call.tenant, start: compared.current.start, end: .max,
        service: NodeLabel.id(of: service), countMax: WeekInquiry.verdictsMax)
    ).filter { verdict in
      verdict.rollout
        == RolloutID(
          tenant: verdict.tenant, service: verdict.service, environment: identity.environment,
          version: verdict.version)
    }
    let objective = call.configuration.objectives(of: [service])[service.id]
    let week = ServiceWeek(
      ServiceWeek.Facts(
        service: service.id, windows: compared.current.windows, dayBefore: compared.base.windows,
        start: compared.current.start, width: compared.width, markers: own + everywhere,
        verdicts: verdicts, errorsTolerated: call.configuration.errorsTolerated,
        objective: objective))
    return WeekReport(service: service, week: week)
  }
}
