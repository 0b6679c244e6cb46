internal import Glibc

/// Compares how long two versions take that run side by side, at any time and as often as one
/// likes.
///
/// Each window gives one difference of mean logarithms: what both versions share (load, time of
/// day, a slow dependency) cancels, and what requests of one window share counts once. The mean of
/// these differences has an interval that holds at all looks together.
/// - Shape: windows in order of time; those in which a side has no latency are passed over.
/// - Cost: O(windows) a window kept, O(windows) a reading.
/// - Source: asymptotic confidence sequences, Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2021,
///   eq. 2; τ² after DerSimonian and Laird 1986.
public struct LatencyShiftTest: Equatable, Sendable {
  /// Being slower by up to this share is no harm: below what anyone would undo a rollout for.
  public static let tolerance = 0.02
  /// Being slower by this share must be ruled out before a version is safe.
  public static let margin = 0.05
  /// No word before this many windows: a variance from fewer is worth nothing.
  public static let windowsMin = 6
  /// At most so many windows are left out for instances that are warming up: five minutes.
  public static let warmUpWindowsMax = 30
  /// How far back a window may depend on earlier ones.
  static let lagsMax = 6
  /// Two groups of instances differ by about this much (of ln latency) from window to window
  /// though they run the same: where thousands of requests say less, they are not believed.
  static let wanderMin = 0.01
  /// Where the interval is narrowest: about t = 100 windows. ρ² of the source.
  static let tightness = 0.05

  private struct Pair: Equatable, Sendable {
    var shift: Double
    var currentCount: Double
    var baselineCount: Double
  }

  private var pairs: [Pair] = []
  private var current = Spread()
  private var baseline = Spread()

  public init() {}

  /// How many windows were left out because instances were warming up.
  public private(set) var windowsLeftOut = 0

  /// How many windows could be compared.
  public var windows: Int { pairs.count }

  /// Adds a window, unless its instances are still warming up: but only so many are left out, since a
  /// version whose instances never live long enough to be warm is as slow as it is.
  public mutating func add(_ window: ComparedWindow) {
    if window.isWarmingUp, windowsLeftOut < LatencyShiftTest.warmUpWindowsMax {
      windowsLeftOut += 1
      return
    }
    guard window.current.traces > 0, window.baseline.traces > 0,
      let slow = window.current.latency, let usual = window.baseline.latency
    else { return }
    pairs.append(
      Pair(
        shift: slow.mean - usual.mean, currentCount: Double(window.current.traces),
        baselineCount: Double(window.baseline.traces)))
    current.add(slow, count: Double(window.current.traces))
    baseline.add(usual, count: Double(window.baseline.traces))
  }

  /// What the windows so far say; nil before `windowsMin`.
  public var shift: LatencyShift? {
    guard pairs.count >= LatencyShiftTest.windowsMin else { return nil }
    let noise = samplingVariances()
    let sampling = weighted(noise, between: 0)
    let all = weighted(noise, between: varianceBetweenWindows(noise, sampling))
    var residuals: [Double] = []
    residuals.reserveCapacity(pairs.count)
    var sumOfSquares = 0.0
    for index in pairs.indices {
      let distance = pairs[index].shift - all.mean
      let weight = 1 / (noise[index] + all.between)
      residuals.append(distance * weight.squareRoot())
      sumOfSquares += distance * distance * weight
    }
    let size = all.total * all.total / all.totalSquares
    let degrees = Double(pairs.count) / Double(pairs.count - 1)
    // No sample varies less than what is known of its requests: early variances may be luck.
    let variance = max(sumOfSquares / all.total * degrees, size / all.total)
    return LatencyShift(
      mean: all.mean, size: size,
      variance: variance * LatencyShiftTest.inflation(residuals, sumOfSquares))
  }

  /// How much each difference varies because it is a mean over so many requests.
  private func samplingVariances() -> [Double] {
    let perCurrent = current.variance
    let perBaseline = baseline.variance
    return pairs.map { perCurrent / $0.currentCount + perBaseline / $0.baselineCount }
  }

  /// A mean in which each window counts by the inverse of its variance.
  private struct Weighted {
    var between: Double
    var total = 0.0
    var totalSquares = 0.0
    var mean = 0.0
  }

  private func weighted(_ noise: [Double], between: Double) -> Weighted {
    var sums = Weighted(between: between)
    for index in pairs.indices {
      let weight = 1 / (noise[index] + between)
      sums.total += weight
      sums.totalSquares += weight * weight
      sums.mean += weight * pairs[index].shift
    }
    sums.mean /= sums.total
    return sums
  }

  /// τ²: how much windows vary beyond what their numbers of requests explain.
  private func varianceBetweenWindows(_ noise: [Double], _ sampling: Weighted) -> Double {
    var excess = -Double(pairs.count - 1)
    for index in pairs.indices {
      let distance = pairs[index].shift - sampling.mean
      excess += distance * distance / noise[index]
    }
    let divisor = sampling.total - sampling.totalSquares / sampling.total
    let least = LatencyShiftTest.wanderMin * LatencyShiftTest.wanderMin
    return divisor > 0 ? max(least, excess / divisor) : least
  }

  /// How much wider the interval must be because neighbouring windows resemble each other:
  /// 1 + 2 Σ autocorrelations, up to the first that is not positive (beyond it is only noise).
  private static func inflation(_ residuals: [Double], _ sumOfSquares: Double) -> Double {
    guard sumOfSquares > 0 else { return 1 }
    var factor = 1.0
    for lag in 1...max(1, min(lagsMax, residuals.count / 4)) {
      var products = 0.0
      for index in lag..<residuals.count { products += residuals[index] * residuals[index - lag] }
      guard products > 0 else { break }
      factor += 2 * products / sumOfSquares
    }
    return factor
  }
}

/// How much the logarithms of one version's latencies vary.
private struct Spread: Equatable, Sendable {
  private var within = 0.0
  private var degrees = 0.0
  private var all: LogLatency?

  mutating func add(_ latency: LogLatency, count: Double) {
    within += latency.variance * count
    degrees += max(0, count - 1)
    let share = LogLatency(weight: count, mean: latency.mean, variance: latency.variance)
    all = all.map { sum in share.map(sum.merged) ?? sum } ?? share
  }

  /// Inside windows, where they hold enough requests to tell; else over all windows together.
  var variance: Double {
    degrees >= 10 ? within / degrees : all?.variance ?? LogLatency.varianceInsideBucket
  }
}
