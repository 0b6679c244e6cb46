public import Model

extension Circumstances {
  /// More nodes are not looked at: those called most come first.
  public static let nodesMax = 32

  /// How many windows may be read of so many series.
  public static func windowsMax(series: Int) -> Int {
    min(max(sumsMax / max(series, 1), 1), windowsMax)
  }

  /// What is read of the nodes: of the service itself everything, of the others their operations as long
  /// as there are few.
  /// - Parameter window: the series there are, merged.
  public static func selection(
    of service: NameID, and nodes: Set<NameID>, in window: Window
  ) -> SeriesSelection {
    let ids = Set(nodes.map(\.raw))
    let own: SeriesSelection.Part = .first([service.raw])
    let operations = window.series.keys.count { $0.kind == .operation && ids.contains($0.first) }
    return SeriesSelection([
      .node: .first(ids), .edge: .first(ids),
      .operation: operations <= operationsMax ? .first(ids) : own, .version: own, .instance: own,
      .answered: .all, .unreached: .all,
    ])
  }

  /// The nodes whose windows tell what happened about a service: itself, what it calls through however
  /// many others, those that call it, and some it has nothing to do with.
  /// - Parameters:
  ///   - window: nodes and edges of some time around the change, merged.
  ///   - controls: services the change cannot have touched.
  public static func nodes(
    around service: NameID, in window: Window, controls: [NameID]
  ) -> Set<NameID> {
    var callees: [NameID: [(node: NameID, requests: Int64)]] = [:]
    var callers: Set<NameID> = []
    for (key, sums) in window.series where key.kind == .edge {
      let (client, server) = (NameID(key.first), NameID(key.second))
      callees[client, default: []].append((server, sums.counters[.requests]))
      if server == service { callers.insert(client) }
    }
    var found: Set<NameID> = [service]
    var layer = [service]
    // The nearest and busiest first, as far as there is room.
    while !layer.isEmpty, found.count < nodesMax {
      var next: [(node: NameID, requests: Int64)] = []
      for node in layer { next += callees[node] ?? [] }
      next.sort { first, second in
        if first.requests != second.requests { return first.requests > second.requests }
        return first.node < second.node
      }
      layer = []
      for callee in next where found.count < nodesMax && found.insert(callee.node).inserted {
        layer.append(callee.node)
      }
    }
    return found.union(callers.sorted().prefix(nodesMax)).union(controls.prefix(nodesMax))
  }
}
