import Foundation

/// How often the truth is among the first causes, by kind of fault.
struct RootCauseTable {
  let trials: [RootCauseTrial]
  let healthy: [RootCauseTrial]

  private static let depths = [1, 3, 5]

  func text(title: String) -> String {
    var lines = [row([title, "cases", "AC@1", "AC@3", "AC@5"])]
    for kind in Set(trials.map(\.kind)).sorted() {
      lines.append(row(kind, trials.filter { $0.kind == kind }))
    }
    lines.append(row("all", trials))
    if !healthy.isEmpty {
      lines.append(
        row(["healthy, something found", "\(healthy.count)", percent(falseShare), "", ""]))
    }
    return lines.joined(separator: "\n") + "\n"
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
    row(
      [name, "\(trials.count)"]
        + RootCauseTable.depths.map { percent(RootCauseTable.share(of: trials, among: $0)) })
  }

  private func row(_ cells: [String]) -> String { TableText.row(cells) }
  private func percent(_ share: Double) -> String { TableText.percent(share) }
}
