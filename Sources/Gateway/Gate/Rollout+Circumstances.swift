import Graph
import Impact
import Model
import Query
import Store

extension Rollout {
  private static let kinds: Set<SeriesKind> = [
    .node, .operation, .version, .edge, .instance, .answered, .unreached,
  ]

  /// What else happened about the service from an hour before the change until now.
  func circumstances(in engine: Engine, tenant: TenantID, until: Nanos) async throws
    -> Circumstances
  {
    let from = start.saturatingSubtracting(RolloutWindows.historyNanos)
    let around = try await engine.graphInput(from: from, to: until, kinds: Rollout.kinds)
    let nodes = Circumstances.nodes(
      around: service.id, in: around.window,
      controls: Controls.of(service.id, in: around.window, names: around.names))
    let selection = Circumstances.selection(of: service.id, and: nodes, in: around.window)
    let series = around.window.series.keys.count { selection.contains($0) }
    let tile = try await circumstancesWidth(
      in: engine, from: from, until: until, series: series)
    let width = tile.nanos
    let begin = from.floored(to: width)
    let read = try await engine.windows(selection, from: begin, to: until, by: tile)
    let windows = stride(from: begin, to: until, by: Int(width)).map {
      read.sums.windows[$0] ?? Window()
    }
    let names = read.names.merging(around.names) { recent, _ in recent }
    let markers = try await engine.onStore {
      try $0.markers(MarkerFilter(tenant: tenant, start: from, end: until))
    }
    var search = CircumstanceSearch(
      CircumstanceSearch.Subject(
        service: service.id, version: version.isNone ? marker?.version ?? "" : versionText,
        marker: marker, start: start, baseline: baseline ?? .none, baselineText: baselineText),
      in: CircumstanceSearch.Stretch(start: begin, width: width, windows: windows), names: names,
      label: { names[$0].flatMap(NodeLabel.id) ?? "" })
    return search.run(markers)
  }

  /// As fine as is kept, and so wide that there is not too much to read.
  private func circumstancesWidth(
    in engine: Engine, from: Nanos, until: Nanos, series: Int
  ) async throws -> TileWidth {
    let kept = try await engine.finestWidth(at: from)
    let length = until.saturatingSubtracting(from)
    let countMax = Nanos(Circumstances.windowsMax(series: series))
    let fitting = TileWidth.allCases.first { length / $0.nanos <= countMax } ?? .hour
    return max(kept, fitting)
  }
}
