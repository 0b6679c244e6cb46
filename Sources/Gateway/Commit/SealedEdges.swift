import Model

/// The sum of all sealed edges, and of spans by whether they have a partner. Bounded in series: beyond
/// the bound new edges are summed under one.
///
/// Nothing in it falls, as readers of counters expect. A trace may take back what another one counted: what
/// came to be too much is owed, and set against what comes later.
struct SealedEdges: Sendable {
  private let seriesMax: Int
  /// As many series at most.
  private var owed: [SeriesKey: Sums] = [:]
  private(set) var window = Window()
  /// Spans that are ends of edges, of all tenants.
  private(set) var paired: Int64 = 0
  /// Spans without a partner, of all tenants.
  private(set) var unpaired: [UnpairedReason: Int64] = [:]

  init(seriesMax: Int) { self.seriesMax = seriesMax }

  /// The key of the edge that takes what finds no room.
  static let overflowKey: SeriesKey = {
    let node = overflowName.id
    return .edge(node, node, .direct)
  }()

  static let overflowName = Name(
    tenant: .standard, kind: .service, text: NodeIdentity(name: Name.overflowText).text)

  mutating func add(_ sums: WindowSums) {
    for part in sums.windows.values {
      for (key, sum) in part.series {
        if key.kind == .unpaired,
          let reason = UInt8(exactly: key.second).flatMap(UnpairedReason.init(rawValue:))
        {
          unpaired[reason, default: 0] &+= sum.counters[.requests]
        }
        if key.kind == .coverage, key.second == SeriesKey.pairedPart {
          paired &+= sum.counters[.requests]
        }
        guard key.kind == .edge else { continue }
        let hasRoom = window.series[key] != nil || window.series.count < seriesMax
        add(sum, at: hasRoom ? key : SealedEdges.overflowKey)
      }
    }
  }

  private mutating func add(_ sums: Sums, at key: SeriesKey) {
    var due = sums
    if let debt = owed.removeValue(forKey: key) { due.merge(debt) }
    let debt = due.removeNegative()
    window.merge(due, at: key)
    // What is taken back may be sealed before what it was taken from.
    if let debt, owed.count < seriesMax { owed[key] = debt }
  }
}

extension Sums {
  /// Removes all that is below zero; nil where nothing is.
  fileprivate mutating func removeNegative() -> Sums? {
    var debt = Sums()
    debt.counters.lanes = counters.lanes.replacing(with: 0, where: counters.lanes .> 0)
    debt.latency = latency.removeNegative()
    debt.clientLatency = clientLatency.removeNegative()
    debt.ownTime = ownTime.removeNegative()
    guard !debt.isZero else { return nil }
    counters.merge(debt.counters, sign: -1)
    return debt
  }
}

extension Histogram {
  /// Removes the buckets below zero, and the sum where it is.
  fileprivate mutating func removeNegative() -> Histogram {
    guard buckets.contains(where: { $0.weight < 0 }) else { return Histogram() }
    let debt = Histogram(buckets: buckets.filter { $0.weight < 0 }, sumNanos: min(sumNanos, 0))
    guard let debt else { return Histogram() }
    merge(debt, sign: -1)
    return debt
  }
}
