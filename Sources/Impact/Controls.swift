public import Model

/// The services a change cannot have touched: those that neither call the one that changed, nor
/// are called by it, through however many others.
public enum Controls {
  /// More of them say little more.
  public static let countMax = 24

  /// - Parameters:
  ///   - window: nodes and edges of some time around the change, merged.
  ///   - names: of the nodes.
  /// - Returns: the busiest first.
  public static func of(
    _ service: NameID, in window: Window, names: [NameID: Name]
  ) -> [NameID] {
    var callees: [UInt64: [UInt64]] = [:]
    var callers: [UInt64: [UInt64]] = [:]
    var traces: [UInt64: Int64] = [:]
    for (key, sums) in window.series {
      switch key.kind {
      case .edge:
        callees[key.first, default: []].append(key.second)
        callers[key.second, default: []].append(key.first)
      case .node where names[NameID(key.first)]?.kind == .service:
        traces[key.first] = sums.counters[.traces]
      default: break
      }
    }
    let touched = reached(from: service.raw, callees).union(reached(from: service.raw, callers))
    let own = names[service]
    let candidates = traces.filter { id, count in
      let name = names[NameID(id)]
      return count > 0 && !touched.contains(id) && name?.tenant == own?.tenant
        && name.map(environment) == own.map(environment)
    }
    return candidates.sorted { a, b in a.value != b.value ? a.value > b.value : a.key < b.key }
      .prefix(countMax).map { NameID($0.key) }
  }

  private static func environment(_ name: Name) -> String {
    NodeIdentity(text: name.text).environment
  }

  private static func reached(
    from start: UInt64, _ neighbours: [UInt64: [UInt64]]
  ) -> Set<UInt64> {
    var seen: Set<UInt64> = [start]
    var waiting = [start]
    while let next = waiting.popLast() {
      for neighbour in neighbours[next] ?? [] where seen.insert(neighbour).inserted {
        waiting.append(neighbour)
      }
    }
    return seen
  }
}
