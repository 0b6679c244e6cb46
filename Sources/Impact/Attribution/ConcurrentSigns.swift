internal import Glibc
internal import Model

/// What two versions side by side tell about whose doing it is.
///
/// What is not the new version's doing reaches the old one as well. So a new version that is worse than the
/// old one speaks for the change, and an old version that got worse against itself for anything else.
struct ConcurrentSigns {
  private let harm: Double
  private let alike: Double
  /// By how many standard errors the old version is worse than before the change, by errors or latency;
  /// nil where it cannot be told.
  private let oldDeviation: Double?
  /// Requests since the change against before, and in standard errors.
  private let load: MeanChange?
  private let version: String
  private let baseline: String

  init(_ question: ConcurrentQuestion) {
    version = question.version
    baseline = question.baseline
    var comparison = ConcurrentComparison(
      settings: question.settings, history: question.history, announced: question.announced,
      deadline: question.deadline)
    let windows = question.windows.sorted { $0.start < $1.start }
    for window in windows { comparison.add(window) }
    let shift = comparison.latency.shift
    let isComparable = comparison.pairedWindows > 0 && comparison.void == nil
    harm =
      isComparable
      ? max(comparison.logHarmOfErrors, shift?.logEvidenceOfHarm ?? 0).finite(or: 0) : 0
    alike =
      isComparable
      ? min(comparison.logSafetyOfErrors, shift?.logEvidenceOfSafety ?? 0).finite(or: 0) : 0
    let since = windows.map(\.baseline)
    let deviations = [
      ConcurrentSigns.latency(question.history, since)?.deviation,
      ConcurrentSigns.errors(question.history, since)?.deviation,
    ].compactMap { $0 }.filter(\.isFinite)
    oldDeviation = deviations.max()
    load = MeanChange(
      ConcurrentSigns.requests(question.history),
      ConcurrentSigns.requests(windows.map { $0.current.merged(with: $0.baseline) }))
  }

  private var oldIsWorse: Bool { (oldDeviation ?? 0) > CauseSearch.deviationMin }

  /// The new version beside the old one, or the old one against itself.
  var isWorse: Bool { harm > 0 || oldIsWorse }

  /// The hypotheses by which both versions would be worse.
  private static let shared: [Hypothesis.Kind] = [
    .otherChange, .load, .dependency, .platform, .operationMix,
  ]

  /// - Parameter hasCircumstances: it is known how many instances there were too.
  func terms(hasCircumstances: Bool) -> [(Hypothesis.Kind, Hypothesis.Term)] {
    let shared = ConcurrentSigns.shared + (hasCircumstances ? [.scaling] : [])
    var terms: [(Hypothesis.Kind, Hypothesis.Term)] = []
    if harm > 0 {
      terms.append(
        (
          .thisDeployment,
          .init(.versionSplit, harm, "\(version) is worse than \(baseline) in the same windows")
        ))
      terms.append((.noise, .init(.versionSplit, -harm, "the two versions differ")))
    } else if alike > 0 {
      terms.append(
        (
          .thisDeployment,
          .init(
            .versionSplit, -alike, "\(version) is no worse than \(baseline) in the same windows")
        ))
    }
    guard let oldDeviation else { return terms + loadTerms }
    if oldIsWorse {
      let why = "\(baseline) got worse too since then, by \(decimals(oldDeviation)) standard errors"
      terms.append((.noise, .init(.effect, -oldDeviation / 2, why)))
      terms += shared.map {
        ($0, .init(.versionSplit, AttributionWeights.weak, why))
      }
    } else if harm > 0 {
      terms += shared.map {
        (
          $0,
          .init(
            .versionSplit, -AttributionWeights.strong,
            "\(baseline) did not get worse, and it would have")
        )
      }
    } else {
      terms.append(
        (
          .noise,
          .init(.effect, AttributionWeights.weak, "\(baseline) is as it was before the change")
        ))
    }
    return terms + loadTerms
  }

  private var loadTerms: [(Hypothesis.Kind, Hypothesis.Term)] {
    guard let load, load.before > 0 else { return [] }
    return AttributionTerms.load(
      ratio: load.after / load.before, isSure: load.deviation > CauseSearch.deviationMin,
      isWorse: isWorse)
  }

  // MARK: - Sides as series

  private static func latency(_ before: [Side], _ since: [Side]) -> MeanChange? {
    MeanChange(logs(before), logs(since))
  }

  private static func logs(_ sides: [Side]) -> Observations {
    var found = Observations(windows: sides.count)
    for (position, side) in sides.enumerated() {
      guard let latency = side.latency, latency.weight > 0, latency.mean.isFinite else { continue }
      found.counts[position] = latency.weight
      found.sums[position] = latency.weight * latency.mean
    }
    return found
  }

  private static func errors(_ before: [Side], _ since: [Side]) -> ShareChange? {
    func counted(_ sides: [Side]) -> Observations {
      var found = Observations(windows: sides.count)
      found.counts = sides.map { Double($0.requests) }
      found.sums = sides.map { Double($0.failures) }
      return found
    }
    return ShareChange(counted(before), counted(since))
  }

  private static func requests(_ sides: [Side]) -> Observations {
    var found = Observations(windows: sides.count)
    found.counts = sides.map { _ in 1 }
    found.sums = sides.map { Double($0.requests) }
    return found
  }
}

/// Terms that several ways of looking have in common.
enum AttributionTerms {
  static func load(
    ratio: Double, isSure: Bool, isWorse: Bool
  ) -> [(Hypothesis.Kind, Hypothesis.Term)] {
    guard ratio.isFinite, ratio >= 0 else { return [] }
    guard isSure, ratio >= AttributionWeights.loadRatioMin else {
      return [
        (
          .load,
          .init(
            .load, -AttributionWeights.strong,
            "requests changed by \(change(ratio)), no more than they do anyway")
        )
      ]
    }
    return [
      (
        .load,
        .init(
          .load, isWorse ? AttributionWeights.strong : 0, "requests changed by \(change(ratio))")
      )
    ]
  }
}
