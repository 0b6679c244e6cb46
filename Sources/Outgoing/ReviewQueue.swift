public import Markers
public import Model

/// Jobs that wait for the gate: whom to ask, whom to answer, and when.
///
/// Times are arguments, so a test owns them. Each review is first asked about, again and again until
/// there is a verdict or its time is over, with a report now and then of what is missing; and then
/// answered, again and again until GitHub takes the answer or says that it never will.
public struct ReviewQueue: Sendable {
  /// Reviews that wait at once; more are refused for the moment.
  public static let pendingMax = 500
  /// Between two questions to the gate.
  static let askNanos: Nanos = 15 * .second
  /// Reports of one review.
  /// - Source: docs.github.com, "Creating custom deployment protection rules".
  static let reportsMax = 10
  /// Between the first two reports; it doubles.
  static let reportNanos: Nanos = .minute
  /// Before the first repetition of an answer; it doubles up to the second.
  static let resendNanos: Nanos = 2 * .second
  static let resendNanosMax: Nanos = 300 * .second
  /// With the pauses above: for about an hour.
  static let sendsMax = 20
  /// What is asked to wait longer is sent again all the same.
  static let retryAfterSecondsMax = 3_600

  /// What is done about a review next.
  public enum Step: Equatable, Sendable {
    case ask(DeploymentReview)
    case send(DeploymentReview, ReviewAnswer)
  }

  public enum Admission: Equatable, Sendable {
    case added
    /// The message came before.
    case known
    /// There is no room just now.
    case full
  }

  /// What became of an attempt to tell GitHub something.
  public enum Delivery: Equatable, Sendable {
    case taken
    /// It is of no use to try again.
    case refused
    /// It may go better later.
    case failed(retryAfterSeconds: Int?)
  }

  /// Whether a review is over.
  public enum Progress: Equatable, Sendable {
    case waits
    /// GitHub took the answer.
    case answered
    /// GitHub will not take it.
    case refused
    /// It was tried often enough.
    case abandoned
  }

  /// One review, as it is kept over a restart.
  struct Pending: Codable, Sendable, Equatable {
    var review: DeploymentReview
    /// Until when the gate is asked.
    var deadline: Nanos
    /// What is to be sent next: the answer, or a report.
    var message: ReviewAnswer?
    /// How often the answer was sent.
    var sends = 0
    var reports = 0
    var lastReport = ""
    /// Not before this.
    var nextReport: Nanos
    var due: Nanos
  }

  private var pending: [DeploymentReview: Pending] = [:]
  /// Somebody is asking or answering.
  private var busy: Set<DeploymentReview> = []
  private let patience: Nanos
  private let outcome: ReviewAnswer.State

  /// - Parameters:
  ///   - patience: how long the gate is asked.
  ///   - outcome: what is answered when it has said nothing by then.
  public init(patience: Nanos, outcome: ReviewAnswer.State) {
    self.patience = patience
    self.outcome = outcome
  }

  public var count: Int { pending.count }

  public mutating func add(_ review: DeploymentReview, now: Nanos) -> Admission {
    guard pending[review] == nil else { return .known }
    guard pending.count < ReviewQueue.pendingMax else { return .full }
    pending[review] = Pending(
      review: review, deadline: now.saturatingAdding(patience), nextReport: now, due: now)
    return .added
  }

  /// Takes back what was just added.
  public mutating func remove(_ review: DeploymentReview) { pending[review] = nil }

  /// What is due, the longest due first. Each is busy until `asked` or `sent` says what came of it.
  public mutating func steps(now: Nanos, countMax: Int) -> [Step] {
    let due = pending.values.filter { $0.due <= now && !busy.contains($0.review) }
      .sorted { ($0.due, $0.review.callback) < ($1.due, $1.review.callback) }
      .prefix(countMax)
    busy.formUnion(due.map(\.review))
    return due.map { pending in
      pending.message.map { .send(pending.review, $0) } ?? .ask(pending.review)
    }
  }

  /// The gate was asked.
  /// - Parameters:
  ///   - state: nil while it has no verdict.
  ///   - comment: what it said.
  public mutating func asked(
    _ review: DeploymentReview, _ state: ReviewAnswer.State?, _ comment: String, now: Nanos,
    using random: inout some RandomNumberGenerator
  ) {
    busy.remove(review)
    guard var found = pending[review] else { return }
    let isOver = now >= found.deadline
    if state != nil {
      found.message = ReviewAnswer(state, comment)
    } else if isOver {
      found.message = ReviewAnswer(
        outcome, "no verdict in time, \(outcome.rawValue) as configured; the gate says \(comment)")
    } else if now >= found.nextReport, found.reports < ReviewQueue.reportsMax,
      comment != found.lastReport
    {
      found.message = ReviewAnswer(nil, comment)
    }
    if found.message == nil {
      let pause = ReviewQueue.jittered(ReviewQueue.askNanos, using: &random)
      found.due = min(now.saturatingAdding(pause), found.deadline)
    } else {
      found.due = now
    }
    pending[review] = found
  }

  /// GitHub was told what `steps` said.
  public mutating func sent(
    _ review: DeploymentReview, _ delivery: Delivery, now: Nanos,
    using random: inout some RandomNumberGenerator
  ) -> Progress {
    busy.remove(review)
    guard var found = pending[review], let message = found.message else { return .waits }
    if message.state == nil {
      // Whatever became of a report: the next one says more.
      found.lastReport = message.comment
      found.message = nil
      let doublings = Nanos(found.reports)
      found.reports += 1
      found.nextReport = now.saturatingAdding(ReviewQueue.reportNanos << doublings)
      let pause = ReviewQueue.jittered(ReviewQueue.askNanos, using: &random)
      found.due = min(now.saturatingAdding(pause), max(found.deadline, now))
      pending[review] = found
      return .waits
    }
    found.sends += 1
    guard case .failed(let seconds) = delivery, found.sends < ReviewQueue.sendsMax else {
      pending[review] = nil
      return switch delivery {
      case .taken: .answered
      case .refused: .refused
      case .failed: .abandoned
      }
    }
    let doublings = Nanos(min(found.sends - 1, 16))
    let pause = ReviewQueue.jittered(
      min(ReviewQueue.resendNanos << doublings, ReviewQueue.resendNanosMax), using: &random)
    let wanted = Nanos(min(max(seconds ?? 0, 0), ReviewQueue.retryAfterSecondsMax)) * .second
    found.due = now.saturatingAdding(max(pause, wanted))
    pending[review] = found
    return .waits
  }

  /// Half of it to all of it: what began together does not stay together.
  private static func jittered(
    _ pause: Nanos, using random: inout some RandomNumberGenerator
  ) -> Nanos {
    pause / 2 + Nanos.random(in: 0...pause / 2, using: &random)
  }
}

// What waits is few and small, so it is kept as a whole.
extension ReviewQueue {
  /// The oldest first.
  var kept: [Pending] {
    pending.values.sorted { ($0.deadline, $0.review.callback) < ($1.deadline, $1.review.callback) }
  }

  /// Takes up what waited when the process before this one ended. What it was busy with is done
  /// again: GitHub refuses a second answer, which is no harm. What this queue cannot have written is
  /// left out.
  mutating func restore(_ kept: [Pending]) {
    for found in kept.prefix(ReviewQueue.pendingMax)
    where (0..<ReviewQueue.sendsMax).contains(found.sends)
      && (0...ReviewQueue.reportsMax).contains(found.reports)
    {
      pending[found.review] = found
    }
  }
}
