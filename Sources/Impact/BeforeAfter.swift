internal import Glibc
public import Model

/// What a service did after a moment and in the hour before it.
public struct Stretch: Equatable, Sendable {
  public let before: Side
  public let after: Side

  public init(before: Side, after: Side) {
    self.before = before
    self.after = after
  }
}

/// The stretches of one service.
public struct StretchSeries: Equatable, Sendable {
  /// From the change until now, and the hour before the change.
  public let now: Stretch
  /// Earlier stretches of the same length, before the change and not overlapping one another.
  /// Position by position the same times for every service of a question; nil without data.
  public let earlier: [Stretch?]

  public init(now: Stretch, earlier: [Stretch?]) {
    self.now = now
    self.earlier = earlier
  }
}

/// A question about a version that replaced another, so that nothing runs beside it.
public struct BeforeAfterQuestion: Equatable, Sendable {
  public let version: String
  /// When the change began, and where finished data ends.
  public let start: Nanos
  public let until: Nanos
  public let subject: StretchSeries
  /// Services neither up- nor downstream of it: what happens to them is not its doing.
  public let controls: [StretchSeries]
  /// The service's windows in the hour before: whether its errors come alone or in bursts.
  public let history: [Side]
  /// Since the start, of all calls to the service that nobody can place.
  public let unknownFailures: Int64
  /// Other changes of the service at about the same time: what happened since may be theirs.
  public let otherChanges: Int
  public let settings: GateSettings

  /// More are not told apart.
  static let otherChangesMax = 1_000

  public init(
    version: String, start: Nanos, until: Nanos, subject: StretchSeries, controls: [StretchSeries],
    history: [Side] = [], unknownFailures: Int64 = 0, otherChanges: Int = 0,
    settings: GateSettings = GateSettings()
  ) {
    self.version = version
    self.start = start
    self.until = until
    self.subject = subject
    self.controls = controls
    self.history = history
    self.unknownFailures = Side.clamped(unknownFailures)
    self.otherChanges = min(max(otherChanges, 0), BeforeAfterQuestion.otherChangesMax)
    self.settings = settings
  }
}

/// Compares a service with itself before a change, less what happened to others meanwhile, and
/// takes as noise how far such comparisons were off when nothing had changed.
///
/// Weaker than a version beside the other: whatever else began with the change looks like it. So it
/// shows whose fault it was only where there are services to tell what happened to all.
/// - Source: difference in differences with placebo periods, Bertrand, Duflo, Mullainathan 2004.
public struct BeforeAfter: Equatable, Sendable {
  /// Fewer earlier stretches say nothing about one in twenty.
  public static let stretchesMin = 20
  /// A stretch with fewer requests on a side is passed over.
  static let requestsMin: Int64 = 10

  /// Fewer errors since the change are no rise, whatever the rate was.
  static let failuresMin: Int64 = 10

  /// Of the error rate; nil without data.
  public let errors: ShiftEstimate?
  public let latency: ShiftEstimate?
  /// The same against what is seen of the controls.
  let controlledErrors: ControlledShift?
  let controlledLatency: ControlledShift?
  /// The version's own errors since the start, with those nobody can place.
  public let ownErrors: ErrorRateBound
  private let unknownFailures: Int64
  /// The stretch right before the change was already unlike the earlier ones, by this ratio of typical
  /// latencies: what is asked about began before it is said to have.
  let latencyChangedBefore: Double?

  public init(_ question: BeforeAfterQuestion) {
    let unknown = question.unknownFailures
    controlledErrors = BeforeAfter.controlled(question) {
      BeforeAfter.errorShift($0, unknownFailures: $1 ? unknown : 0)
    }
    controlledLatency = BeforeAfter.controlled(question) { stretch, _ in
      BeforeAfter.latencyShift(stretch)
    }
    latencyChangedBefore = BeforeAfter.latencyChangedBefore(question)
    errors = controlledErrors?.estimate
    latency = controlledLatency?.estimate
    var own = ErrorRateBound()
    own.add(question.subject.now.after, unknownFailures: unknown)
    ownErrors = own
    unknownFailures = unknown
  }

  /// How far off the middle of the earlier stretches, in (robust) standard deviations, the last of them
  /// may be.
  private static let deviationsMax = 6.0
  /// From the median of absolute deviations to a standard deviation.
  private static let normalMedian = 0.674_489_75

  private static func latencyChangedBefore(_ question: BeforeAfterQuestion) -> Double? {
    let subject = Shifts(question.subject) { stretch, _ in latencyShift(stretch) }
    let controls = question.controls.map { Shifts($0) { stretch, _ in latencyShift(stretch) } }
    guard let placebos = subject.estimate(less: controls[...])?.placebos,
      subject.earlier.first.flatMap({ $0 }) != nil, let last = placebos.first,
      placebos.count >= stretchesMin
    else { return nil }
    // Medians, because what began before may have lasted for some stretches.
    let middle = median(placebos)
    let spread = median(placebos.map { ($0 - middle).magnitude }) / normalMedian
    let change = last - middle
    guard change.magnitude > deviationsMax * spread,
      change.magnitude > log1p(LatencyShiftTest.tolerance)
    else { return nil }
    return exp(change)
  }

  /// One of them is worse beyond what is seen without a change. Failures nobody can place count against
  /// the safety of a version, and as harm against none.
  var errorsHarmed: Bool {
    guard let controlledErrors, ownErrors.failures >= BeforeAfter.failuresMin,
      unknownFailures == 0
    else { return false }
    return controlledErrors.isHarm(beyond: ErrorRatioTest.ratioTolerated)
  }

  var latencyHarmed: Bool {
    controlledLatency?.isHarm(beyond: 1 + LatencyShiftTest.tolerance) ?? false
  }

  /// - Parameter shift: of a stretch, nil without data; told whether it is the one asked about.
  private static func controlled(
    _ question: BeforeAfterQuestion, shift: (Stretch, Bool) -> Shift?
  ) -> ControlledShift? {
    let subject = Shifts(question.subject, of: { shift($0, $1) })
    let controls = question.controls.map { Shifts($0) { stretch, _ in shift(stretch, false) } }
    guard let estimate = subject.estimate(less: controls[...]) else { return nil }
    let others = controls.indices.compactMap { index in
      controls[index].estimate(less: controls[..<index] + controls[(index + 1)...])
    }
    return ControlledShift(estimate, others: others)
  }

  /// The shifts of one service.
  private struct Shifts {
    let now: Shift?
    let earlier: [Double?]

    init(_ series: StretchSeries, of shift: (Stretch, Bool) -> Shift?) {
      now = shift(series.now, true)
      earlier = series.earlier.map { $0.flatMap { shift($0, false)?.size } }
    }

    /// Less the median of what happened to others at the same times.
    func estimate(less others: ArraySlice<Shifts>) -> ShiftEstimate? {
      guard let now else { return nil }
      let size = now.size - median(others.compactMap { $0.now?.size })
      var placebos: [Double] = []
      for (index, shift) in earlier.enumerated() {
        guard let shift else { continue }
        let theirs = others.compactMap { index < $0.earlier.count ? $0.earlier[index] : nil }
        placebos.append(shift - median(theirs))
      }
      return ShiftEstimate(
        shift: Shift(size: size, variance: now.variance), placebos: placebos)
    }
  }
}
