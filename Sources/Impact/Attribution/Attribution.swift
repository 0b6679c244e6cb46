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
    let known = question.circumstances
    let concurrent = question.concurrent.map { ConcurrentSigns($0) }
    let replaced = question.beforeAfter.map { ReplacementSigns($0) }
    var found =
      (concurrent?.terms(hasCircumstances: known != nil) ?? [])
      + (replaced?.terms(hasCircumstances: known != nil) ?? [])
    let start = question.concurrent?.start ?? question.beforeAfter?.start ?? 0
    let signs = known.map { known in
      CircumstanceSigns(
        known, start: start,
        isWorse: concurrent?.isWorse ?? false || replaced?.isWorse ?? false,
        dose: question.concurrent.flatMap { Dose($0.windows) })
    }
    found += signs?.terms ?? []
    for (kind, term) in found { terms[kind, default: []].append(term) }
    let sums = Hypothesis.Kind.allCases.map { kind in
      (terms[kind] ?? []).reduce(0) { $0 + $1.logOdds }
    }
    let all = EValue.logSumExp(sums)
    hypotheses = zip(Hypothesis.Kind.allCases, sums).map { kind, sum in
      var hypothesis = Hypothesis(
        kind: kind, probability: exp(sum - all), terms: terms[kind] ?? [])
      if let signs, let known { hypothesis.identify(by: signs, known, question) }
      return hypothesis
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
  /// Says who or what it would be.
  fileprivate mutating func identify(
    by signs: CircumstanceSigns, _ known: Circumstances, _ question: GateQuestion
  ) {
    switch kind {
    case .thisDeployment:
      name = question.concurrent?.version ?? question.beforeAfter?.version
    case .otherChange:
      marker = signs.otherChange
      name = marker?.title
    case .load: name = known.busiest?.name
    case .scaling:
      marker = signs.scaling
      name = known.instances.map { "\($0.before) to \($0.now) instances" } ?? marker?.title
    case .dependency:
      name = signs.dependency?.service
      caller = signs.dependency.flatMap { $0.caller.isEmpty ? nil : $0.caller }
    case .platform:
      marker = signs.platformChange
      name = marker?.title
    case .operationMix: name = known.mix?.name
    case .noise: break
    }
    if name?.isEmpty ?? false { name = nil }
  }

  /// `shop/stock, called by shop/checkout`, `deployment of shop/stock v7, mk_…`.
  public var identity: String? {
    let also = marker.map { "\($0.marker)" } ?? caller.map { "called by \($0)" }
    let parts = [name, also].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// Why a rollout waits for something that is not its doing.
  var waitReason: String {
    let what =
      switch kind {
      case .thisDeployment: "this change"
      case .otherChange: marker == nil ? "another change of the service" : "another change"
      case .load: "more requests"
      case .scaling: "instances that came or went"
      case .dependency: "something it calls"
      case .platform: "something that all services have in common"
      case .operationMix: "other operations being asked for"
      case .noise: "chance"
      }
    let why = terms.filter { $0.name != .prior }.max { $0.logOdds < $1.logOdds }?.why
    return
      "what got worse is more likely (\(percent(probability))) the doing of \(what)"
      + (identity.map { " (\($0))" } ?? "") + " than of this change" + (why.map { ": \($0)" } ?? "")
  }
}
