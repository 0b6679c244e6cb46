import Impact
import Logging
import Markers
import Model
import Outgoing
import Query
import Synchronization

/// The deployments that GitHub holds back until the gate has said something.
///
/// What to do when is decided by `ReviewQueue`; here it is done: the gate is asked, GitHub is told,
/// and what waits is kept on disk, before a message is acknowledged and after whatever changes it.
final class DeploymentReviews: Sendable {
  /// What the gate says.
  struct Opinion: Sendable {
    var verdict: Verdict
    var comment: String
  }

  typealias Asking = @Sendable (GateRequest) async throws -> Opinion

  /// What became of reviews, and of reports about them.
  enum Outcome: String, CaseIterable {
    case approved, rejected
    /// GitHub would not take the answer.
    case refused
    /// GitHub could not be reached often enough.
    case abandoned
    /// There was no room for it.
    case full
  }

  private struct State {
    var queue: ReviewQueue
    var counts: [Outcome: UInt64] = [:]
    var reports: UInt64 = 0
    var failures: UInt64 = 0
    var random = SystemRandomNumberGenerator()
  }

  /// Things done at the same time.
  static let stepsMax = 8

  private let state: Mutex<State>
  private let reviewer: GitHubReviewer
  private let file: ReviewFile
  private let logger: Logger
  private let clock: @Sendable () -> Nanos

  init(
    configuration: GitHubSection, reviewer: GitHubReviewer, file: ReviewFile, logger: Logger,
    clock: @escaping @Sendable () -> Nanos
  ) {
    self.reviewer = reviewer
    self.file = file
    self.logger = logger
    self.clock = clock
    var queue = ReviewQueue(
      patience: configuration.reviewWait, outcome: configuration.reviewUndecided)
    do {
      try file.restore(&queue)
    } catch {
      logger.error(
        "The reviews that waited cannot be read and are not answered.",
        metadata: ["error": "\(error)"])
    }
    state = Mutex(State(queue: queue))
  }

  /// - Errors: what keeps it from being kept.
  func add(_ review: DeploymentReview) throws -> ReviewAdmission {
    guard reviewer.address.isReview(review.callback, of: review.repository) else {
      return .foreign("\(reviewer.address)/repos/\(review.repository)/actions/runs/")
    }
    return try state.withLock { state in
      switch state.queue.add(review, now: clock()) {
      case .known: return .known
      case .full:
        state.counts[.full, default: 0] &+= 1
        return .full
      case .added:
        do {
          try file.write(state.queue)
        } catch {
          state.queue.remove(review)
          throw error
        }
        return .added
      }
    }
  }

  /// Does what is due, and returns when it is done.
  /// - Errors: what keeps the rest from being kept; it is done all the same.
  func work(asking ask: @escaping Asking) async throws {
    let steps = state.withLock {
      $0.queue.steps(now: clock(), countMax: DeploymentReviews.stepsMax)
    }
    guard !steps.isEmpty else { return }
    await withTaskGroup { group in
      for step in steps {
        group.addTask {
          switch step {
          case .ask(let review): await self.ask(about: review, ask)
          case .send(let review, let answer): await self.tell(answer, review)
          }
        }
      }
    }
    try state.withLock { try file.write($0.queue) }
  }

  private func ask(about review: DeploymentReview, _ ask: Asking) async {
    let request = GateRequest(
      tenant: TenantID(review.tenant), service: review.service, namespace: review.namespace,
      environment: review.environment, version: review.version)
    var answer: ReviewAnswer.State?
    var comment: String
    do {
      let opinion = try await ask(request)
      comment = opinion.comment
      answer =
        switch opinion.verdict {
        case .promote: .approved
        case .rollback: .rejected
        case .wait: nil
        }
    } catch {
      logger.error("The gate cannot be asked for a review.", metadata: ["error": "\(error)"])
      comment = "wait: the gate cannot be asked at the moment"
    }
    state.withLock {
      $0.queue.asked(review, answer, comment, now: clock(), using: &$0.random)
    }
  }

  private func tell(_ answer: ReviewAnswer, _ review: DeploymentReview) async {
    let (delivery, problem) = await reviewer.deliver(answer, to: review, now: clock())
    let progress = state.withLock { state in
      if delivery != .taken { state.failures &+= 1 }
      let progress = state.queue.sent(review, delivery, now: clock(), using: &state.random)
      switch progress {
      case .waits: if answer.state == nil, delivery == .taken { state.reports &+= 1 }
      case .answered:
        state.counts[answer.state == .approved ? .approved : .rejected, default: 0] &+= 1
      case .refused: state.counts[.refused, default: 0] &+= 1
      case .abandoned: state.counts[.abandoned, default: 0] &+= 1
      }
      return progress
    }
    guard delivery != .taken else { return }
    let isOver = progress == .refused || progress == .abandoned
    logger.log(
      level: isOver ? .error : .warning,
      isOver ? "GitHub was not answered." : "GitHub could not be told; it is tried again.",
      metadata: [
        "repository": "\(review.repository)", "environment": "\(review.environmentName)",
        "problem": "\(problem)",
      ])
  }

  var metrics: [Metric] {
    state.withLock { state in
      [
        Metric(
          "spangate_github_reviews_total", .counter,
          help: "Deployments GitHub held back, by what became of them.",
          samples: Outcome.allCases.map {
            .init(Double(state.counts[$0] ?? 0), labels: ["outcome": $0.rawValue])
          }),
        Metric(
          "spangate_github_reviews_waiting", .gauge, help: "Those that wait for an answer.",
          value: Double(state.queue.count)),
        Metric(
          "spangate_github_reports_total", .counter,
          help: "Reports GitHub took about those that wait.", value: Double(state.reports)),
        Metric(
          "spangate_github_failures_total", .counter,
          help: "Answers and reports GitHub did not take, each time.",
          value: Double(state.failures)),
      ]
    }
  }
}
