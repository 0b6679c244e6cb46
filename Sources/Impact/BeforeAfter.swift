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
  public let settings: GateSettings

  public init(
    version: String, start: Nanos, until: Nanos, subject: StretchSeries, controls: [StretchSeries],
    history: [Side] = [], unknownFailures: Int64 = 0, settings: GateSettings = GateSettings()
  ) {
    self.version = version
    self.start = start
    self.until = until
    self.subject = subject
    self.controls = controls
    self.history = history
    self.unknownFailures = Side.clamped(unknownFailures)
    self.settings = settings
  }
}

/// Compares a service with itself before a change, less what happened to others meanwhile, and
/// takes as noise how far such comparisons were off when nothing had changed.
///
/// Weaker than a version beside the other: whatever else began with the change looks like it. So
/// it can show that nothing happened, and never whose fault it was if something did.
/// - Source: difference in differences with placebo periods, Bertrand, Duflo, Mullainathan 2004.
public struct BeforeAfter: Equatable, Sendable {
  /// Fewer earlier stretches say nothing about one in twenty.
  public static let stretchesMin = 20
  /// A stretch with fewer requests on a side is passed over.
  static let requestsMin: Int64 = 10

  /// Of the error rate; nil without data.
  public let errors: ShiftEstimate?
  public let latency: ShiftEstimate?
  /// The version's own errors since the start, with those nobody can place.
  public let ownErrors: ErrorRateBound

  public init(_ question: BeforeAfterQuestion) {
    let unknown = question.unknownFailures
    errors = BeforeAfter.estimate(question) {
      BeforeAfter.errorShift($0, unknownFailures: $1 ? unknown : 0)
    }
    latency = BeforeAfter.estimate(question) { stretch, _ in BeforeAfter.latencyShift(stretch) }
    var own = ErrorRateBound()
    own.add(question.subject.now.after, unknownFailures: unknown)
    ownErrors = own
  }

  /// - Parameter shift: of a stretch, nil without data; told whether it is the one asked about.
  private static func estimate(
    _ question: BeforeAfterQuestion, shift: (Stretch, Bool) -> Shift?
  ) -> ShiftEstimate? {
    guard let own = shift(question.subject.now, true) else { return nil }
    let now = own.size - median(question.controls.compactMap { shift($0.now, false)?.size })
    var placebos: [Double] = []
    for (index, stretch) in question.subject.earlier.enumerated() {
      guard let stretch, let own = shift(stretch, false) else { continue }
      let others = question.controls.compactMap { control -> Double? in
        guard index < control.earlier.count, let stretch = control.earlier[index] else {
          return nil
        }
        return shift(stretch, false)?.size
      }
      placebos.append(own.size - median(others))
    }
    return ShiftEstimate(shift: Shift(size: now, variance: own.variance), placebos: placebos)
  }
}
