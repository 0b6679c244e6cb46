import Foundation

/// How often the truth is among the first causes, by kind of fault.
struct RootCauseTable {
  let trials: [RootCauseTrial]
  let healthy: [RootCauseTrial]

  private static let depths = [1, 3, 5]

  func lines(title: String) -> [String] {
    var lines = [TableText.heading(title)]
    for kind in Set(trials.map(\.kind)).sorted() {
      lines.append(row(kind, trials.filter { $0.kind == kind }))
    }
    lines.append(row("all", trials))
    if !healthy.isEmpty {
      lines.append(
        TableText.row(
          .init(name: "healthy, something found", runs: healthy.count, wrong: falseShare)))
    }
    return lines
  }

  var falseShare: Double {
    healthy.isEmpty ? 0 : Double(healthy.count { !$0.found.isEmpty }) / Double(healthy.count)
  }

  func share(among depth: Int) -> Double {
    RootCauseTable.share(of: trials, among: depth)
  }

  func shortfalls(of floors: AccuracyFloors.RootCauses) -> [String] {
    var shortfalls: [String] = []
    for (depth, least) in zip(
      RootCauseTable.depths, [floors.firstMin, floors.firstThreeMin, floors.firstFiveMin])
    where share(among: depth) < least {
      shortfalls.append(
        "root causes: \(percent(share(among: depth))) of the truths are among the first \(depth), "
          + "the floor is \(percent(least))")
    }
    if falseShare > floors.falseMax {
      shortfalls.append(
        "root causes: something is found in \(percent(falseShare)) of healthy systems, at most "
          + "\(percent(floors.falseMax)) is allowed")
    }
    return shortfalls
  }

  private static func share(of trials: [RootCauseTrial], among depth: Int) -> Double {
    let found = trials.count { ($0.rank ?? .max) < depth }
    return trials.isEmpty ? 0 : Double(found) / Double(trials.count)
  }

  private func row(_ name: String, _ trials: [RootCauseTrial]) -> String {
    let shares = RootCauseTable.depths.map { RootCauseTable.share(of: trials, among: $0) }
    return TableText.row(
      .init(
        name: name, runs: trials.count, right: shares[0], three: shares[1], five: shares[2]))
  }

  private func percent(_ share: Double) -> String { TableText.percent(share) }
}
