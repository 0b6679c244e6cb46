import Graph
import Hummingbird
import Impact
import Model

/// The route that says when something went over to another level.
enum ShiftRoutes {
  /// What a level is known from before the range: this often its length, and at least so long.
  private static let historyRatio: Nanos = 3
  private static let historyMin: Nanos = 45 * .minute
  /// So many earlier days say what is usual at this time of day.
  private static let daysCount: Nanos = 6
  private static let day: Nanos = 24 * .hour
  private static let kinds: Set<SeriesKind> = [
    .node, .operation, .version, .edge, .call, .answered, .unreached,
  ]

  static let shifts = Route(
    method: .get, path: "/api/v1/shifts",
    summary:
      "When and where something went over to another level: time a service takes itself, gaps of "
      + "edges, errors that began somewhere, calls no longer made, requests. Each with its onset, its "
      + "size, both with an interval, what explains it, and where it began.",
    parameters: GraphRoutes.rangeParameters + [
      QueryParameter(
        name: "service", shape: .text, summary: "Only at this service: a name or an id.")
    ],
    answers: [.json], schema: "Shifts"
  ) { call in
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let environment = reader.optionalPart("environment")
    let service = reader.text("service")
    try reader.finish()
    let length = range.upperBound - range.lowerBound
    let history = max(historyMin, length > .max / historyRatio ? .max : historyRatio * length)
    let first = range.lowerBound.floored(to: .minute)
    let compared = try await call.backend.compared(
      tenant: call.tenant, base: first.saturatingSubtracting(history)..<first, current: range,
      kinds: kinds, atLeast: .tenSeconds)
    var names = compared.names
    let windows = compared.base.windows + compared.current.windows
    let days = try await earlierDays(compared, call, &names)
    let known = names.values.filter { name in
      environment.map { $0 == NodeIdentity(text: name.text).environment } ?? true
    }
    let nodes =
      try service.map { try NodeLabel.nodes(named: $0, among: known) } ?? Set(known.map(\.id))
    let shifts = Shifts(
      windows, seconds: Double(compared.width) / Double(Nanos.second),
      from: compared.base.windows.count, days: days,
      isIncluded: nodes.contains)
    let markers = try await call.backend.markers(
      MarkerFilter(
        tenant: call.tenant,
        start: compared.current.start.saturatingSubtracting(CauseRoutes.markerBeforeNanos),
        end: compared.current.end, environment: environment, countMax: CauseRoutes.markersMax))
    let document = ShiftsDocument(
      start: compared.current.start, end: compared.current.end, historyStart: compared.base.start,
      width: compared.width, shifts: shifts, names: names, markers: markers)
    return Answer(.json, document.json.bytes)
  }

  /// The days before over the same time of day, two at a time, in windows of ten minutes.
  private static func earlierDays(
    _ today: ComparedWindows, _ call: Call, _ names: inout [NameID: Name]
  ) async throws -> Shifts.EarlierDays {
    let start = today.base.start.floored(to: TileWidth.tenMinutes.nanos)
    let end = today.current.end
    guard end - start <= day else { return Shifts.EarlierDays() }
    var days: [[Window]] = []
    for pair in stride(from: Nanos(1), to: daysCount, by: 2) {
      let later = pair * day
      let earlier = later + day
      guard start >= earlier else { break }
      let read = try await call.backend.compared(
        tenant: call.tenant, base: start - earlier..<end - earlier,
        current: start - later..<end - later, kinds: [.node, .operation, .version, .edge, .call],
        atLeast: .tenMinutes)
      guard read.width == TileWidth.tenMinutes.nanos else { break }
      names.merge(read.names) { known, _ in known }
      days += [read.current.windows, read.base.windows].filter { day in
        day.contains { !$0.isEmpty }
      }
    }
    return Shifts.EarlierDays(
      days, seconds: Double(TileWidth.tenMinutes.nanos / .second),
      lead: Double((today.base.start - start) / .second))
  }
}
