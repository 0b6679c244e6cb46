internal import Glibc
internal import Model

/// What is seen about the service of a simulated rollout: whom it calls and who calls it, services that
/// have nothing to do with it, operations, instances, and markers.
///
/// Its noise is drawn apart from that of the versions' comparison; the truth is the same for both.
struct SimulatedSystem {
  /// What is true about it besides the rollout.
  struct Truth: Equatable, Sendable {
    /// What makes the service worse; `noise` for nothing.
    var cause = Hypothesis.Kind.noise
    /// How many times as long it takes for that, and as many errors.
    var latencyFactor = 1.0
    var errorsFactor = 1.0
    /// Where another change is, or one that did nothing: here, below or everywhere; nil for none.
    var marker: Circumstances.Place?
    /// Requests rise by this factor.
    var requestsFactor = 1.0
    /// How many instances there are after the change, of four.
    var instances = 4
    /// All others are slower by this factor from then on.
    var shock = 1.0
    /// From which minute to which it lasts; nil for as long as anybody looks.
    var minutes: ClosedRange<Double>?
  }

  static let minutesBefore = 60
  private static let before = minutesBefore * 6

  private let scenario: GateScenario
  private let truth: Truth
  private var random: SimulatedRandom
  private var drifts: [NameID: Double] = [:]
  private let names: SimulatedNames

  init(_ scenario: GateScenario, _ truth: Truth, seed: UInt64) {
    self.scenario = scenario
    self.truth = truth
    random = SimulatedRandom(seed: SimulatedRandom.seed(seed, run: 1))
    names = SimulatedNames()
  }

  /// What is known of it so many minutes after the change.
  mutating func circumstances(after minutes: Int) -> Circumstances {
    let start = SimulatedTraffic.start
    let first = start - Nanos(SimulatedSystem.minutesBefore) * .minute
    let windows = (0..<SimulatedSystem.before + minutes * 6).map { window($0) }
    let isReplaced = scenario.replacement != nil
    var search = CircumstanceSearch(
      CircumstanceSearch.Subject(
        service: names.own, version: "v42", marker: nil, start: start,
        baseline: isReplaced ? .none : names.old, baselineText: "v41"),
      in: CircumstanceSearch.Stretch(start: first, width: windowNanos, windows: windows),
      names: names.all,
      label: { [all = names.all] id in
        all[id].map { NodeIdentity(text: $0.text).name } ?? ""
      })
    return search.run(markers(at: start))
  }

  private func markers(at start: Nanos) -> [Marker] {
    switch truth.marker {
    case .own where truth.cause == .scaling:
      [
        Marker(
          kind: .scaling, service: "checkout", time: start,
          scaling: Marker.Scaling(from: 4, to: truth.instances))
      ]
    case .own: [Marker(kind: .config, service: "checkout", time: start)]
    case .below: [Marker(kind: .deployment, service: "stock", time: start, version: "v7")]
    case .everywhere: [Marker(kind: .infrastructure, service: "", time: start)]
    case nil: []
    }
  }

  // MARK: - Windows

  private static let variance = 0.25
  /// Requests a second of all but the service's own way.
  private static let otherRate = 20.0
  /// Of its requests those that ask for the operation that takes four times as long.
  private static let slowShare = 0.2
  private static let slowFactor = 4.0
  private static let ownMilliseconds = 25.0
  private static let calledMilliseconds = 8.0

  private mutating func window(_ index: Int) -> Window {
    let minute = Double(index - SimulatedSystem.before) / 6
    let isOn = minute >= 0 && (truth.minutes?.contains(minute) ?? true)
    let load = (1 + 0.2 * sin(minute / 30 * 2 * .pi)) * (minute >= 0 ? truth.requestsFactor : 1)
    let rate = (scenario.currentRate + scenario.baselineRate) * load
    let factor = isOn ? truth.latencyFactor : 1
    let everybodys = drift(.none, kept: 0.9, step: 0.01)
    let shock = minute >= 0 ? truth.shock : 1
    var sums: [(SeriesKey, Sums)] = []
    let stock = called(names.stock, rate, factor, everybodys + log(shock), isOn, &sums)
    own(rate, minute, isOn ? factor : 1, everybodys + log(shock), stock, isOn, &sums)
    for other in names.controls {
      let time =
        log(SimulatedSystem.calledMilliseconds * 1e6) + everybodys + log(shock)
        + (truth.cause == .platform ? log(factor) : 0) + drift(other, kept: 0.8, step: 0.01)
      sums.append(
        (.node(other), node(requests: random.poisson(SimulatedSystem.otherRate * 10), time, time)))
    }
    var window = Window()
    for (key, found) in sums { window.merge(found, at: key) }
    return window
  }

  /// - Returns: how long it takes, nanoseconds, and the share of its answers that are errors.
  private mutating func called(
    _ service: NameID, _ rate: Double, _ factor: Double, _ shared: Double, _ isOn: Bool,
    _ sums: inout [(SeriesKey, Sums)]
  ) -> (time: Double, errorRate: Double) {
    let isCause =
      truth.cause == .dependency || truth.cause == .otherChange && truth.marker == .below
    // Its part in the time of the caller is a quarter, so it gets as much slower as makes the whole so.
    let whole = SimulatedSystem.ownTime + SimulatedSystem.calledMilliseconds
    let added = isCause ? whole * (factor - 1) : 0
    let time =
      log(
        (SimulatedSystem.calledMilliseconds + added) * 1e6
          * (truth.cause == .platform ? factor : 1)) + shared
      + drift(service, kept: 0.8, step: 0.01)
    let errorRate = isCause && isOn ? scenario.errorRate * (truth.errorsFactor - 1) : 0
    let requests = random.poisson(rate * 10)
    let errors = random.poisson(Double(requests) * errorRate)
    let series = node(requests: requests, time, time, errors: errors, origins: errors)
    sums.append((.node(service), series))
    var edge = series
    edge.ownTime = Histogram()
    sums.append((.edge(names.own, service, .direct), edge))
    return (exp(time), errorRate)
  }

  /// What the service takes itself over both of its operations, milliseconds.
  private static var ownTime: Double { ownMilliseconds * (1 + (slowFactor - 1) * slowShare) }

  private mutating func own(
    _ rate: Double, _ minute: Double, _ factor: Double, _ shared: Double,
    _ stock: (time: Double, errorRate: Double), _ isOn: Bool, _ sums: inout [(SeriesKey, Sums)]
  ) {
    let isLocal: Bool =
      switch truth.cause {
      case .load, .scaling: true
      case .otherChange: truth.marker == .own
      default: false
      }
    // The whole is to be slower by the factor, and what is called is not.
    let whole = SimulatedSystem.ownTime + SimulatedSystem.calledMilliseconds
    let added =
      isLocal ? (whole * factor - SimulatedSystem.calledMilliseconds) / SimulatedSystem.ownTime : 1
    let everywhere = truth.cause == .platform ? factor : 1
    let time =
      log(SimulatedSystem.ownMilliseconds * 1e6) + shared + log(added * everywhere)
      + drift(names.own, kept: 0.8, step: 0.01)
    var slow = SimulatedSystem.slowShare
    if truth.cause == .operationMix {
      slow =
        ((whole * factor - SimulatedSystem.calledMilliseconds) / SimulatedSystem.ownMilliseconds - 1)
        / (SimulatedSystem.slowFactor - 1)
    }
    let isRolledOut = minute >= 0
    let replaced = scenario.replacement != nil
    let shares: [(version: NameID, share: Double, isNew: Bool)] =
      !isRolledOut
      ? [(names.old, 1, false)]
      : replaced
        ? [(names.new, 1, true)]
        : [
          (names.new, scenario.currentRate / (scenario.currentRate + scenario.baselineRate), true),
          (
            names.old, scenario.baselineRate / (scenario.currentRate + scenario.baselineRate), false
          ),
        ]
    var all = Sums()
    for (version, share, isNew) in shares {
      var ofVersion = Sums()
      // Where something else made the version that replaced the other worse, it is that.
      let isGuilty = isNew && (!replaced || truth.cause == .noise)
      for (operation, part, times) in [
        (names.fast, 1 - slow, 1), (names.slow, slow, SimulatedSystem.slowFactor),
      ] {
        let mine = time + log(times) + (isGuilty ? log(scenario.latencyFactor) : 0)
        let requests = random.poisson(rate * 10 * share * part)
        let ownRate =
          scenario.errorRate * (isGuilty ? scenario.errorsFactor : 1)
          * (isLocal && isOn ? truth.errorsFactor : 1)
        let origins = random.poisson(Double(requests) * ownRate)
        let passed = random.poisson(Double(requests) * stock.errorRate)
        let total = log(exp(mine) + stock.time)
        let found = node(
          requests: requests, total, mine, errors: origins + passed, origins: origins)
        sums.append((.operation(names.own, operation), found))
        ofVersion.merge(found)
      }
      sums.append((.version(names.own, version), ofVersion))
      all.merge(ofVersion)
    }
    sums.append((.node(names.own), all))
    var entry = all
    entry.ownTime = Histogram()
    entry.counters[.errorOriginsAdjusted] = 0
    fill(&entry.ownTime, mean: log(2e6) + shared, count: entry.counters[.requests])
    sums.append((.node(names.front), entry))
    var edge = all
    edge.ownTime = Histogram()
    sums.append((.edge(names.front, names.own, .direct), edge))
    for position in 0..<(isRolledOut ? truth.instances : 4) {
      sums.append(
        (
          .instance(
            names.own, names.instance(position, isNew: isRolledOut && replaced), version: .none),
          all
        ))
    }
  }

  private mutating func node(
    requests: Int64, _ latency: Double, _ own: Double, errors: Int64 = 0, origins: Int64 = 0
  ) -> Sums {
    var sums = Sums()
    let weight = Int64(SpanRecord.weightOne)
    let errors = min(errors, requests)
    sums.counters[.requests] = requests
    sums.counters[.traces] = requests
    sums.counters[.errors] = errors
    sums.counters[.errorTraces] = errors
    sums.counters[.requestsAdjusted] = requests * weight
    sums.counters[.errorsAdjusted] = errors * weight
    sums.counters[.errorOriginsAdjusted] = min(origins, requests) * weight
    let noise =
      (SimulatedSystem.variance / Double(max(requests, 1))).squareRoot() * random.normal()
    fill(&sums.latency, mean: latency + noise, count: requests)
    fill(&sums.ownTime, mean: own + noise, count: requests)
    return sums
  }

  /// Quantiles of a normal distribution: the middles of five equal parts.
  private static let quantiles = [-1.282, -0.524, 0, 0.524, 1.282]

  private func fill(_ histogram: inout Histogram, mean: Double, count: Int64) {
    guard count > 0 else { return }
    let spread = SimulatedSystem.variance.squareRoot()
    let weight = count * Int64(SpanRecord.weightOne) / Int64(SimulatedSystem.quantiles.count)
    for quantile in SimulatedSystem.quantiles {
      histogram.add(Nanos(exp(mean + quantile * spread)), weight: weight)
    }
  }

  /// What goes on from window to window by itself.
  private mutating func drift(_ node: NameID, kept: Double, step: Double) -> Double {
    let next = kept * drifts[node, default: 0] + step * random.normal()
    drifts[node] = next
    return next
  }
}

/// Who is in a simulated system.
struct SimulatedNames {
  let own: NameID
  let front: NameID
  let stock: NameID
  let controls: [NameID]
  let old: NameID
  let new: NameID
  let fast: NameID
  let slow: NameID
  private(set) var all: [NameID: Name] = [:]

  init() {
    var all: [NameID: Name] = [:]
    func name(_ kind: NameKind, _ text: String, scope: NameID = .none) -> NameID {
      let name = Name(tenant: .standard, kind: kind, scope: scope, text: text)
      all[name.id] = name
      return name.id
    }
    func service(_ text: String) -> NameID { name(.service, NodeIdentity(name: text).text) }
    own = service("checkout")
    front = service("front")
    stock = service("stock")
    controls = (1...6).map { service("other-\($0)") }
    old = name(.version, "v41", scope: own)
    new = name(.version, "v42", scope: own)
    fast = name(.operation, "GET /cart", scope: own)
    slow = name(.operation, "POST /order", scope: own)
    self.all = all
  }

  func instance(_ position: Int, isNew: Bool) -> NameID {
    Name(
      tenant: .standard, kind: .instance, scope: own,
      text: "\(isNew ? "new" : "old")-\(position)"
    ).id
  }
}
