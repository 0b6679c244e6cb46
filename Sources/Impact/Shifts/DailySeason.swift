internal import Glibc

/// The usual course of a day, from earlier days at the same time.
///
/// A service that is slower every evening did not shift this evening. What is taken off is the mean of
/// earlier days as far as they agree with each other: where they do not, it shrinks to nothing.
struct DailySeason {
  /// So many earlier days have to tell, each in at least so large a share of the blocks.
  static let daysMin = 2
  static let shareMin = 0.8

  /// What to take off each window; nil where earlier days say too little.
  /// - Parameters:
  ///   - days: of each earlier day, the series over the same time of day, by blocks.
  ///   - times: where the middles of today's windows lie, in blocks from the begin of the first.
  static func profile(_ days: [ObservedSeries], at times: [Double]) -> [Double]? {
    let telling = days.filter {
      Double($0.used.count) >= shareMin * Double($0.values.count) && $0.used.count > 1
    }
    guard telling.count >= daysMin, let blocks = telling.first?.values.count,
      telling.allSatisfy({ $0.values.count == blocks })
    else { return nil }
    // Each day about its own mean: days differ in level, the course of them is what repeats.
    let courses = telling.map { day in
      let mean = day.mean(0..<blocks) ?? 0
      return (0..<blocks).map { day.weights[$0] > 0 ? day.values[$0] - mean : 0 }
    }
    let count = Double(courses.count)
    let means = (0..<blocks).map { block in courses.reduce(0) { $0 + $1[block] } / count }
    let between = means.reduce(0) { $0 + $1 * $1 } / Double(blocks)
    let within =
      courses.reduce(0.0) { sum, course in
        sum + zip(course, means).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      } / (Double(blocks) * (count - 1))
    guard between > 0 else { return nil }
    // James and Stein's share of the variance of the mean that is not noise.
    let kept = max(0, 1 - within / count / between)
    return times.map { kept * interpolated(means, at: $0) }
  }

  /// Between the middles of blocks a straight line.
  private static func interpolated(_ values: [Double], at position: Double) -> Double {
    let place = min(max(position - 0.5, 0), Double(values.count - 1))
    let low = Int(place)
    let high = min(low + 1, values.count - 1)
    return values[low] + (values[high] - values[low]) * (place - Double(low))
  }
}
