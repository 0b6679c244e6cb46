internal import Glibc

/// What it would take to decide, supposing the version is no different from the baseline and
/// traffic goes on as it did.
struct GateForecast {
  private let comparison: ConcurrentComparison
  /// Read once: it is not free.
  private let shift: LatencyShift?

  init(_ comparison: ConcurrentComparison, shift: LatencyShift?) {
    self.comparison = comparison
    self.shift = shift
  }

  /// How errors are likeliest to become safe first, and at how many requests of the new version
  /// in all.
  enum Need: Equatable {
    case ruleOutRise(requests: Double)
    case showLowRate(requests: Double)

    var requests: Double {
      switch self {
      case .ruleOutRise(let requests), .showLowRate(let requests): requests
      }
    }
  }

  /// nil when neither is in sight.
  var need: Need? {
    let seen = Double(comparison.ownErrors.requests)
    let byRise = requestsToRuleOutRise.map { Need.ruleOutRise(requests: seen + $0) }
    let byRate = requestsToShowLowRate.map { Need.showLowRate(requests: seen + $0) }
    guard let byRise, let byRate else { return byRise ?? byRate }
    return byRise.requests < byRate.requests ? byRise : byRate
  }

  /// Seconds until errors and latency could both be safe; nil when that is not in sight, or when
  /// errors lean towards harm: then who knows.
  /// - Parameter elapsed: seconds of data there are.
  func seconds(elapsed: Double) -> Double? {
    let requests = Double(comparison.ownErrors.requests)
    guard !comparison.isSuspicious, requests > 0, elapsed > 0, let need,
      let windows = windowsToSettleLatency
    else {
      return nil
    }
    let more = max(need.requests, Double(GateSettings.requestsMin)) - requests
    let perWindow = elapsed / Double(max(comparison.latency.windows, 1))
    return max(more / requests * elapsed, windows * perWindow)
  }

  /// The smallest rise of the error rate the traffic so far would have shown.
  var smallestErrorsRatio: Double? {
    let errors = comparison.errors
    let usual = comparison.usualErrors
    guard errors.currentRequests > 0, errors.baselineRequests > 0 else { return nil }
    let rate = (Double(usual.failures) + 0.5) / (Double(usual.requests) + 1)
    let isShown = { (ratio: Double) -> Bool in
      let expected = PairCounts(
        currentRequests: Double(errors.currentRequests),
        currentFailures: rate * ratio * Double(errors.currentRequests),
        baselineRequests: Double(errors.baselineRequests),
        baselineFailures: rate * Double(errors.baselineRequests))
      return ErrorRatioTest().extended(by: expected)
        .logEvidenceOfHarm(dispersion: comparison.dispersion.factor)
        >= EValue.threshold(GateSettings.harmAlpha)
    }
    let greatest = 1 / rate
    guard greatest > ErrorRatioTest.ratioTolerated, isShown(greatest) else { return nil }
    return least(from: ErrorRatioTest.ratioTolerated, to: greatest, where: isShown)
  }

  /// The smallest slowing the traffic so far would have shown.
  var smallestLatencyRatio: Double? {
    shift.map {
      (1 + LatencyShiftTest.tolerance) * exp($0.halfWidth(alpha: GateSettings.harmAlpha))
    }
  }

  /// Further requests of the new version.
  private var requestsToRuleOutRise: Double? {
    let errors = comparison.errors
    guard errors.currentRequests > 0, let rate = comparison.usualErrors.rate, rate > 0 else {
      return nil
    }
    let share = Double(errors.baselineRequests) / Double(errors.currentRequests)
    return GateForecast.leastAmount { requests in
      let expected = PairCounts(
        currentRequests: requests, currentFailures: requests * rate,
        baselineRequests: requests * share, baselineFailures: requests * share * rate)
      return errors.extended(by: expected)
        .logEvidenceOfSafety(dispersion: comparison.dispersion.factor)
        >= EValue.threshold(GateSettings.alpha)
    }
  }

  private var requestsToShowLowRate: Double? {
    let charged = comparison.chargedErrors
    let rate = comparison.usualErrors.rate ?? 0
    guard rate < comparison.settings.errorsTolerated else { return nil }
    return GateForecast.leastAmount { requests in
      ErrorRateBound.logEvidence(
        requests: Double(charged.requests) + requests,
        failures: Double(charged.failures) + requests * rate,
        below: comparison.settings.errorsTolerated, dispersion: comparison.dispersion.factor)
        >= EValue.threshold(GateSettings.alpha)
    }
  }

  /// Further windows in which both versions have requests.
  var windowsToSettleLatency: Double? {
    guard let shift else {
      return Double(LatencyShiftTest.windowsMin - comparison.latency.windows)
    }
    return GateForecast.leastAmount { windows in
      shift.extended(to: shift.size + windows, future: 0).logEvidenceOfSafety
        >= EValue.threshold(GateSettings.alpha)
    }
  }

  /// The least amount, 0…10⁹, from which on a growing thing suffices; nil when none does.
  private static func leastAmount(where suffices: (Double) -> Bool) -> Double? {
    if suffices(0) { return 0 }
    var enough = 1.0
    while !suffices(enough) {
      enough *= 2
      if enough > 1e9 { return nil }
    }
    var tooFew = enough > 1 ? enough / 2 : 0
    for _ in 0..<20 {
      let middle = (tooFew + enough) / 2
      if suffices(middle) { enough = middle } else { tooFew = middle }
    }
    return enough.rounded(.up)
  }

  private func least(from low: Double, to high: Double, where suffices: (Double) -> Bool) -> Double
  {
    var tooLow = low
    var enough = high
    for _ in 0..<40 {
      let middle = (tooLow * enough).squareRoot()
      if suffices(middle) { enough = middle } else { tooLow = middle }
    }
    return enough
  }
}
