import Foundation
import Impact

/// What attribution says, held against simulated truths: how often the likeliest is right, and whether
/// probabilities mean what they say.
struct AttributionTable {
  let trials: [AttributionTrial]

  /// The share of runs in which the likeliest hypothesis is the truth.
  var rightShare: Double { share { $0.isRight } }

  /// The share of runs of harm in which it is told apart whether this deployment did it.
  var toldApartShare: Double {
    let harmed = trials.filter { $0.truth != .noise }
    return harmed.isEmpty ? 0 : 1 - Double(harmed.count { $0.isConfused }) / Double(harmed.count)
  }

  /// Ten bins of the probability of this deployment: how many, the mean said, the share that came true.
  var reliability: [(range: String, count: Int, said: Double, true: Double)] {
    (0..<10).map { bin in
      let within = trials.filter { min(9, Int($0.thisDeployment * 10)) == bin }
      let count = Double(max(1, within.count))
      return (
        "\(bin * 10) to \(bin * 10 + 10) %", within.count,
        within.reduce(0) { $0 + $1.thisDeployment } / count,
        Double(within.count { $0.truth == .thisDeployment }) / count
      )
    }
  }

  /// The mean distance of what was said and what came true, over the bins, weighted by their counts.
  /// - Source: Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning, 2015.
  var calibrationError: Double {
    guard !trials.isEmpty else { return 0 }
    return reliability.reduce(0) { $0 + Double($1.count) * abs($1.said - $1.true) }
      / Double(trials.count)
  }

  /// The mean square of the probability's distance from what came true.
  /// - Source: Brier, Verification of Forecasts Expressed in Terms of Probability, 1950.
  var brierScore: Double {
    guard !trials.isEmpty else { return 0 }
    return trials.reduce(0) {
      let distance = $1.thisDeployment - ($1.truth == .thisDeployment ? 1 : 0)
      return $0 + distance * distance
    } / Double(trials.count)
  }

  func lines(title: String) -> [String] {
    var lines = [TableText.heading("\(title): the likeliest hypothesis is the truth")]
    var names: [String] = []
    for trial in trials where !names.contains(trial.name) { names.append(trial.name) }
    for name in names {
      let table = AttributionTable(trials: trials.filter { $0.name == name })
      let truth = table.trials[0].truth.rawValue.replacing("_", with: " ")
      lines.append(table.row("\(name) (\(truth))"))
    }
    return lines + [
      row("all"),
      TableText.row(
        .init(name: "cause and coincidence told apart", right: toldApartShare)),
      TableText.heading("\(title): calibration of \"this deployment\", said and true"),
    ]
      + reliability.filter { $0.count > 0 }.map {
        TableText.row(.init(name: $0.range, runs: $0.count, right: $0.true, said: $0.said))
      } + [
        TableText.figure("expected calibration error", decimals(calibrationError)),
        TableText.figure("Brier score", decimals(brierScore)),
      ]
  }

  private func row(_ name: String) -> String {
    let mean = trials.reduce(0) { $0 + $1.thisDeployment } / Double(max(1, trials.count))
    return TableText.row(.init(name: name, runs: trials.count, right: rightShare, said: mean))
  }

  func shortfalls(of floors: AccuracyFloors.Attribution) -> [String] {
    var shortfalls: [String] = []
    if rightShare < floors.rightMin {
      shortfalls.append(
        "attribution: the likeliest hypothesis is the truth in \(percent(rightShare)) of runs, the "
          + "floor is \(percent(floors.rightMin))")
    }
    if toldApartShare < floors.toldApartMin {
      shortfalls.append(
        "attribution: cause and coincidence are told apart in \(percent(toldApartShare)) of runs, the "
          + "floor is \(percent(floors.toldApartMin))")
    }
    if calibrationError > floors.calibrationErrorMax {
      shortfalls.append(
        "attribution: the expected calibration error is \(decimals(calibrationError)), at most "
          + "\(decimals(floors.calibrationErrorMax)) is allowed")
    }
    return shortfalls
  }

  private func share(_ condition: (AttributionTrial) -> Bool) -> Double {
    trials.isEmpty ? 0 : Double(trials.count(where: condition)) / Double(trials.count)
  }

  private func percent(_ share: Double) -> String { TableText.percent(share) }
  private func decimals(_ number: Double) -> String { "\((number * 1_000).rounded() / 1_000)" }
}
