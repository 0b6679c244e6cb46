internal import Glibc
internal import Model

/// The search for shifts, with what it found so far.
struct ShiftSearch {
  let history: ShiftHistory
  private(set) var found: [LevelShift] = []
  private let windowsCount: Int
  private let seconds: Double
  private let days: [ShiftHistory]
  /// Where the windows lie among those of earlier days.
  private let times: [Double]

  init(_ windows: [Window], seconds: Double, days: Shifts.EarlierDays) {
    history = ShiftHistory(windows, seconds: seconds)
    windowsCount = windows.count
    self.seconds = seconds
    self.days = days.days.map { ShiftHistory($0, seconds: days.seconds) }
    times = windows.indices.map { (days.lead + (Double($0) + 0.5) * seconds) / days.seconds }
  }

  mutating func findAll() {
    let testable = history.series.filter { $0.value.used.count >= ChangePoints.windowsMin }
    guard !testable.isEmpty else { return }
    let alpha = Shifts.alpha / Double(testable.count)
    for (key, series) in testable {
      let adjusted = series.without(season(of: key))
      let points = ChangePoints.find(
        in: adjusted, alpha: alpha, varianceFloor: history.varianceFloor(of: key))
      for (index, point) in points.enumerated() {
        let following = points[(index + 1)...]
        guard let shift = shift(key, point, following) else { continue }
        found.append(shift)
      }
    }
    found.sort(by: Shifts.isStronger)
  }

  private func season(of key: ShiftHistory.Key) -> [Double]? {
    let days = days.compactMap { $0.series[key] }
    return DailySeason.profile(days, at: times)
  }

  /// 97.5 % of a normal distribution.
  private static let quantile = 1.96

  private func shift(
    _ key: ShiftHistory.Key, _ point: LevelStep, _ following: ArraySlice<LevelStep>
  ) -> LevelShift? {
    let difference = point.difference
    guard ShiftSearch.isLarge(key.metric, difference) else { return nil }
    let margin = ShiftSearch.quantile * point.error
    let isRatio = key.metric.isRatio
    func size(_ value: Double) -> Double { isRatio ? exp(value) : value }
    func level(_ value: Double) -> Double {
      switch key.metric {
      case .selfTime, .gap: exp(value) / Double(Nanos.millisecond)
      case .requestRate: exp(value)
      case .errorOrigins, .callProbability: min(max(value, 0), 1)
      }
    }
    let ended = following.first { later in
      (later.after - point.before).magnitude <= difference.magnitude / 2
    }
    return LevelShift(
      metric: key.metric, place: key.place, onset: point.position,
      onsetEarliest: point.interval.lowerBound, onsetLatest: point.interval.upperBound,
      before: level(point.before), after: level(point.after), size: size(difference),
      sizeLower: size(difference - margin), sizeUpper: size(difference + margin),
      deviation: point.error > 0
        ? difference / point.error : difference > 0 ? 100 : -100,
      ended: ended?.position, explanation: nil, origin: nil)
  }

  private static func isLarge(_ metric: LevelShift.Metric, _ difference: Double) -> Bool {
    switch metric {
    case .selfTime, .gap: difference.magnitude >= log(Shifts.timeRatioMin)
    case .requestRate: difference.magnitude >= log(Shifts.rateRatioMin)
    case .errorOrigins: difference.magnitude >= Shifts.shareMin
    case .callProbability: difference.magnitude >= Shifts.callShareMin
    }
  }

  // MARK: What explains it

  /// From this share on an explanation is one.
  private static let explainedMin = 0.5

  mutating func explainLoadAndMix() {
    for index in found.indices {
      let shift = found[index]
      guard shift.metric == .selfTime || shift.metric == .gap else { continue }
      let difference = log(shift.size)
      if loadEffect(on: shift) / difference >= ShiftSearch.explainedMin {
        found[index].explanation = .load
      } else if shift.metric == .selfTime, shift.place.part.isNone,
        mixEffect(on: shift) / difference >= ShiftSearch.explainedMin
      {
        found[index].explanation = .operationMix
      }
    }
  }

  /// The windows of the level before a shift, and of the one after it.
  private func sides(of shift: LevelShift) -> (before: Range<Int>, after: Range<Int>) {
    let same = found.filter { $0.metric == shift.metric && $0.place == shift.place }.map(\.onset)
    let start = same.filter { $0 < shift.onset }.max() ?? 0
    let end = same.filter { $0 > shift.onset }.min() ?? windowsCount
    return (start..<shift.onset, shift.onset..<end)
  }

  /// How much of the change the change of requests brings about, as a logarithm: by the slope of time
  /// over requests within the levels. Where requests went up at the same moment as far as anybody can tell
  /// and hardly varied before, the slope is unknown, and the requests are taken for the cause.
  private func loadEffect(on shift: LevelShift) -> Double {
    let server = shift.metric == .gap ? shift.place.other : shift.place.node
    let loadKey = ShiftHistory.Key(metric: .requestRate, place: LevelShift.Place(node: server))
    let key = ShiftHistory.Key(metric: shift.metric, place: shift.place)
    guard let load = history.series[loadKey], let times = history.series[key] else { return 0 }
    let sides = sides(of: shift)
    guard let loadBefore = load.mean(sides.before), let loadAfter = load.mean(sides.after) else {
      return 0
    }
    let loadChange = loadAfter - loadBefore
    var crossed = 0.0
    var spread = 0.0
    for side in [sides.before, sides.after] {
      guard let loadMean = load.mean(side), let timeMean = times.mean(side) else { continue }
      for window in side where times.weights[window] > 0 {
        let deviation = load.values[window] - loadMean
        crossed += deviation * (times.values[window] - timeMean)
        spread += deviation * deviation
      }
    }
    let slope = spread > 0 ? max(0, crossed / spread) : 0
    let surged = found.contains { other in
      other.metric == .requestRate && other.place.node == server && other.after > other.before
        && other.onsetEarliest <= shift.onsetLatest && shift.onsetEarliest <= other.onsetLatest
    }
    if surged, shift.after > shift.before { return log(shift.size) }
    return slope * loadChange
  }

  /// How much of the change other operations being asked for brings about, as a logarithm.
  private func mixEffect(on shift: LevelShift) -> Double {
    let sides = sides(of: shift)
    var before = (sum: 0.0, weight: 0.0)
    var after = (sum: 0.0, weight: 0.0)
    for operation in history.operations[shift.place.node] ?? [] {
      let place = LevelShift.Place(node: shift.place.node, part: operation)
      guard let times = history.series[.init(metric: .selfTime, place: place)] else { continue }
      let usual = times.mean(sides.before) ?? times.mean(sides.after) ?? 0
      func weight(_ side: Range<Int>) -> Double { side.reduce(0) { $0 + times.weights[$1] } }
      before.sum += weight(sides.before) * usual
      before.weight += weight(sides.before)
      after.sum += weight(sides.after) * usual
      after.weight += weight(sides.after)
    }
    guard before.weight > 0, after.weight > 0 else { return 0 }
    return after.sum / after.weight - before.sum / before.weight
  }

  /// So many services at least have to tell, and as large a share of them to go the same way at the same
  /// time, for a change to be everybody's.
  private static let platformServicesMin = 5
  private static let platformShareMin = 0.7

  mutating func explainPlatform() {
    let services = history.series.keys.filter {
      $0.metric == .selfTime && $0.place.part.isNone
    }.count
    guard services >= ShiftSearch.platformServicesMin else { return }
    let own = found.filter { $0.metric == .selfTime && $0.place.part.isNone }
    for index in found.indices {
      let shift = found[index]
      guard shift.metric == .selfTime || shift.metric == .gap, shift.explanation == nil else {
        continue
      }
      let moved = Set(
        own.filter {
          ($0.size > 1) == (shift.size > 1) && $0.onsetEarliest <= shift.onsetLatest
            && shift.onsetEarliest <= $0.onsetLatest
        }.map(\.place.node))
      if Double(moved.count) >= ShiftSearch.platformShareMin * Double(services) {
        found[index].explanation = .platform
      }
    }
  }

  // MARK: Where it began

  /// So many moments at most are looked into, and so many windows around each.
  private static let momentsMax = 8
  private static let windowsAroundMax = 180

  /// Shifts that may have happened at one moment have one origin: where the comparison of the time
  /// before with the time after says it began.
  func findOrigins(_ shifts: inout [LevelShift], _ windows: [Window]) {
    let order = shifts.indices.filter { shifts[$0].isWorse && shifts[$0].explanation == nil }.sorted
    {
      shifts[$0].onset != shifts[$1].onset ? shifts[$0].onset < shifts[$1].onset : $0 < $1
    }
    var moments: [[Int]] = []
    for index in order {
      if let last = moments.last?.last,
        shifts[index].onsetEarliest <= shifts[last].onsetLatest
          || shifts[index].onset == shifts[last].onset
      {
        moments[moments.count - 1].append(index)
      } else {
        moments.append([index])
      }
    }
    for (number, moment) in moments.prefix(ShiftSearch.momentsMax).enumerated() {
      guard let first = moment.map({ shifts[$0].onset }).min(),
        let last = moment.map({ shifts[$0].onset }).max()
      else { continue }
      let previous = number > 0 ? moments[number - 1].map { shifts[$0].onset }.max() ?? 0 : 0
      let following =
        number + 1 < moments.count
        ? moments[number + 1].map { shifts[$0].onset }.min() ?? windows.count : windows.count
      let base = max(previous, first - ShiftSearch.windowsAroundMax)..<first
      let current = last..<min(following, last + ShiftSearch.windowsAroundMax)
      let causes = RootCauses(
        base: Array(windows[base]), current: Array(windows[current]), seconds: seconds
      ).causes
      for index in moment { shifts[index].origin = causes.first }
    }
  }
}
