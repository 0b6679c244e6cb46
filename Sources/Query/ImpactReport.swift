import Graph
import Impact
import Model

/// What is known of the effect of one change.
struct ImpactReport: Sendable {
  /// What came of it, in one word.
  enum Assessment: String, CaseIterable {
    /// It has not happened yet.
    case notYet = "not_yet"
    /// Nothing was seen of the service before or since.
    case noData = "no_data"
    case worse
    case noWorse = "no_worse"
    case undecided
  }

  /// One stretch: of the time before, during or after.
  struct Phase: Sendable {
    var start: Nanos
    var end: Nanos
    var windows: [Window] = []
  }

  var marker: Marker
  /// The service it is about; nil where there is none, or none was seen.
  var service: Name?
  var before: Phase?
  /// nil for what happened in a moment.
  var during: Phase?
  /// nil while it goes on.
  var after: Phase?
  var windowNanos: Nanos = 0
  /// nil before it happened.
  var impact: ChangeImpact?
  var names: [NameID: Name] = [:]
  /// What the gate says of the rollout; nil before it happened.
  var gate: GateReport?
  var answer: GateAnswer?
  /// What a reader should know before all else.
  var remarks: [String] = []

  /// How the service is written.
  var title: String {
    if let id = service.flatMap(NodeLabel.id) { return id }
    return marker.service.isEmpty ? "everything" : marker.service
  }

  /// A comparison of two versions says more than one of two times; without one, what got surely worse
  /// since then got worse, whatever the cause.
  var assessment: Assessment {
    guard let impact else { return .notYet }
    if answer?.verdict == .rollback { return .worse }
    if answer?.verdict == .promote { return .noWorse }
    if service == nil {
      return marker.service.isEmpty ? (impact.causes.isEmpty ? .undecided : .worse) : .noData
    }
    guard impact.hasBothSides else { return .noData }
    let judged = impact.effects.filter { $0.decision != nil }
    if judged.contains(where: { $0.decision == .harmed }) { return .worse }
    let needed: [ChangeEffect.Metric] = [.errorRate, .latencyP95]
    let safe = judged.filter { $0.decision == .safe }.map(\.metric)
    return needed.allSatisfy(safe.contains) ? .noWorse : .undecided
  }

  /// Sentences, the most important first; never none.
  var reasons: [String] {
    var reasons = remarks
    if let impact, let service {
      reasons += impact.effects.filter { $0.decision == .harmed }.map(ImpactText.sentence)
      if !impact.affected.isEmpty {
        let names = impact.affected.compactMap { self.names[$0.node].flatMap(NodeLabel.id) }
        reasons.append("got worse with it, upstream: \(names.prefix(8).joined(separator: ", "))")
      }
      if let first = impact.causes.first, first.node != service.id {
        let place = names[first.node].flatMap(NodeLabel.id) ?? "everywhere at once"
        reasons.append(
          "where it most likely began that the system is worse since then: \(place) "
            + "(\(first.kind.rawValue.replacing("_", with: " ")))")
      }
    } else if let impact, marker.service.isEmpty {
      let places = impact.causes.compactMap { names[$0.node].flatMap(NodeLabel.id) }
      reasons.append(
        impact.causes.isEmpty
          ? "nothing in the system got worse since then that is more than chance"
          : "places where the system got worse since then: "
            + (places.isEmpty ? "everywhere at once" : places.prefix(8).joined(separator: ", ")))
    }
    return reasons + (answer?.reasons ?? [])
  }
}

/// Figures of effects as a person reads them.
enum ImpactText {
  static func title(_ metric: ChangeEffect.Metric) -> String {
    switch metric {
    case .requestRate: "requests"
    case .errorRate: "errors"
    case .latencyP50: "latency p50"
    case .latencyP95: "latency p95"
    case .latencyP99: "latency p99"
    case .selfTime: "self time"
    }
  }

  static func figure(_ value: Double?, _ metric: ChangeEffect.Metric) -> String {
    guard let value, value.isFinite else { return "–" }
    switch metric {
    case .requestRate: return HumanText.rate(perSecond: value)
    case .errorRate: return HumanText.percent(value)
    default: return HumanText.duration(milliseconds: value)
    }
  }

  /// `+4.2% (-0.3% – +9.1%)`; of a difference in points: `+1.2 points`.
  static func effect(_ effect: ChangeEffect) -> String {
    guard let value = effect.effect else { return "–" }
    let text = change(value, effect)
    guard let interval = effect.interval else { return text }
    return "\(text) (\(change(interval.lower, effect)) – "
      + "\(interval.upper.map { change($0, effect) } ?? "?"))"
  }

  private static func change(_ value: Double, _ effect: ChangeEffect) -> String {
    let share = effect.isDifference ? value : value - 1
    guard share.isFinite else { return "–" }
    let sign = share < 0 ? "-" : "+"
    let text = HumanText.percent(share.magnitude)
    return effect.isDifference ? "\(sign)\(text.dropLast()) points" : "\(sign)\(text)"
  }

  static func sentence(_ effect: ChangeEffect) -> String {
    "\(title(effect.metric)) went from \(figure(effect.before, effect.metric)) to "
      + "\(figure(effect.since, effect.metric)): \(self.effect(effect))"
  }
}
