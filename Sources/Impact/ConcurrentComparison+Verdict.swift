internal import Glibc
public import Model

extension ConcurrentComparison {
  /// What the metrics say, each for itself and with regard to the other.
  struct Decisions: Equatable, Sendable {
    let errors: Decision
    let latency: Decision
    /// What the one test at the deadline said; nil before it, or without one.
    let final: FinalTest.Result?

    var isHarmed: Bool { errors == .harmed || latency == .harmed }
  }

  /// Why nothing follows from comparing the two versions, whatever the numbers say.
  enum Void: Equatable, Sendable {
    /// They do not get the requests they were announced to get.
    case split(announced: Double, seen: Double)
    case jump(ShareJump)
    /// So little was seen of the other that nobody knows what is usual for it.
    case shortBaseline(Nanos)
  }

  /// - Parameters:
  ///   - shift: of the latency, which costs the most to read.
  ///   - until: where the data ends.
  func decisions(_ shift: LatencyShift?, until: Nanos) -> Decisions {
    let falls = harms(shift)
    let final = settings.rules == .apart ? nil : final?.result(until: until)
    let errorsSafe = logSafetyOfErrors >= EValue.threshold(GateSettings.alpha) && !isSuspicious
    let latencySafe =
      (shift?.logEvidenceOfSafety ?? 0) >= EValue.threshold(GateSettings.alpha)
    let latencyHarmed = falls.latency || final?.isHarmed ?? false
    return Decisions(
      errors: falls.errors ? .harmed : errorsSafe ? .safe : .undecided,
      latency: latencyHarmed ? .harmed : latencySafe ? .safe : .undecided, final: final)
  }

  private func harms(_ shift: LatencyShift?) -> (errors: Bool, latency: Bool) {
    switch settings.rules {
    case .apart:
      let threshold = EValue.threshold(GateSettings.harmAlpha)
      return (
        logHarmOfErrors >= threshold && isRepeated,
        (shift?.logEvidenceOfHarm ?? 0) >= threshold
      )
    case .together, .attributed:
      let falls = ClosedTest.falls(logHarms(shift), alpha: GateSettings.sequentialAlpha)
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

  /// How false rollbacks are held off; nil by rules that did not say so.
  func control(_ shift: LatencyShift?) -> ErrorControl? {
    guard settings.rules != .apart else { return nil }
    return ErrorControl(
      alpha: GateSettings.alpha, logEvidence: ClosedTest.logEvidence(logHarms(shift)),
      threshold: 1 / GateSettings.sequentialAlpha)
  }

  /// nil where the two can be compared. Costs as much as reading the latency.
  var void: Void? {
    guard settings.rules != .apart else { return nil }
    if (1..<GateSettings.baselineSeenMin).contains(baselineSeenNanos) {
      return .shortBaseline(baselineSeenNanos)
    }
    if split.isMismatch {
      return .split(announced: split.shares.announced, seen: split.shares.seen)
    }
    return ShareJump(in: windows, announced: announced).map { .jump($0) }
  }

  /// What the numbers alone say, `until` being where the data ends. Health is not looked at.
  public func verdict(until: Nanos) -> Verdict {
    let verdict = verdict(decisions(latency.shift, until: until), until: until)
    return verdict != .wait && void != nil ? .wait : verdict
  }

  /// The same, supposing that the two can be compared.
  func verdict(_ decisions: Decisions, until: Nanos) -> Verdict {
    if decisions.isHarmed { return .rollback }
    return decisions.errors == .safe && decisions.latency == .safe && hasEnoughTraffic
      && !currentTraffic.isSilent(until)
      ? .promote : .wait
  }
}
