internal import Glibc
internal import Model

/// Every quantity that can shift, window by window.
struct ShiftHistory {
  struct Key: Hashable {
    var metric: LevelShift.Metric
    var place: LevelShift.Place
  }

  let windowsCount: Int
  private let seconds: Double
  private(set) var series: [Key: ObservedSeries] = [:]
  /// Which operations a node has.
  private(set) var operations: [NameID: Set<NameID>] = [:]
  private let empty: ObservedSeries

  /// - Parameter seconds: how long one window is.
  init(_ windows: [Window], seconds: Double) {
    windowsCount = windows.count
    self.seconds = seconds
    empty = ObservedSeries(windows: windows.count)
    for (position, window) in windows.enumerated() {
      for (key, sums) in window.series {
        switch key.kind {
        case .node:
          let place = LevelShift.Place(node: NameID(key.first))
          addTime(sums.ownTime, .selfTime, place, position)
          addOrigins(sums, place, position)
          addRequests(sums, place, position, seconds)
        case .operation:
          let place = LevelShift.Place(node: NameID(key.first), part: NameID(key.second))
          addTime(sums.ownTime, .selfTime, place, position)
          addOrigins(sums, place, position)
          operations[place.node, default: []].insert(place.part)
        case .version where key.second != 0:
          let place = LevelShift.Place(node: NameID(key.first), part: NameID(key.second))
          addTime(sums.ownTime, .selfTime, place, position)
        case .edge:
          let place = LevelShift.Place(node: NameID(key.first), other: NameID(key.second))
          addTime(sums.ownTime, .gap, place, position)
        default: break
        }
      }
    }
    addCalls(windows, perMinute: max(1, Int((60 / seconds).rounded())))
  }

  private mutating func add(
    _ metric: LevelShift.Metric, _ place: LevelShift.Place, _ value: Double, _ weight: Double,
    at position: Int
  ) {
    let key = Key(metric: metric, place: place)
    series[key, default: empty].values[position] = value
    series[key, default: empty].weights[position] = weight
  }

  private mutating func addTime(
    _ times: Histogram, _ metric: LevelShift.Metric, _ place: LevelShift.Place, _ position: Int
  ) {
    guard let time = LogLatency(times) else { return }
    add(metric, place, time.mean, time.weight, at: position)
  }

  private mutating func addOrigins(_ sums: Sums, _ place: LevelShift.Place, _ position: Int) {
    let requests = adjusted(sums, .requestsAdjusted)
    guard requests > 0 else { return }
    add(
      .errorOrigins, place, adjusted(sums, .errorOriginsAdjusted) / requests, requests,
      at: position)
  }

  private mutating func addRequests(
    _ sums: Sums, _ place: LevelShift.Place, _ position: Int, _ seconds: Double
  ) {
    let key = Key(metric: .requestRate, place: place)
    if series[key] == nil {
      // No requests is a number like any other, and no less sure.
      series[key] = ObservedSeries(
        values: Array(repeating: ShiftHistory.logRate(0, seconds), count: windowsCount),
        weights: Array(repeating: 1, count: windowsCount))
    }
    let rate = ShiftHistory.logRate(adjusted(sums, .requestsAdjusted), seconds)
    series[key, default: empty].values[position] = rate
  }

  /// Half a request more, so that none has a logarithm.
  private static func logRate(_ requests: Double, _ seconds: Double) -> Double {
    log((requests + 0.5) / seconds)
  }

  /// Of the requests of an operation, the share that made a call; none where it made none in a minute.
  /// Calls are summed by the minute, so both are.
  private mutating func addCalls(_ windows: [Window], perMinute: Int) {
    var nodes: [NameID: NameID] = [:]
    var asked: [NameID: [Double]] = [:]
    var made: [SeriesKey: [Double]] = [:]
    let minutes = (windows.count + perMinute - 1) / perMinute
    let none = Array(repeating: 0.0, count: minutes)
    for (position, window) in windows.enumerated() {
      let minute = position / perMinute
      for (key, sums) in window.series {
        if key.kind == .operation {
          nodes[NameID(key.second)] = NameID(key.first)
          asked[NameID(key.second), default: none][minute] += Double(sums.counters[.requests])
        } else if key.kind == .call {
          made[key, default: none][minute] += Double(sums.counters[.traces])
        }
      }
    }
    for (key, made) in made {
      let operation = NameID(key.first)
      guard let node = nodes[operation], let asked = asked[operation] else { continue }
      let place = LevelShift.Place(node: node, other: NameID(key.second), part: operation)
      for minute in 0..<minutes where asked[minute] > 0 {
        add(
          .callProbability, place, min(1, made[minute] / asked[minute]), asked[minute],
          at: minute * perMinute)
      }
    }
  }

  /// What a window varies at least, because of how few events it has: as `ChangePoints` asks for it.
  func varianceFloor(of key: Key) -> Double {
    guard let series = series[key] else { return 0 }
    let used = series.used
    guard !used.isEmpty else { return 0 }
    let tempered = series.tempered
    let perEvent: Double
    switch key.metric {
    case .selfTime, .gap: perEvent = LogLatency.varianceInsideBucket
    case .errorOrigins, .callProbability:
      let share = series.mean(0..<windowsCount) ?? 0
      perEvent = share * (1 - share)
    case .requestRate:
      // The variance of the logarithm of a Poisson count.
      return used.reduce(0) { $0 + 1 / (exp(series.values[$1]) * seconds) } / Double(used.count)
    }
    return used.reduce(0) { $0 + tempered.weights[$1] * perEvent / series.weights[$1] }
      / Double(used.count)
  }

  private func adjusted(_ sums: Sums, _ field: Counters.Field) -> Double {
    Double(sums.counters[field]) / Double(SpanRecord.weightOne)
  }
}
