internal import Model

/// Everything a verdict rests on: what was seen of a version beside another, or before and after,
/// or both. The answer follows from it alone, so a verdict that is kept with its question can be
/// given again.
public struct GateQuestion: Equatable, Sendable {
  /// nil where no other version is known.
  public var concurrent: ConcurrentQuestion?
  /// nil where another version still runs beside it.
  public var beforeAfter: BeforeAfterQuestion?
  /// What else happened; nil where nobody looked, as for verdicts kept before anybody did.
  public var circumstances: Circumstances?

  public init(
    concurrent: ConcurrentQuestion? = nil, beforeAfter: BeforeAfterQuestion? = nil,
    circumstances: Circumstances? = nil
  ) {
    self.concurrent = concurrent
    self.beforeAfter = beforeAfter
    self.circumstances = circumstances
  }

  /// Those of the time it was asked; nil where there is nothing to judge.
  var rules: GateRules? { concurrent?.settings.rules ?? beforeAfter?.settings.rules }
}

extension Gate {
  /// A version that ran beside another is judged by that, as long as it decides something or the
  /// other still runs. Only then is before and after looked at: it is weaker evidence.
  public static func answer(_ question: GateQuestion) -> GateAnswer {
    let concurrent = question.concurrent.map { answer($0) }
    guard let beforeAfter = question.beforeAfter else {
      return concurrent ?? .waiting("there is nothing to compare with yet")
    }
    if let concurrent, concurrent.verdict != .wait || concurrent.leansTowardsHarm {
      return concurrent
    }
    return answer(beforeAfter)
  }
}

extension GateAnswer {
  /// One of the metrics is worse even at the favourable end of its interval.
  fileprivate var leansTowardsHarm: Bool {
    evidence.contains { item in
      item.decision == .harmed || item.metric != .errorRate && (item.interval?.lower ?? 0) > 1
    }
  }
}

extension ConcurrentQuestion {
  /// The baseline had traffic, in the hour before or since the start, and that it has none any more
  /// is no accident: it was replaced.
  public var baselineIsGone: Bool {
    var traffic = Traffic()
    let width = windows.first?.width ?? windowNanos
    let before = start.saturatingSubtracting(Nanos(history.count) * width)
    for (index, side) in history.enumerated() {
      traffic.add(side.traces, in: before.saturatingAdding(Nanos(index) * width), for: width)
    }
    for window in windows {
      traffic.add(window.baseline.traces, in: window.start, for: window.width)
    }
    return traffic.isSilent(until)
  }
}
