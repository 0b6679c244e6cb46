internal import Glibc
internal import Model

/// One quantity window by window: what it was on average, and what that rests on.
struct ObservedSeries: Equatable, Sendable {
  var values: [Double]
  /// How much a window counts; 0 where nothing was seen in it.
  var weights: [Double]

  init(windows: Int) {
    values = Array(repeating: 0, count: windows)
    weights = values
  }

  init(values: [Double], weights: [Double]) {
    self.values = values
    self.weights = weights
  }

  /// Windows in which something was seen.
  var used: [Int] { weights.indices.filter { weights[$0] > 0 } }

  /// The weighted mean over some windows; nil where nothing was seen in any.
  func mean(_ range: Range<Int>) -> Double? {
    var sum = 0.0
    var weight = 0.0
    for position in range.clamped(to: values.indices) {
      sum += weights[position] * values[position]
      weight += weights[position]
    }
    return weight > 0 ? sum / weight : nil
  }

  /// Weights of which the largest count at most twice as much as a usual one.
  ///
  /// Requests of one window share its fate, so ten times as many do not make a window ten times as sure.
  var tempered: ObservedSeries {
    let seen = weights.filter { $0 > 0 }.sorted()
    guard !seen.isEmpty else { return self }
    let usual = seen[seen.count / 2]
    return ObservedSeries(
      values: values, weights: weights.map { $0 > 0 ? 2 * $0 / ($0 + usual) : 0 })
  }

  /// What is left when a usual course of the day is taken off.
  func without(_ season: [Double]?) -> ObservedSeries {
    guard let season, season.count == values.count else { return self }
    return ObservedSeries(values: zip(values, season).map { $0 - $1 }, weights: weights)
  }
}
