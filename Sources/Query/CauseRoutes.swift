import Graph
import Hummingbird
import Impact
import Model

/// The routes that say where it began.
enum CauseRoutes {
  static let all = [rootCauses, ShiftRoutes.shifts]

  /// A change is named as what may have brought a cause about from so long before the range on.
  static let markerBeforeNanos: Nanos = 15 * .minute
  static let markersMax = 1_000
  /// The base is this long unless it is said.
  private static let baseDefaultNanos: Nanos = .hour

  static let rootCauses = Route(
    method: .get, path: "/api/v1/root-causes",
    summary:
      "Where it began that a system is worse than before, most likely first: time a service takes "
      + "itself, gaps of edges, errors that began somewhere, calls no longer made, load. Both ranges "
      + "are widened to whole minutes.",
    parameters: GraphRoutes.rangeParameters + [
      QueryParameter(
        name: "base_start", shape: .time,
        summary: "Begin of the range compared with; an hour before its end."),
      QueryParameter(
        name: "base_end", shape: .time, summary: "End of the range compared with; `start`."),
    ],
    answers: [.json], schema: "RootCauses"
  ) { call in
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let base = reader.range(
      now: max(range.lowerBound, 1), call.configuration, names: ("base_start", "base_end"),
      defaultNanos: baseDefaultNanos)
    let environment = reader.optionalPart("environment")
    try reader.finish()
    let compared = try await call.compared(
      range, base: base,
      kinds: [.node, .operation, .edge, .call, .answered, .unreached])
    let isIncluded = { (key: SeriesKey) in
      environment.map { isAbout(key, $0, compared.names) } ?? true
    }
    let causes = RootCauses(
      base: compared.base.windows.map { $0.including(isIncluded) },
      current: compared.current.windows.map { $0.including(isIncluded) },
      seconds: Double(compared.width) / Double(Nanos.second)
    ).causes
    let markers = try await call.backend.markers(
      MarkerFilter(
        tenant: call.tenant,
        start: compared.current.start.saturatingSubtracting(markerBeforeNanos),
        end: compared.current.end, environment: environment, countMax: markersMax))
    let document = CausesDocument(compared: compared, causes: causes, markers: markers)
    return Answer(.json, document.json.bytes)
  }

  /// Whether a series is about something in an environment; what belongs to none is in all.
  static func isAbout(
    _ key: SeriesKey, _ environment: String, _ names: [NameID: Name]
  ) -> Bool {
    guard let name = names[NameID(key.first)] else { return true }
    let node = name.kind.isNode ? name : names[name.scope]
    return node.map { NodeIdentity(text: $0.text).environment == environment } ?? true
  }
}

extension Window {
  func including(_ isIncluded: (SeriesKey) -> Bool) -> Window {
    var window = Window()
    for (key, sums) in series where isIncluded(key) { window.merge(sums, at: key) }
    return window
  }
}
