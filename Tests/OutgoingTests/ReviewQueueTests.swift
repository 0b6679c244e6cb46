import Foundation
import Markers
import Model
import TestSupport
import Testing

@testable import Outgoing

@Suite struct ReviewQueueTests {
  private var random = SeededGenerator(seed: 1)

  /// Scenario: the gate waits, then has a verdict; GitHub fails twice and takes the answer.
  /// Guarantees: one report of what is missing, one answer sent three times with growing pauses, and
  /// nothing after that.
  @Test mutating func life() throws {
    var queue = ReviewQueue(patience: .hour, outcome: .rejected)
    let review = try review()
    #expect(queue.add(review, now: start) == .added)
    #expect(queue.add(review, now: start + .second) == .known)
    var now = start
    #expect(queue.steps(now: now, countMax: 8) == [.ask(review)])
    #expect(queue.steps(now: now, countMax: 8) == [])
    queue.asked(review, nil, "wait: no data", now: now, using: &random)
    #expect(
      queue.steps(now: now, countMax: 8) == [.send(review, ReviewAnswer(nil, "wait: no data"))])
    #expect(queue.sent(review, .taken, now: now, using: &random) == .waits)
    #expect(queue.steps(now: now, countMax: 8) == [])
    now += ReviewQueue.askNanos
    #expect(queue.steps(now: now, countMax: 8) == [.ask(review)])
    queue.asked(review, .approved, "promote: fine", now: now, using: &random)
    var pauses: [Nanos] = []
    for attempt in 1...3 {
      let sent = now
      while queue.steps(now: now, countMax: 8).isEmpty { now += .second / 10 }
      pauses.append(now - sent)
      let progress = queue.sent(
        review, attempt < 3 ? .failed(retryAfterSeconds: nil) : .taken, now: now, using: &random)
      #expect(progress == (attempt < 3 ? .waits : .answered))
    }
    #expect(pauses[0] == 0 && (1...2).contains(pauses[1] / .second))
    #expect((2...4).contains(pauses[2] / .second))
    #expect(queue.count == 0 && queue.steps(now: .max, countMax: 8) == [])
  }

  /// Scenario: the gate never has a verdict; GitHub is away for good, or says when to come back.
  /// Guarantees: when the time is over, what was set up is answered and says so; the attempts end; a
  /// pause that is asked for is kept, up to an hour.
  @Test(arguments: ReviewAnswer.State.allCases)
  func undecided(outcome: ReviewAnswer.State) throws {
    var random = SeededGenerator(seed: 2)
    var queue = ReviewQueue(patience: .minute, outcome: outcome)
    let review = try review()
    #expect(queue.add(review, now: start) == .added)
    var answers: [ReviewAnswer] = []
    var progress = ReviewQueue.Progress.waits
    var now = start
    while progress == .waits, now < start + 100 * .hour {
      for step in queue.steps(now: now, countMax: 8) {
        switch step {
        case .ask: queue.asked(review, nil, "wait: \(now)", now: now, using: &random)
        case .send(_, let answer):
          answers.append(answer)
          let seconds = answers.count == 3 ? 100_000 : nil
          progress = queue.sent(
            review, .failed(retryAfterSeconds: seconds), now: now, using: &random)
        }
      }
      now += .second
    }
    #expect(progress == .abandoned && queue.count == 0)
    let final = answers.filter { $0.state != nil }
    #expect(final.count == ReviewQueue.sendsMax && Set(final).count == 1)
    #expect(final[0].state == outcome && final[0].comment.contains("no verdict in time"))
    #expect(now - start < 3 * .hour)
  }

  /// Scenario: a gate that says something else each time, for a month.
  /// Guarantees: GitHub gets ten reports, further and further apart, and the answer.
  @Test func reports() throws {
    var random = SeededGenerator(seed: 3)
    var queue = ReviewQueue(patience: 30 * .day, outcome: .rejected)
    let review = try review()
    #expect(queue.add(review, now: start) == .added)
    var times: [Nanos] = []
    var progress = ReviewQueue.Progress.waits
    var now = start
    while progress == .waits {
      let steps = queue.steps(now: now, countMax: 8)
      for step in steps {
        switch step {
        case .ask: queue.asked(review, nil, "wait: \(now)", now: now, using: &random)
        case .send(_, let answer):
          if answer.state == nil { times.append(now) }
          progress = queue.sent(review, .taken, now: now, using: &random)
        }
      }
      if steps.isEmpty { now += 5 * .second }
    }
    #expect(progress == .answered && times.count == 10)
    let pauses = zip(times, times.dropFirst()).map { $1 - $0 }
    #expect(pauses[0] >= .minute && zip(pauses, pauses.dropFirst()).allSatisfy { $0 < $1 })
    #expect(now - start >= 30 * .day && now - start < 30 * .day + .minute)
  }

  /// Scenario: more reviews than may wait; a few are taken at a time.
  /// Guarantees: what is too much is refused until one is over; none is handed out twice.
  @Test func bounds() throws {
    var random = SeededGenerator(seed: 4)
    var queue = ReviewQueue(patience: .hour, outcome: .rejected)
    for run in 0..<ReviewQueue.pendingMax {
      #expect(queue.add(try review(run: run), now: start) == .added)
    }
    let extra = try review(run: 9_999)
    #expect(queue.add(extra, now: start) == .full)
    let first = queue.steps(now: start, countMax: 8)
    let second = queue.steps(now: start, countMax: 8)
    #expect(first.count == 8 && second.count == 8)
    #expect(first.allSatisfy { !second.contains($0) })
    guard case .ask(let review) = first[0] else {
      Issue.record("nothing was asked yet")
      return
    }
    queue.asked(review, .rejected, "rollback", now: start, using: &random)
    #expect(queue.steps(now: start, countMax: 1).count == 1)
    var progress = queue.sent(review, .refused, now: start, using: &random)
    #expect(progress == .refused && queue.add(extra, now: start) == .added)
    progress = queue.sent(review, .taken, now: start, using: &random)
    #expect(progress == .waits)
    queue.remove(extra)
    #expect(queue.count == ReviewQueue.pendingMax - 1)
  }

  /// Scenario: chance decides what gate and GitHub say, and when the process is killed and started again.
  /// Guarantees: every review ends; after its verdict GitHub is told nothing else; at most ten reports
  /// and so many attempts are made between two kills; times never stand still for long.
  @Test func anyHistory() async throws {
    let seed = SeededGenerator().seed
    try await withFolder { folder in
      var random = SeededGenerator(seed: seed)
      let file = ReviewFile(directory: folder)
      for _ in 0..<20 {
        let patience = Nanos(1 + random.below(7_200)) * .second
        var queue = ReviewQueue(patience: patience, outcome: .rejected)
        let reviews = try (0..<3).map { try review(run: $0) }
        for review in reviews { #expect(queue.add(review, now: start) == .added) }
        var decided: [DeploymentReview: ReviewAnswer] = [:]
        var reports: [DeploymentReview: Int] = [:]
        var now = start
        var restarts = 0
        while queue.count > 0 {
          try #require(now < start + 24 * .hour)
          try file.write(queue)
          if restarts < 3, random.once(in: 40) {
            queue = ReviewQueue(patience: patience, outcome: .rejected)
            try file.restore(&queue)
            restarts += 1
          }
          for step in queue.steps(now: now, countMax: 2) {
            switch step {
            case .ask(let review):
              #expect(decided[review] == nil)
              let states: [ReviewAnswer.State?] = [nil, nil, nil, .approved, .rejected]
              queue.asked(
                review, states[random.below(5)], "\(random.below(3))", now: now, using: &random)
            case .send(let review, let answer):
              if answer.state == nil {
                reports[review, default: 0] += 1
              } else {
                #expect(decided[review] == nil || decided[review] == answer)
                decided[review] = answer
              }
              let deliveries: [ReviewQueue.Delivery] = [
                .taken, .refused, .failed(retryAfterSeconds: nil),
                .failed(retryAfterSeconds: Int(random.below(100))),
              ]
              _ = queue.sent(review, deliveries[random.below(4)], now: now, using: &random)
            }
          }
          now += Nanos(random.below(5_000)) * .millisecond
        }
        #expect(decided.count == 3)
        #expect(reports.values.allSatisfy { $0 <= ReviewQueue.reportsMax })
      }
    }
  }

  /// Scenario: a file somebody else wrote: no JSON, numbers out of range.
  /// Guarantees: an error, or the rest without it; never a crash. No file is nothing.
  @Test func damaged() async throws {
    try await withFolder { folder in
      let file = ReviewFile(directory: folder)
      var queue = ReviewQueue(patience: .hour, outcome: .rejected)
      try file.restore(&queue)
      #expect(queue.count == 0)
      #expect(queue.add(try review(run: 1), now: start) == .added)
      #expect(queue.add(try review(run: 2), now: start) == .added)
      try file.write(queue)
      let path = folder + "/github-reviews.json"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      var restored = ReviewQueue(patience: .hour, outcome: .rejected)
      try file.restore(&restored)
      #expect(restored.kept == queue.kept)
      for (from, to) in [
        (#""sends":0"#, #""sends":-1"#), (#""sends":0"#, #""sends":9223372036854775807"#),
        (#""reports":0"#, #""reports":64"#),
      ] {
        let first = try #require(text.firstRange(of: from))
        try text.replacingCharacters(in: first, with: to)
          .write(toFile: path, atomically: true, encoding: .utf8)
        var partly = ReviewQueue(patience: .hour, outcome: .rejected)
        try file.restore(&partly)
        #expect(partly.count == 1, "\(to)")
      }
      for broken in ["", "{", "[{}]", "[7]", String(text.dropLast(9))] {
        try broken.write(toFile: path, atomically: true, encoding: .utf8)
        var none = ReviewQueue(patience: .hour, outcome: .rejected)
        #expect(throws: (any Error).self) { try file.restore(&none) }
        #expect(none.count == 0)
      }
    }
  }
}
