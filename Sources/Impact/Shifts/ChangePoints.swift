internal import Glibc

/// Where the level of a series changed, and between which windows that surely was.
struct LevelStep: Equatable, Sendable {
  /// The first window of the new level.
  var position: Int
  /// The change was in one of these windows.
  var interval: ClosedRange<Int>
  /// Both levels.
  var before: Double
  var after: Double
  /// Standard error of their difference.
  var error: Double

  var difference: Double { after - before }
}

/// Finds where a series goes over to another level.
///
/// Partial sums of a series without a change go like a Brownian bridge, whose maximum has a known law.
/// Its scale is the long-run variance: neighbouring windows go together, and a test that takes them for
/// independent calls every slow wave a change. It is estimated from differences of neighbouring blocks, of
/// several lengths, and a change has to be one by each of them.
/// - Source: Kolmogorov 1933 (law of the maximum); Kovács, Bühlmann, Li and Munk, "Seeded binary
///   segmentation", Biometrika 2023 (the intervals looked at); Bai, "Estimation of a change point in
///   multiple regression models", 1997 (the interval of the onset).
struct ChangePoints {
  /// A level is known from so many windows at least.
  static let segmentMin = 4
  /// Fewer windows than that are not looked at.
  static let windowsMin = 16
  /// So many changes at most are looked for in one series.
  static let countMax = 8
  /// 97.5 % quantile of where a two-sided Brownian motion with drift is largest.
  private static let onsetQuantile = 11.03

  private let used: [Int]
  private let values: [Double]
  private let weights: [Double]
  private let summedWeights: [Double]
  private let summedValues: [Double]
  private let alpha: Double
  private let varianceFloor: Double

  private init(_ series: ObservedSeries, alpha: Double, varianceFloor: Double) {
    self.varianceFloor = max(varianceFloor, .leastNormalMagnitude)
    let series = series.tempered
    used = series.used
    values = used.map { series.values[$0] }
    weights = used.map { series.weights[$0] }
    var weight = [0.0]
    var value = [0.0]
    for position in values.indices {
      weight.append(weight[position] + weights[position])
      value.append(value[position] + weights[position] * values[position])
    }
    summedWeights = weight
    summedValues = value
    self.alpha = alpha
  }

  /// - Parameters:
  ///   - alpha: how likely it is that anything is found in a series that has no change.
  ///   - varianceFloor: what a window of usual weight varies at least, because of how few events it has:
  ///     of rare events most windows have none, and none of them differ.
  static func find(
    in series: ObservedSeries, alpha: Double, varianceFloor: Double = 0
  ) -> [LevelStep] {
    let search = ChangePoints(series, alpha: alpha, varianceFloor: varianceFloor)
    guard search.values.count >= windowsMin else { return [] }
    return search.run()
  }

  private func run() -> [LevelStep] {
    var positions = candidates()
    // What one candidate too many takes of the variance the others do not get: the weakest goes first.
    while !positions.isEmpty {
      let scales = self.scales(of: residuals(positions))
      let borders = [0] + positions + [values.count]
      var weakest: (index: Int, strength: Double)?
      for index in positions.indices {
        let around = borders[index]..<borders[index + 2]
        let strength =
          isDrift(around, at: positions[index])
          ? 0 : strength(around, scales: scales, alpha: alpha / lengthsCount)
        if strength < weakest?.strength ?? .infinity { weakest = (index, strength) }
      }
      guard let weakest, weakest.strength < 1 else {
        return positions.indices.map { index in
          changePoint(
            positions[index], in: borders[index]..<borders[index + 2], scales: scales)
        }
      }
      positions.remove(at: weakest.index)
    }
    return []
  }

  // MARK: Candidates

  /// Intervals of halving lengths, half over each other: a change is the only one in some of them.
  private var intervals: [Range<Int>] {
    var intervals: [Range<Int>] = []
    var length = values.count
    while length >= 3 * ChangePoints.segmentMin {
      var start = 0
      while start + length < values.count {
        intervals.append(start..<start + length)
        start += max(1, length / 2)
      }
      intervals.append(values.count - length..<values.count)
      length /= 2
    }
    return intervals
  }

  /// How many lengths there are. Intervals of one length have so much in common with each other, and with
  /// those of the next, that each length costs about as much as one test.
  private var lengthsCount: Double {
    max(1, log2(Double(values.count) / Double(3 * ChangePoints.segmentMin))) + 1
  }

  private func candidates() -> [Int] {
    // The candidates' own jumps are in the variance, unless the largest steps are left out of it. That
    // makes it too small rather than too large: what is too much is taken away again.
    let variance = max(
      varianceFloor,
      ChangePoints.variance(values, weights, block: 1, leavingOut: ChangePoints.countMax))
    let limit = ChangePoints.critical(alpha / lengthsCount, freedom: .infinity)
    var positions: [Int] = []
    var open = [0..<values.count]
    let intervals = intervals
    while let segment = open.popLast(), positions.count < ChangePoints.countMax {
      var best: (position: Int, statistic: Double)?
      for interval in intervals + [segment]
      where segment.lowerBound <= interval.lowerBound && interval.upperBound <= segment.upperBound {
        let statistic = bridgeMaximum(interval) / variance.squareRoot()
        guard statistic > limit, statistic > best?.statistic ?? 0,
          let position = bestSplit(interval)
        else { continue }
        best = (position, statistic)
      }
      guard let best else { continue }
      positions.append(best.position)
      open.append(segment.lowerBound..<best.position)
      open.append(best.position..<segment.upperBound)
    }
    return positions.sorted()
  }

  // MARK: Statistics

  private func mean(_ range: Range<Int>) -> Double {
    let weight = weight(range)
    return weight > 0
      ? (summedValues[range.upperBound] - summedValues[range.lowerBound]) / weight : 0
  }

  private func weight(_ range: Range<Int>) -> Double {
    summedWeights[range.upperBound] - summedWeights[range.lowerBound]
  }

  /// The largest partial sum of what deviates from the mean, by the square root of all weight.
  private func bridgeMaximum(_ range: Range<Int>) -> Double {
    let mean = mean(range)
    var highest = 0.0
    for end in range.dropFirst() {
      let sum = summedValues[end] - summedValues[range.lowerBound]
      let expected = mean * (summedWeights[end] - summedWeights[range.lowerBound])
      highest = max(highest, (sum - expected).magnitude)
    }
    return highest / weight(range).squareRoot()
  }

  /// Where two levels explain most.
  private func bestSplit(_ range: Range<Int>) -> Int? {
    var best: (position: Int, gain: Double)?
    let first = range.lowerBound + ChangePoints.segmentMin
    let last = range.upperBound - ChangePoints.segmentMin
    guard first <= last else { return nil }
    for position in first...last {
      let left = range.lowerBound..<position
      let right = position..<range.upperBound
      let step = mean(right) - mean(left)
      let gain = step * step * weight(left) * weight(right) / weight(range)
      if gain > best?.gain ?? 0 { best = (position, gain) }
    }
    return best?.position
  }

  /// A straight line explains it better than a step.
  private func isDrift(_ range: Range<Int>, at position: Int) -> Bool {
    let left = mean(range.lowerBound..<position)
    let right = mean(position..<range.upperBound)
    let middle = mean(range)
    let total = weight(range)
    let center = range.reduce(0.0) { $0 + weights[$1] * Double($1) } / total
    var crossed = 0.0
    var spread = 0.0
    for index in range {
      crossed += weights[index] * (Double(index) - center) * (values[index] - middle)
      spread += weights[index] * (Double(index) - center) * (Double(index) - center)
    }
    guard spread > 0 else { return false }
    let lineGain = crossed * crossed / spread
    let leftWeight = weight(range.lowerBound..<position)
    let stepGain = (right - left) * (right - left) * leftWeight * (total - leftWeight) / total
    return lineGain > stepGain
  }

  private func residuals(_ positions: [Int]) -> [Double] {
    var residuals = values
    let borders = [0] + positions + [values.count]
    for (start, end) in zip(borders, borders.dropFirst()) {
      let mean = mean(start..<end)
      for index in start..<end { residuals[index] -= mean }
    }
    return residuals
  }

  private struct Scale {
    var variance: Double
    var freedom: Double
  }

  /// The long-run variance of a unit of weight, by blocks of several lengths.
  private func scales(of residuals: [Double]) -> [Scale] {
    var scales: [Scale] = []
    var shorter: (block: Int, variance: Double)?
    for block in blocks {
      let found = ChangePoints.variance(residuals, weights, block: block, leavingOut: 0)
      var variance = max(found, varianceFloor)
      if let shorter {
        // What a block is too short for shrinks as one over its length: two lengths say how much it is.
        let missing = (found - shorter.variance) * Double(shorter.block)
        variance = max(variance, found + missing / Double(block - shorter.block))
      }
      shorter = (block, found)
      let freedom = Double(values.count) / Double(block) - 1
      scales.append(Scale(variance: variance, freedom: freedom))
    }
    return scales
  }

  /// Lengths of blocks, each twice the one before, up to the longest of which there are enough.
  private var blocks: [Int] {
    let longest = max(1, values.count / ChangePoints.blocksMin)
    var blocks = Array(sequence(first: 1) { 2 * $0 <= longest ? 2 * $0 : nil })
    if let last = blocks.last, 4 * longest >= 5 * last { blocks.append(longest) }
    return blocks
  }

  /// As many blocks at least say how they differ.
  private static let blocksMin = 18

  private static func variance(
    _ values: [Double], _ weights: [Double], block: Int, leavingOut leftOut: Int
  ) -> Double {
    // Blocks over each other: they know more of the same variance than those side by side.
    var squares: [Double] = []
    let last = values.count - 2 * block
    guard last >= 0 else { return 0 }
    for start in stride(from: 0, through: last, by: max(1, block / 4)) {
      let (first, firstWeight) = mean(values, weights, start..<start + block)
      let (second, secondWeight) = mean(values, weights, start + block..<start + 2 * block)
      let step = second - first
      squares.append(step * step / (1 / firstWeight + 1 / secondWeight))
    }
    if leftOut > 0, squares.count > 2 * leftOut { squares = squares.sorted().dropLast(leftOut) }
    return squares.isEmpty ? 0 : squares.reduce(0, +) / Double(squares.count)
  }

  private static func mean(
    _ values: [Double], _ weights: [Double], _ range: Range<Int>
  ) -> (mean: Double, weight: Double) {
    var sum = 0.0
    var weight = 0.0
    for index in range {
      sum += weights[index] * values[index]
      weight += weights[index]
    }
    return (sum / weight, weight)
  }

  /// How far the weakest of the scales is over its limit; 1 is at it.
  private func strength(_ range: Range<Int>, scales: [Scale], alpha: Double) -> Double {
    let highest = bridgeMaximum(range)
    return scales.reduce(.infinity) { weakest, scale in
      let limit = ChangePoints.critical(alpha, freedom: scale.freedom)
      return min(weakest, highest / scale.variance.squareRoot() / limit)
    }
  }

  /// What the maximum of a Brownian bridge exceeds with a chance of `alpha`; more where its scale was
  /// estimated from little.
  /// - Source: P(max > c) ≈ 2 exp(−2c²); Student's quantile by its expansion about the normal one, Fisher
  ///   and Cornish 1960.
  static func critical(_ alpha: Double, freedom: Double) -> Double {
    let normal = (2 * log(2 / alpha)).squareRoot()
    guard freedom.isFinite else { return normal / 2 }
    let square = normal * normal
    let first = normal * (square + 1) / 4
    let second = normal * (5 * square * square + 16 * square + 3) / 96
    let third =
      normal * (3 * square * square * square + 19 * square * square + 17 * square - 15) / 384
    let freedom = max(freedom, 4)
    let student =
      normal + first / freedom + second / (freedom * freedom)
      + third / (freedom * freedom * freedom)
    return student / 2
  }

  // MARK: The answer

  private func changePoint(
    _ position: Int, in range: Range<Int>, scales: [Scale]
  ) -> LevelStep {
    let left = range.lowerBound..<position
    let right = position..<range.upperBound
    let before = mean(left)
    let after = mean(right)
    let variance = scales.map(\.variance).max() ?? 0
    let step = after - before
    let usual = weight(range) / Double(range.count)
    let width =
      ChangePoints.onsetQuantile * variance / max(step * step * usual, .leastNonzeroMagnitude)
    let reach = Int(min(Double(values.count), width.rounded(.up))) + 1
    let first = max(range.lowerBound, position - reach)
    let last = min(range.upperBound - 1, position + reach)
    return LevelStep(
      position: used[position], interval: used[first]...used[last], before: before, after: after,
      error: (variance * (1 / weight(left) + 1 / weight(right))).squareRoot())
  }
}
