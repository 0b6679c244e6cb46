internal import Glibc

/// Weighs what may have brought about what became of a service since a change.
///
/// Each piece of evidence adds to the logarithm of the odds of the hypotheses it tells about, none by more
/// than `Hypothesis.termMax`; probabilities are the shares of the odds. What nothing is known of adds
/// nothing, so a hypothesis without evidence keeps what it had beforehand. A pure function of what the
/// verdict rests on.
/// - Source: naive Bayes with bounded terms.
struct Attribution {
  let hypotheses: [Hypothesis]

  /// One is clearly ahead from this probability on, where the change asked about stays below the other.
  private static let aheadMin = 0.5
  private static let behindMax = 0.2

  init(_ question: GateQuestion) {
    var terms: [Hypothesis.Kind: [Hypothesis.Term]] = [:]
    for kind in Hypothesis.Kind.allCases {
      terms[kind] = [AttributionWeights.prior(of: kind)]
    }
    let found = question.concurrent.map { ConcurrentSigns($0).terms } ?? []
    let replaced = question.beforeAfter.map { ReplacementSigns($0).terms } ?? []
    for (kind, term) in found + replaced { terms[kind, default: []].append(term) }
    let sums = Hypothesis.Kind.allCases.map { kind in
      (terms[kind] ?? []).reduce(0) { $0 + $1.logOdds }
    }
    let all = EValue.logSumExp(sums)
    hypotheses = zip(Hypothesis.Kind.allCases, sums).map { kind, sum in
      Hypothesis(kind: kind, probability: exp(sum - all), terms: terms[kind] ?? [])
    }
  }

  /// What is clearly more likely than the change asked about; nil where nothing is, and where most
  /// likely nothing happened.
  var otherAhead: Hypothesis? {
    let own = hypotheses.first { $0.kind == .thisDeployment }?.probability ?? 0
    guard own < Attribution.behindMax,
      let first = hypotheses.max(by: { $0.probability < $1.probability }),
      first.kind != .thisDeployment, first.kind != .noise,
      first.probability >= Attribution.aheadMin
    else { return nil }
    return first
  }
}

extension Hypothesis {
  /// Why a rollout waits for something that is not its doing.
  var waitReason: String {
    let what =
      switch kind {
      case .thisDeployment: "this change"
      case .otherChange: "another change of the service"
      case .load: "more requests"
      case .scaling: "instances that came or went"
      case .dependency: "something it calls"
      case .platform: "something that all services have in common"
      case .operationMix: "other operations being asked for"
      case .noise: "chance"
      }
    let why = terms.filter { $0.name != .prior }.max { $0.logOdds < $1.logOdds }?.why
    return
      "what got worse is more likely (\(percent(probability))) the doing of \(what) than of this "
      + "change" + (why.map { ": \($0)" } ?? "")
  }
}
