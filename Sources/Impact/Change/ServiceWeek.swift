public import Model

/// What became of one service over a week, or any other stretch: its deployments with what the gate
/// said of each and what each did, what else happened, its levels, and how it stood at both ends.
///
/// It follows from what is stored: windows, markers and kept verdicts. The gate is not asked again,
/// because the fine windows it would need are not kept that long; what a deployment did is the
/// comparison of the stretch before it with the one after it.
public struct ServiceWeek: Sendable {
  public struct Facts: Sendable {
    public var service: NameID
    /// Windows of one width, in order of time: of the stretch, and of the day before it.
    public var windows: [Window]
    public var dayBefore: [Window]
    /// Where the first window of the stretch begins, and how long each is.
    public var start: Nanos
    public var width: Nanos
    /// Of the service, and those that concern everything.
    public var markers: [Marker]
    /// Of the service.
    public var verdicts: [StoredVerdict]
    public var errorsTolerated: Double
    public var objective: ServiceObjective?

    public init(
      service: NameID, windows: [Window], dayBefore: [Window], start: Nanos, width: Nanos,
      markers: [Marker], verdicts: [StoredVerdict], errorsTolerated: Double,
      objective: ServiceObjective? = nil
    ) {
      self.service = service
      self.windows = windows
      self.dayBefore = dayBefore
      self.start = start
      self.width = max(width, 1)
      self.markers = markers
      self.verdicts = verdicts
      self.errorsTolerated = errorsTolerated
      self.objective = objective
    }

    public var end: Nanos { start.saturatingAdding(Nanos(windows.count) * width) }
  }

  /// What a deployment did.
  public enum Outcome: String, Sendable, CaseIterable {
    case worse
    case noWorse = "no_worse"
    case undecided
    case noData = "no_data"
  }

  public struct Deployment: Sendable {
    public var marker: Marker
    /// `promote`, `wait`, `rollback`; nil where the gate was not asked.
    public var verdict: String?
    public var effects: [ChangeEffect]
    public var outcome: Outcome

    /// Somebody took it back.
    public var isRolledBack: Bool { marker.state == .rolledBack }
  }

  /// How the service stood on a day.
  public struct Standing: Sendable, Equatable {
    public var health: Double?
    /// 0…1, and milliseconds; nil without requests.
    public var errorRate: Double?
    public var latencyP95: Double?
    public var latencyP99: Double?
    /// Whether it is within all it is held to; nil without requests.
    public var isMet: Bool?

    public init(
      health: Double? = nil, errorRate: Double? = nil, latencyP95: Double? = nil,
      latencyP99: Double? = nil, isMet: Bool? = nil
    ) {
      self.health = health
      self.errorRate = errorRate
      self.latencyP95 = latencyP95
      self.latencyP99 = latencyP99
      self.isMet = isMet
    }
  }

  /// In order of time.
  public private(set) var deployments: [Deployment] = []
  /// Everything else, in order of time.
  public private(set) var others: [Marker] = []
  /// Levels of the service that got worse, in order of time.
  public private(set) var shifts: [LevelShift]
  /// Of its first day and of its last.
  public private(set) var begin: Standing
  public private(set) var end: Standing
  public let facts: Facts

  /// Deployments compared at most, the newest; others and shifts told of at most.
  public static let deploymentsMax = 50
  public static let othersMax = 100
  public static let shiftsMax = 50

  public init(_ facts: Facts) {
    self.facts = facts
    let seconds = Double(facts.width) / Double(Nanos.second)
    let shifts = Shifts(
      facts.dayBefore + facts.windows, seconds: seconds, from: facts.dayBefore.count,
      isIncluded: { $0 == facts.service })
    self.shifts = Array(
      shifts.shifts.filter { $0.isWorse && $0.place.node == facts.service }
        .prefix(ServiceWeek.shiftsMax))
    let day = max(1, Int(Nanos.day / facts.width))
    begin = ServiceWeek.standing(
      Array(facts.windows.prefix(day)), facts, seconds)
    end = ServiceWeek.standing(Array(facts.windows.suffix(day)), facts, seconds)
    let ordered = facts.markers.sorted { ($0.time, $0.id) < ($1.time, $1.id) }
    let changes = ordered.filter { $0.kind == .deployment }
    others = Array(
      ordered.filter { $0.kind != .deployment }.suffix(ServiceWeek.othersMax))
    let first = max(0, changes.count - ServiceWeek.deploymentsMax)
    deployments = changes.indices.dropFirst(first).map { index in
      let next = index + 1 < changes.count ? changes[index + 1].time : facts.end
      let previous = index > 0 ? changes[index - 1].until : 0
      // A version that comes back later is judged anew.
      let again = changes[(index + 1)...].first { $0.version == changes[index].version }
      return ServiceWeek.deployment(
        changes[index], facts, seconds, after: previous, before: next, again: again?.time)
    }
  }

  /// Of the deployments that made something worse the one that did most, errors before latency.
  public var worst: Deployment? {
    func size(_ deployment: Deployment, _ metric: ChangeEffect.Metric) -> Double {
      let found = deployment.effects.first { $0.metric == metric && $0.decision == .harmed }
      return found?.effect.flatMap { $0.isFinite ? $0 : nil } ?? 0
    }
    return deployments.filter { $0.outcome == .worse }.max {
      (size($0, .errorRate), size($0, .latencyP95)) < (size($1, .errorRate), size($1, .latencyP95))
    }
  }

  /// When a level changed.
  public func time(of shift: LevelShift) -> Nanos {
    let window = Nanos(max(0, shift.onset - facts.dayBefore.count))
    return facts.start.saturatingAdding(window * facts.width)
  }

  private static func standing(
    _ windows: [Window], _ facts: Facts, _ seconds: Double
  ) -> Standing {
    var objectives: [NameID: ServiceObjective] = [:]
    objectives[facts.service] = facts.objective
    let health = SystemHealth(
      base: facts.dayBefore, current: windows, seconds: seconds,
      errorsTolerated: facts.errorsTolerated, objectives: objectives)
    var whole = Window()
    let key = SeriesKey.node(facts.service)
    for window in windows {
      if let sums = window.series[key] { whole.merge(sums, at: key) }
    }
    let point = ChangePoint(whole, of: facts.service)
    let p99 = whole.series[key]?.latency.quantileNanos(0.99)
    var standing = Standing(
      health: health.score(of: facts.service), errorRate: point.errorRate,
      latencyP95: point.latencyP95, latencyP99: p99.map { $0 / Double(Nanos.millisecond) })
    if let rate = standing.errorRate {
      let bounds = [
        (standing.latencyP95, facts.objective?.latencyP95),
        (standing.latencyP99, facts.objective?.latencyP99),
      ]
      standing.isMet =
        rate <= facts.objective?.errorRate ?? facts.errorsTolerated
        && bounds.allSatisfy { value, bound in
          guard let value, let bound else { return true }
          return value <= Double(bound) / Double(Nanos.millisecond)
        }
    }
    return standing
  }

  /// A day before it and a day after it at most, and no further than the deployments beside it: windows
  /// that hold one of them are of neither side.
  private static func deployment(
    _ marker: Marker, _ facts: Facts, _ seconds: Double, after previous: Nanos, before next: Nanos,
    again: Nanos?
  ) -> Deployment {
    let changed = marker.until
    let from = max(marker.time.saturatingSubtracting(.day), previous)
    let to = min(changed.saturatingAdding(.day), next)
    let first = facts.start.saturatingSubtracting(Nanos(facts.dayBefore.count) * facts.width)
    var before: [Window] = []
    var after: [Window] = []
    for (index, window) in (facts.dayBefore + facts.windows).enumerated() {
      let start = first.saturatingAdding(Nanos(index) * facts.width)
      let end = start.saturatingAdding(facts.width)
      if start >= from, end <= marker.time { before.append(window) }
      if start >= changed, end <= to { after.append(window) }
    }
    let impact = ChangeImpact(
      of: facts.service, .init(before: before, during: [], after: after), seconds: seconds,
      errorsTolerated: facts.objective?.errorRate ?? facts.errorsTolerated)
    let said = facts.verdicts.filter {
      $0.version == marker.version && $0.until >= marker.time && $0.since < again ?? .max
    }.max { ($0.until, $0.since) < ($1.until, $1.since) }?.verdict
    return Deployment(
      marker: marker, verdict: said, effects: impact.effects,
      outcome: outcome(marker, said, impact))
  }

  /// As with one change: a comparison of two versions says more than one of two times.
  private static func outcome(
    _ marker: Marker, _ verdict: String?, _ impact: ChangeImpact
  ) -> Outcome {
    if verdict == Verdict.rollback.rawValue { return .worse }
    if verdict == Verdict.promote.rawValue { return .noWorse }
    guard impact.hasBothSides else { return .noData }
    if impact.effects.contains(where: { $0.decision == .harmed }) { return .worse }
    let safe = impact.effects.filter { $0.decision == .safe }.map(\.metric)
    return [.errorRate, .latencyP95].allSatisfy(safe.contains) ? .noWorse : .undecided
  }
}
