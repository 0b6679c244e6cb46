public import Model

extension Circumstances {
  /// More nodes are not looked at: those called most come first.
  public static let nodesMax = 32

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
