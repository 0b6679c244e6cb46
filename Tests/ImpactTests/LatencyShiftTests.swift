import Foundation
import Testing

@testable import Impact

@Suite struct LatencyShiftTests {
  /// Requests, mean and variance of ln latency, of the new version and of the baseline.
  typealias Row = (Int64, Double, Double, Int64, Double, Double)

  static let steady: [Row] = [
    (41, 17.8328, 0.238, 284, 17.693, 0.2823), (48, 17.8664, 0.2713, 330, 17.6923, 0.2157),
    (4, 17.6686, 0.2613, 278, 17.7289, 0.2405), (49, 17.7795, 0.2941, 492, 17.6646, 0.2073),
    (29, 17.7215, 0.2992, 253, 17.7221, 0.2858), (32, 17.7861, 0.2724, 469, 17.667, 0.2829),
    (38, 17.6968, 0.2809, 439, 17.6901, 0.214), (19, 17.8017, 0.2153, 453, 17.6748, 0.2527),
    (58, 17.797, 0.2713, 234, 17.7435, 0.2258), (6, 17.7757, 0.2848, 317, 17.717, 0.2492),
    (18, 17.7162, 0.2401, 388, 17.773, 0.2553), (24, 17.7683, 0.2553, 347, 17.7193, 0.2106),
    (35, 17.7127, 0.2479, 399, 17.7253, 0.2864), (26, 17.6916, 0.2959, 403, 17.7252, 0.2279),
    (10, 17.818, 0.2317, 398, 17.6818, 0.2447), (5, 17.7113, 0.2402, 218, 17.6979, 0.2057),
    (3, 17.8936, 0.2001, 487, 17.7405, 0.2003), (5, 17.8573, 0.242, 366, 17.6881, 0.2195),
    (11, 17.6402, 0.2631, 471, 17.7057, 0.2342), (59, 17.8218, 0.2935, 281, 17.6994, 0.2928),
    (13, 17.7119, 0.2924, 308, 17.7183, 0.289), (40, 17.8026, 0.2327, 463, 17.6891, 0.2481),
    (45, 17.8035, 0.2989, 256, 17.6954, 0.2455), (16, 17.6409, 0.2188, 219, 17.7073, 0.2667),
  ]
  static let wandering: [Row] = [
    (126, 17.9484, 0.2418, 461, 17.7179, 0.2828), (132, 18.0319, 0.2543, 405, 17.7011, 0.2994),
    (131, 17.953, 0.2869, 488, 17.6741, 0.2835), (120, 17.9031, 0.2631, 485, 17.7601, 0.2059),
    (156, 17.9221, 0.2654, 484, 17.6891, 0.2724), (122, 17.9473, 0.2592, 400, 17.6965, 0.2808),
    (139, 17.8522, 0.2211, 497, 17.7118, 0.2872), (122, 17.7777, 0.245, 497, 17.7524, 0.2492),
    (126, 17.8507, 0.2988, 458, 17.6955, 0.2476), (159, 17.8288, 0.2909, 482, 17.7211, 0.2531),
    (111, 17.9376, 0.2767, 476, 17.703, 0.2155), (137, 17.965, 0.2534, 478, 17.6561, 0.2957),
    (125, 17.9789, 0.2869, 415, 17.7238, 0.2987), (140, 17.9828, 0.2631, 404, 17.7306, 0.2263),
    (145, 18.0267, 0.2398, 426, 17.6928, 0.2957), (119, 17.9945, 0.2526, 420, 17.6995, 0.2208),
    (140, 18.0463, 0.2199, 454, 17.655, 0.2085), (140, 17.9858, 0.2573, 484, 17.6543, 0.2732),
    (127, 17.9616, 0.2314, 474, 17.6883, 0.2816), (107, 17.9173, 0.2781, 443, 17.7188, 0.22),
  ]

  static func test(_ rows: some Sequence<Row>, faster: Double = 0) -> LatencyShiftTest {
    var test = LatencyShiftTest()
    for (index, row) in rows.enumerated() {
      test.add(
        Sample.window(
          index,
          Side(
            traces: row.0, errorTraces: 0,
            latency: LogLatency(weight: 1, mean: row.1 - faster, variance: row.2)),
          Side(
            traces: row.3, errorTraces: 0,
            latency: LogLatency(weight: 1, mean: row.4, variance: row.5))))
    }
    return test
  }

  /// Scenario: 24 windows of independent noise; mean, spread and width computed with NumPy, the
  /// e-values by solving the interval's formula for its α.
  /// Guarantees: the same.
  @Test func steadyWindows() throws {
    let shift = try #require(LatencyShiftTests.test(LatencyShiftTests.steady).shift)
    #expect(shift.mean.isNear(0.07073044041405403, within: 1e-8))
    #expect(shift.size.isNear(17.3291641674958, within: 1e-8))
    #expect(shift.variance.isNear(0.008499428203866633, within: 1e-8))
    #expect(shift.halfWidth(alpha: 0.01).isNear(0.10193302922514391, within: 1e-8))
    #expect(shift.logEvidenceOfHarm.isNear(0.9154103313982873, within: 1e-7))
    #expect(shift.logEvidenceOfSafety == 0)
    #expect(shift.decision(alpha: 0.01) == .undecided)
    #expect(shift.ratio.isNear(exp(0.07073044041405403)))
    let faster = try #require(LatencyShiftTests.test(LatencyShiftTests.steady, faster: 0.1).shift)
    #expect(faster.logEvidenceOfHarm == 0)
    #expect(faster.logEvidenceOfSafety.isNear(2.571620277849917, within: 1e-7))
    let muchFaster = try #require(
      LatencyShiftTests.test(LatencyShiftTests.steady, faster: 0.3).shift)
    #expect(muchFaster.decision(alpha: 0.01) == .safe)
  }

  /// Scenario: 20 windows whose shift wanders slowly, so that neighbours resemble each other.
  /// Guarantees: variance between windows and inflation (3.1 times) as NumPy has them; harm.
  @Test func wanderingWindows() throws {
    let shift = try #require(LatencyShiftTests.test(LatencyShiftTests.wandering).shift)
    #expect(shift.mean.isNear(0.23864595595513413, within: 1e-8))
    #expect(shift.variance.isNear(0.025187538647251363, within: 1e-7))
    #expect(shift.halfWidth(alpha: 0.01).isNear(0.15801438994048916, within: 1e-7))
    #expect(shift.logEvidenceOfHarm.isNear(9.151259215180302, within: 1e-6))
    #expect(shift.decision(alpha: 0.01) == .harmed)
  }

  /// Scenario: the e-value at an end of the interval.
  /// Guarantees: 1 ÷ α there: interval and test are one and the same.
  @Test func intervalAndEvidenceAgree() throws {
    let shift = try #require(LatencyShiftTests.test(LatencyShiftTests.wandering).shift)
    for alpha in [0.5, 0.1, 0.01, 0.0001] {
      let interval = shift.ratioInterval(alpha: alpha)
      let moved = LatencyShift(
        mean: log1p(LatencyShiftTest.tolerance) + shift.halfWidth(alpha: alpha), size: shift.size,
        variance: shift.variance)
      #expect(moved.logEvidenceOfHarm.isNear(-log(alpha), within: 1e-7))
      #expect(interval.lower < shift.ratio)
      #expect(try #require(interval.upper) > shift.ratio)
    }
  }

  /// Scenario: fewer than six windows; windows without requests or latency on one side.
  /// Guarantees: no word; such windows are passed over.
  @Test func saysNothingTooSoon() {
    let rows = LatencyShiftTests.steady
    #expect(LatencyShiftTests.test(rows.prefix(5)).shift == nil)
    #expect(LatencyShiftTests.test(rows.prefix(6)).shift != nil)
    var test = LatencyShiftTests.test(rows.prefix(5))
    test.add(Sample.window(6, Sample.side(0, unseen: 3, mean: 1), Sample.side(9, mean: 1)))
    test.add(Sample.window(7, Sample.side(9), Sample.side(9, mean: 1)))
    test.add(Sample.window(8, Sample.side(9, mean: 1), Sample.side(9)))
    test.add(Sample.window(9, Sample.side(9, mean: 1), .nothing))
    #expect(test.windows == 5)
    #expect(test.shift == nil)
  }

  /// Scenario: windows all alike, one request each, and the greatest counts there are.
  /// Guarantees: finite numbers, a width above zero.
  @Test func edges() throws {
    for count in [Int64(1), 1 << 40] {
      var test = LatencyShiftTest()
      for index in 0..<7 {
        test.add(Sample.window(index, Sample.side(count, mean: 17), Sample.side(count, mean: 17)))
      }
      let shift = try #require(test.shift)
      #expect(shift.mean == 0)
      #expect(shift.variance > 0 && shift.variance.isFinite)
      #expect(shift.halfWidth(alpha: 0.01).isFinite)
    }
  }

  /// Scenario: one request a window, of a version whose latencies vary widely.
  /// Guarantees: the spread is taken from between the windows, since one request has none.
  @Test func oneRequestAWindow() throws {
    var test = LatencyShiftTest()
    for index in 0..<8 {
      let mean = 17 + (index % 2 == 0 ? 1.0 : -1.0)
      test.add(
        Sample.window(
          index,
          Side(
            traces: 1, errorTraces: 0,
            latency: LogLatency(weight: 1, mean: mean, variance: 0)), Sample.side(1, mean: 17)))
    }
    let shift = try #require(test.shift)
    #expect(shift.variance >= 1)
    #expect(shift.decision(alpha: 0.01) == .undecided)
  }
}
