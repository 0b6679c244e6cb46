internal import Glibc
internal import Model

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
  /// For how long in all the baseline was seen, before the change and since.
  private(set) var baselineSeenNanos: Nanos = 0
  /// Requests of the two versions, and when they last had one.
  private(set) var currentTraffic = Traffic()
  private(set) var baselineTraffic = Traffic()
  private(set) var currentLatency: LogLatency?
  private(set) var baselineLatency: LogLatency?
  /// Whether requests are split as announced.
  private(set) var split = TrafficSplitTest()
  /// What is tested once, at the deadline.
  private(set) var final: FinalTest?
  let announced: [AnnouncedShare]
  /// Those in which both had requests.
  private(set) var windows: [ComparedWindow] = []
  private var currentFailuresBefore: Int64 = 0
  private var baselineFailuresBefore: Int64?

  /// - Parameters:
  ///   - history: the baseline's windows before the change, in order: how its errors usually come
  ///     (alone or in bursts) and how many.
  ///   - announced: shares of the new version, in order of time.
  ///   - deadline: where it was fixed before there was this data.
  public init(
    settings: GateSettings = GateSettings(), history: [Side] = [],
    announced: [AnnouncedShare] = [], deadline: FixedDeadline? = nil
  ) {
    self.settings = settings
    self.announced = announced
    final = deadline.map { FinalTest($0) }
    dispersion.add(errors: history.map(\.failures))
    for side in history {
      usualErrors.add(side)
      if side.requests > 0 { baselineSeenNanos += windowNanos }
    }
    baselineFailuresBefore = history.last?.failures
  }

  public mutating func add(_ window: ComparedWindow) {
    errors.add(window)
    let leftOut = latency.windowsLeftOut
    latency.add(window)
    let isLeftOut = latency.windowsLeftOut > leftOut
    ownErrors.add(window.current)
    chargedErrors.add(window.current, unknownFailures: window.unknownFailures)
    usualErrors.add(window.current)
    usualErrors.add(window.baseline)
    currentTraffic.add(window.current.traces, in: window.start, for: window.width)
    baselineTraffic.add(window.baseline.traces, in: window.start, for: window.width)
    if window.baseline.requests > 0 {
      baselineSeenNanos = baselineSeenNanos.saturatingAdding(window.width)
    }
    addDispersion(window)
    final?.add(window)
    if let share = announced.last(where: { $0.from <= window.start }) {
      split.add(window, share: share)
    }
    guard window.isPaired else { return }
    windows.append(window)
    pairedWindows += 1
    guard !isLeftOut else { return }
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
