internal import Glibc
internal import Model

/// A version that replaced another at once, among services that have nothing to do with it: what the
/// simulation knows of the truth, minute by minute.
///
/// Latency wanders for all together, to each as much as it is exposed to, and for each by itself.
struct SimulatedReplacement {
  /// The hours before the change that are known, and the minutes after it that are asked about.
  static let minutesBefore = 16 * 60
  static let minutesAfter = 30

  private let scenario: GateScenario
  private var random: SimulatedRandom
  /// The service asked about, then the controls: sums up to each minute.
  private var sums: [[Side]] = []

  init(_ scenario: GateScenario, seed: UInt64) {
    self.scenario = scenario
    random = SimulatedRandom(seed: seed)
    let minutes = SimulatedReplacement.minutesBefore + SimulatedReplacement.minutesAfter
    var shared: [Double] = []
    var drift = 0.0
    for _ in 0..<minutes {
      drift = 0.9 * drift + 0.02 * random.normal()
      shared.append(drift)
    }
    let controls = scenario.replacement?.controls ?? 0
    sums = (0...controls).map { _ in [] }
    for index in sums.indices { sums[index] = service(shared, isSubject: index == 0) }
  }

  private mutating func service(_ shared: [Double], isSubject: Bool) -> [Side] {
    let exposure = 1 + 0.3 * (2 * random.uniform() - 1)
    var own = 0.0
    var sum = Side.nothing
    var sums = [sum]
    for (minute, common) in shared.enumerated() {
      own = 0.8 * own + 0.01 * random.normal()
      let isAfter = minute >= SimulatedReplacement.minutesBefore
      var mean = 17 + exposure * common + own
      var errors = scenario.errorRate
      if isAfter {
        mean += exposure * log(scenario.replacement?.shock ?? 1)
        if isSubject {
          mean += log(scenario.latencyFactor)
          errors *= scenario.errorsFactor
        }
      }
      let requests = random.poisson(
        600 * (isAfter && isSubject ? scenario.shared.requestsFactor : 1))
      mean += (0.25 / Double(max(requests, 1))).squareRoot() * random.normal()
      sum = sum.merged(
        with: Side(
          traces: requests, errorTraces: random.poisson(Double(requests) * errors),
          latency: LogLatency(weight: Double(requests), mean: mean, variance: 0.25)))
      sums.append(sum)
    }
    return sums
  }

  /// What is asked so many minutes after the change.
  func question(after minutes: Int) -> BeforeAfterQuestion {
    let start = SimulatedTraffic.start
    let until = start + Nanos(minutes) * .minute
    let plan = StretchPlan(from: start, to: until, width: .minute)
    func minute(_ time: Nanos) -> Int {
      SimulatedReplacement.minutesBefore
        - Int(start.saturatingSubtracting(time) / .minute)
        + Int(time.saturatingSubtracting(start) / .minute)
    }
    func series(_ sums: [Side]) -> StretchSeries {
      func between(_ from: Int, _ to: Int) -> Side { sums[to].less(sums[max(from, 0)]) }
      func stretch(_ range: Range<Nanos>) -> Stretch {
        let first = minute(range.lowerBound)
        return Stretch(
          before: between(first - 60, first), after: between(first, minute(range.upperBound)))
      }
      return StretchSeries(now: stretch(plan.now), earlier: plan.earlier.map { stretch($0) })
    }
    let all = sums.map { series($0) }
    return BeforeAfterQuestion(
      version: "v42", start: start, until: until, subject: all[0], controls: Array(all.dropFirst()))
  }
}

extension Side {
  /// What came after `earlier`, which is part of it.
  fileprivate func less(_ earlier: Side) -> Side {
    Side(
      traces: traces - earlier.traces, errorTraces: errorTraces - earlier.errorTraces,
      latency: latency.map { all in
        guard let first = earlier.latency else { return all }
        return LogLatency(
          weight: all.weight - first.weight, sum: all.sum - first.sum,
          squares: all.squares - first.squares)
      })
  }
}
