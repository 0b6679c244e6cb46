internal import Glibc
internal import Model

// What takes longer: services themselves, the way to them, and everything at once.
extension CauseSearch {
  /// Load counts as a change of its own from this ratio on.
  private static let loadRatioMin = 1.3

  mutating func findLoad() {
    for entry in entries {
      guard let before = base.nodes[entry]?.origins, let after = current.nodes[entry]?.origins,
        let change = MeanChange(arrivals(before), arrivals(after)), change.before > 0
      else { continue }
      let ratio = change.after / change.before
      guard change.deviation > CauseSearch.deviationMin, ratio > CauseSearch.loadRatioMin else {
        continue
      }
      note(
        .load, entry,
        evidence(.requestRate, change, before: before.count, after: after.count))
    }
  }

  /// Arrivals by window, a second.
  private func arrivals(_ stretch: Observations) -> Observations {
    var arrivals = Observations(windows: stretch.counts.count)
    arrivals.counts = stretch.counts.map { _ in 1 }
    arrivals.sums = stretch.counts.map { $0 / base.seconds }
    return arrivals
  }

  var hasLoad: Bool { findings.keys.contains { $0.kind == .load } }

  /// As many services at least have to tell, and as large a share of them to agree, for a change to be
  /// everybody's.
  private static let sharedServicesMin = 5
  private static let sharedShareMin = 0.7

  /// What changed everywhere is nobody's own.
  mutating func findShared() {
    let changes = current.nodes.keys.compactMap { selfTimeChange($0) }
    guard changes.count >= CauseSearch.sharedServicesMin else { return }
    let slower = changes.filter {
      $0.deviation > CauseSearch.deviationMin && $0.logRatio > CauseSearch.timeRatioMin
    }
    guard Double(slower.count) >= CauseSearch.sharedShareMin * Double(changes.count) else { return }
    let ratios = changes.map(\.logRatio).sorted()
    shared = ratios[ratios.count / 2]
    var added = 0.0
    for node in current.nodes.keys {
      guard let change = selfTimeChange(node) else { continue }
      added += change.before * (exp(shared) - 1) * rate(node)
    }
    let kind: RootCause.Kind = hasLoad ? .load : .platform
    let node = hasLoad ? loadNode : .none
    note(
      kind, node,
      CauseEvidence(
        metric: .selfTime, other: .none, before: 1, after: exp(shared),
        deviation: slower.map(\.deviation).min() ?? 0, eventsBefore: Double(changes.count),
        eventsAfter: Double(slower.count)), time: added)
  }

  private var loadNode: NameID {
    findings.keys.filter { $0.kind == .load }.map(\.node).max { rate($0) < rate($1) } ?? .none
  }

  func selfTimeChange(_ node: NameID) -> MeanChange? {
    guard let before = base.nodes[node]?.selfTime, let after = current.nodes[node]?.selfTime else {
      return nil
    }
    return MeanChange(before, after)
  }

  mutating func findSelfTimes() {
    for node in current.nodes.keys.sorted() {
      guard let change = selfTimeChange(node), let before = base.nodes[node]?.selfTime,
        let after = current.nodes[node]?.selfTime
      else { continue }
      let own = ownDifference(node, change)
      let weight = change.difference != 0 ? own / change.difference : 0
      let deviation = change.deviation * max(0, min(1, weight))
      guard deviation.magnitude > CauseSearch.deviationMin,
        change.before > 0, own.magnitude > CauseSearch.timeRatioMin * change.before
      else { continue }
      let found = evidence(.selfTime, change, before: before.count, after: after.count)
      if own > 0 {
        note(.selfTime, node, found, time: own * rate(node))
      } else if own < -CauseSearch.fasterMin * change.before, !failsMore(node) {
        // Who answers much sooner than ever may not do what was asked.
        let share = CauseSearch.fasterWeight * (-own / change.before)
        note(.structure, node, found, lostCalls: share * rate(node))
      }
    }
  }

  private func failsMore(_ node: NameID) -> Bool {
    guard let before = base.nodes[node]?.errors, let after = current.nodes[node]?.errors,
      let change = ShareChange(before, after)
    else { return false }
    return change.deviation > CauseSearch.deviationMin
  }

  private static let fasterMin = 0.2
  private static let fasterWeight = 0.3

  /// What of a change is neither everybody's nor due to other operations being asked for.
  func ownDifference(_ node: NameID, _ change: MeanChange) -> Double {
    let everybodys = change.before * (exp(shared) - 1)
    return change.difference - everybodys - (mixDifference(node, \.selfTime) ?? 0)
  }

  /// How much of a change of a node's mean other operations being asked for bring about; nil where its
  /// operations are not known.
  func mixDifference(
    _ node: NameID, _ metric: KeyPath<SystemHistory.NodeHistory, Observations>
  ) -> Double? {
    guard let before = base.nodes[node]?[keyPath: metric].count,
      let after = current.nodes[node]?[keyPath: metric].count, before > 0, after > 0,
      let operations = current.operationsOf[node]
    else { return nil }
    return operations.reduce(0.0) { mix, operation in
      guard let first = base.operations[operation]?[keyPath: metric],
        let second = current.operations[operation]?[keyPath: metric], let mean = first.mean
      else { return mix }
      return mix + (second.count / after - first.count / before) * mean
    }
  }

  /// A gap counts only from this on, milliseconds.
  private static let gapMin = 0.05

  /// An edge whose gap grew.
  private struct MovedEdge {
    var edge: SystemHistory.Edge
    var change: MeanChange
    var counts: (Double, Double)
  }

  mutating func findGaps() {
    var moved: [MovedEdge] = []
    var known: Set<SystemHistory.Edge> = []
    for (edge, after) in current.edges {
      guard let before = base.edges[edge], let change = MeanChange(before.gap, after.gap) else {
        continue
      }
      known.insert(edge)
      guard change.deviation > CauseSearch.deviationMin, change.difference > CauseSearch.gapMin,
        change.difference > CauseSearch.timeRatioMin * change.before
      else { continue }
      moved.append(
        MovedEdge(edge: edge, change: change, counts: (before.gap.count, after.gap.count)))
    }
    let movedEdges = Set(moved.map(\.edge))
    for found in moved.sorted(by: {
      ($0.edge.client, $0.edge.server) < ($1.edge.client, $1.edge.server)
    }) {
      let owner = owner(of: found.edge, moved: movedEdges, known: known)
      let calls = (current.edges[found.edge]?.gap.count ?? 0) / currentSeconds
      let time = max(0, found.change.difference - found.change.before * (exp(shared) - 1)) * calls
      let evidence = evidence(
        .gap, found.change,
        other: owner == found.edge.server ? found.edge.client : found.edge.server,
        before: found.counts.0, after: found.counts.1)
      if hasLoad {
        note(.load, loadNode, evidence, time: time)
      } else if owner == found.edge.server, let deeper = deeperCause(of: owner) {
        note(deeper.kind, deeper.node, evidence, time: time)
      } else {
        note(.edgeGap, owner, evidence, time: time)
      }
    }
  }

  /// The callee's where most of its incoming gaps moved, the caller's where only most of its outgoing
  /// ones did.
  private func owner(
    of edge: SystemHistory.Edge, moved: Set<SystemHistory.Edge>, known: Set<SystemHistory.Edge>
  ) -> NameID {
    let incoming = known.filter { $0.server == edge.server }
    let outgoing = known.filter { $0.client == edge.client }
    let incomingShare = Double(incoming.count { moved.contains($0) }) / Double(incoming.count)
    let outgoingShare = Double(outgoing.count { moved.contains($0) }) / Double(outgoing.count)
    if incoming.count > 1 {
      if incomingShare > 0.5 { return edge.server }
      return outgoing.count > 1 && outgoingShare > 0.5 ? edge.client : edge.server
    }
    return outgoing.count > 1 && outgoingShare > 0.5 ? edge.client : edge.server
  }

  /// What below a node takes longer itself, the most added time first: while a service waits for it, its
  /// own workers are taken and requests queue before it.
  func deeperCause(of node: NameID) -> Candidate? {
    let below = reachable(from: node, by: callees)
    return findings.filter {
      $0.key.kind == .selfTime && $0.value.time > 0
        && (below.contains($0.key.node) || $0.key.node == node)
    }.max {
      $0.value.time != $1.value.time
        ? $0.value.time < $1.value.time : $0.key.node < $1.key.node
    }?.key
  }

  func reachable(from node: NameID, by next: [NameID: Set<NameID>]) -> Set<NameID> {
    var seen: Set<NameID> = []
    var waiting = Array(next[node] ?? [])
    while let other = waiting.popLast() {
      if seen.insert(other).inserted { waiting += next[other] ?? [] }
    }
    return seen
  }

  func evidence(
    _ metric: CauseEvidence.Metric, _ change: MeanChange, other: NameID = .none, before: Double,
    after: Double
  ) -> CauseEvidence {
    CauseEvidence(
      metric: metric, other: other, before: change.before, after: change.after,
      deviation: change.deviation, eventsBefore: before, eventsAfter: after)
  }
}
