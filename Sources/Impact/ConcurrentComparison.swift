internal import Glibc
public import Model

/// Everything known of two versions that run side by side, window by window.
/// - Shape: windows in order of time, from the start of the change; those without requests may be
///   left out.
public struct ConcurrentComparison: Equatable, Sendable {
  let settings: GateSettings
  public private(set) var errors = ErrorRatioTest()
  /// The new version's own errors, as far as they are known to be its own.
  public private(set) var ownErrors = ErrorRateBound()
  /// The same with every failure nobody can place on its account: what safety is judged by.
  public private(set) var chargedErrors = ErrorRateBound()
  public private(set) var latency = LatencyShiftTest()
  public private(set) var dispersion = Dispersion()
  /// What both versions and the hour before had: where the usual error rate is taken from.
  private(set) var usualErrors = ErrorRateBound()
  private(set) var pairedWindows = 0
  /// Requests of the two versions, and when they last had one.
  private(set) var currentTraffic = Traffic()
  private(set) var baselineTraffic = Traffic()
  private(set) var currentLatency: LogLatency?
  private(set) var baselineLatency: LogLatency?
  private var currentFailuresBefore: Int64 = 0
  private var baselineFailuresBefore: Int64?

  /// - Parameter history: the baseline's windows before the change, in order: how its errors
  ///   usually come (alone or in bursts) and how many.
  public init(settings: GateSettings = GateSettings(), history: [Side] = []) {
    self.settings = settings
    dispersion.add(errors: history.map(\.failures))
    for side in history { usualErrors.add(side) }
    baselineFailuresBefore = history.last?.failures
  }

  public mutating func add(_ window: ComparedWindow) {
    errors.add(window)
    latency.add(window)
    ownErrors.add(window.current)
    chargedErrors.add(window.current, unknownFailures: window.unknownFailures)
    usualErrors.add(window.current)
    usualErrors.add(window.baseline)
    currentTraffic.add(window.current.traces, in: window.start, for: window.width)
    baselineTraffic.add(window.baseline.traces, in: window.start, for: window.width)
    addDispersion(window)
    guard window.isPaired else { return }
    pairedWindows += 1
    currentLatency = LogLatency.merged(currentLatency, window.current.latency)
    baselineLatency = LogLatency.merged(baselineLatency, window.baseline.latency)
  }

  /// The new version had its last request before this time: known better than by its last window.
  mutating func currentWasLastSeen(_ time: Nanos) { currentTraffic.endsBy(time) }

  private mutating func addDispersion(_ window: ComparedWindow) {
    // Before its first window the new version had no errors: until there is more to go by, the
    // first ones are taken for a burst.
    dispersion.add(from: currentFailuresBefore, to: window.current.failures)
    currentFailuresBefore = window.current.failures
    if let before = baselineFailuresBefore {
      dispersion.add(from: before, to: window.baseline.failures)
    }
    baselineFailuresBefore = window.baseline.failures
  }
}

extension ConcurrentComparison {
  var logHarmOfErrors: Double { errors.logEvidenceOfHarm(dispersion: dispersion.factor) }

  /// Against a threefold rise, or against the tolerated rate: whichever says more. A version that
  /// is unsafe by both passes with a chance of at most 2α.
  var logSafetyOfErrors: Double { max(logSafetyOfRatio, logSafetyOfRate) }

  var logSafetyOfRatio: Double { errors.logEvidenceOfSafety(dispersion: dispersion.factor) }

  var logSafetyOfRate: Double {
    chargedErrors.logEvidence(below: settings.errorsTolerated, dispersion: dispersion.factor)
  }

  /// The errors lean towards harm too much for a promotion.
  var isSuspicious: Bool { ConcurrentComparison.isSuspicious(logHarmOfErrors) }

  private static func isSuspicious(_ logHarm: Double) -> Bool {
    logHarm >= log(GateSettings.suspicion)
  }

  /// What the metrics say, each for itself and with regard to the other.
  struct Decisions: Equatable, Sendable {
    let errors: Decision
    let latency: Decision
  }

  /// - Parameter shift: of the latency, which costs the most to read.
  func decisions(_ shift: LatencyShift?) -> Decisions {
    let falls = harms(shift)
    let suspicious = isSuspicious
    let errorsSafe = logSafetyOfErrors >= EValue.threshold(GateSettings.alpha) && !suspicious
    let latencySafe =
      (shift?.logEvidenceOfSafety ?? 0) >= EValue.threshold(GateSettings.alpha)
    return Decisions(
      errors: falls.errors ? .harmed : errorsSafe ? .safe : .undecided,
      latency: falls.latency ? .harmed : latencySafe ? .safe : .undecided)
  }

  private func harms(_ shift: LatencyShift?) -> (errors: Bool, latency: Bool) {
    switch settings.rules {
    case .apart:
      let threshold = EValue.threshold(GateSettings.harmAlpha)
      return (
        logHarmOfErrors >= threshold && isRepeated,
        (shift?.logEvidenceOfHarm ?? 0) >= threshold
      )
    case .together:
      let falls = ClosedTest.falls(logHarms(shift), alpha: GateSettings.alpha)
      return (falls[0], falls[1])
    }
  }

  /// Against "errs no more" and "is no slower"; −∞ where that cannot be said yet.
  private func logHarms(_ shift: LatencyShift?) -> [Double] {
    [isRepeated ? logHarmOfErrors : -.infinity, shift?.logHarm ?? -.infinity]
  }

  /// A single window may be an accident.
  private var isRepeated: Bool {
    errors.windowsWithFailures >= GateSettings.windowsWithFailuresMin
  }

  public var errorDecision: Decision { decisions(latency.shift).errors }

  public var latencyDecision: Decision { decisions(latency.shift).latency }

  /// How false rollbacks are held off; nil by rules that did not say so.
  func control(_ shift: LatencyShift?) -> ErrorControl? {
    guard settings.rules != .apart else { return nil }
    return ErrorControl(
      alpha: GateSettings.alpha, logEvidence: ClosedTest.logEvidence(logHarms(shift)),
      threshold: 1 / GateSettings.alpha)
  }

  /// What the numbers alone say, `until` being where the data ends. Health is not looked at.
  public func verdict(until: Nanos) -> Verdict { verdict(decisions(latency.shift), until: until) }

  func verdict(_ decisions: Decisions, until: Nanos) -> Verdict {
    if decisions.errors == .harmed || decisions.latency == .harmed { return .rollback }
    return decisions.errors == .safe && decisions.latency == .safe && hasEnoughTraffic
      && !currentTraffic.isSilent(until)
      ? .promote : .wait
  }

  var hasEnoughTraffic: Bool { currentTraffic.requests >= GateSettings.requestsMin }
}

/// When a version had requests, and how many.
struct Traffic: Equatable, Sendable {
  private(set) var requests: Int64 = 0
  private var first: Nanos?
  /// The end of the last window with a request.
  private var end: Nanos = 0

  mutating func endsBy(_ time: Nanos) { end = min(end, max(time, first ?? time)) }

  mutating func add(_ traces: Int64, in start: Nanos, for width: Nanos) {
    guard traces > 0 else { return }
    requests += traces
    first = min(first ?? start, start)
    end = max(end, start.saturatingAdding(width))
  }

  /// How many windows from the first with a request to the last.
  private var windowsActive: Double {
    guard let first else { return 0 }
    return Double(end.saturatingSubtracting(first) / windowNanos)
  }

  /// How many windows without a request there were at the end.
  func windowsSilent(_ until: Nanos) -> Double {
    guard first != nil else { return 0 }
    return Double(until.saturatingSubtracting(end) / windowNanos)
  }

  /// It had traffic, and that it has none now is no accident: that so many requests, falling
  /// anywhere between the first and now, all miss the silent windows, has a chance of
  /// (active ÷ (active + silent)) to their power.
  func isSilent(_ until: Nanos) -> Bool {
    let windows = windowsSilent(until)
    guard windows >= GateSettings.silentWindowsMin else { return false }
    return Double(requests) * log1p(windows / windowsActive) >= GateSettings.silentRequestsExpected
  }
}
