internal import Glibc
internal import Model

// From amounts of several kinds to one order.
extension CauseSearch {
  /// From this on the whole is as bad as it gets: requests that take a tenth longer, one in a hundred that
  /// fails, a twentieth of the calls lost.
  private static let timeWorst = 0.1
  private static let failuresWorst = 0.01
  private static let lostWorst = 0.05

  func ranked() -> [RootCause] {
    let time = findings.values.reduce(0) { $0 + $1.time }
    let failures = findings.values.reduce(0) { $0 + $1.failures }
    let lost = findings.values.reduce(0) { $0 + $1.lostCalls }
    let entries = entries
    let requests = max(1e-9, entries.reduce(0) { $0 + rate($1) })
    let spent = entries.reduce(0.0) {
      $0 + (base.nodes[$1]?.latency.mean ?? 0) * rate($1)
    }
    let timeWeight = spent > 0 ? min(1, time / spent / CauseSearch.timeWorst) : 0
    let failuresWeight = min(1, failures / requests / CauseSearch.failuresWorst)
    let lostWeight = min(1, lost / requests / CauseSearch.lostWorst)
    var scores: [(candidate: Candidate, amounts: Amounts, score: Double)] = []
    for (candidate, amounts) in findings {
      var score = 0.0
      if time > 0 { score += timeWeight * amounts.time / time }
      if failures > 0 { score += failuresWeight * amounts.failures / failures }
      if lost > 0 { score += lostWeight * amounts.lostCalls / lost }
      if candidate.kind == .load, score == 0 { score = CauseSearch.bareLoadScore }
      if score > 0 { scores.append((candidate, amounts, score)) }
    }
    let all = scores.reduce(0) { $0 + $1.score }
    scores.sort {
      if $0.score != $1.score { return $0.score > $1.score }
      return ($0.candidate.node, $0.candidate.kind.rawValue)
        < ($1.candidate.node, $1.candidate.kind.rawValue)
    }
    return scores.map { found in
      RootCause(
        kind: found.candidate.kind, node: found.candidate.node, score: found.score,
        confidence: found.score / all,
        evidence: found.amounts.evidence.sorted { $0.deviation.magnitude > $1.deviation.magnitude },
        path: path(to: found.candidate.node, from: entries),
        affected: affected(by: found.candidate.node))
    }
  }

  /// More requests that slow nothing down are worth a mention.
  private static let bareLoadScore = 0.01

  /// The shortest way of calls from an entry, over the edges with most requests.
  private func path(to node: NameID, from entries: [NameID]) -> [NameID] {
    guard !node.isNone else { return [] }
    var next: [NameID: NameID] = [:]
    var seen: Set<NameID> = [node]
    var layer = [node]
    let isEntry = Set(entries)
    while !layer.isEmpty {
      let reached = layer.filter { isEntry.contains($0) }
      if var step = reached.max(by: { rate($0) != rate($1) ? rate($0) < rate($1) : $0 < $1 }) {
        var path = [step]
        while let following = next[step] {
          path.append(following)
          step = following
        }
        return path
      }
      var above: [NameID] = []
      for step in layer.sorted() {
        for caller in (callers[step] ?? []).sorted() where seen.insert(caller).inserted {
          next[caller] = step
          above.append(caller)
        }
      }
      layer = above
    }
    return [node]
  }

  /// Nodes upstream whose requests take longer or fail more often.
  func affected(by node: NameID) -> [NameID] {
    reachable(from: node, by: callers).filter { caller in
      guard caller != node, let before = base.nodes[caller], let after = current.nodes[caller]
      else {
        return false
      }
      let isSlower =
        MeanChange(before.latency, after.latency).map {
          $0.deviation > CauseSearch.deviationMin
        } ?? false
      let failsMore =
        ShareChange(before.errors, after.errors).map {
          $0.deviation > CauseSearch.deviationMin
        } ?? false
      return isSlower || failsMore
    }.sorted()
  }
}
