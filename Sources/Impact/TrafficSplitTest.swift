internal import Glibc
internal import Model

/// Tests whether two versions get the requests they were announced to get, at any time and as often
/// as one likes. Where they do not, something picks requests by another rule than the one announced,
/// and what differs between the versions may be what differs between their requests.
///
/// Given how many requests a window has in all, how many fall to the new version depends on the
/// share alone. Bets against "the odds are off by half at most", half of the money on more and half
/// on less. Clients that keep their connections come in bunches, so evidence is divided by how much
/// more the share moves between neighbouring windows than requests one by one would move it.
/// - Shape: windows in order of time.
/// - Source: Lindon and Malek 2022, sequential tests of the ratio of samples.
struct TrafficSplitTest: Equatable, Sendable {
  /// Odds off by less are no other split: retries, health checks and rounding do that.
  static let oddsTolerated = 1.5
  /// How long after an announcement routers may take to follow.
  static let settlingNanos: Nanos = 30 * .second
  /// No word before this many windows: how bunched requests come is not known sooner.
  static let windowsMin = 6

  private static let bets = [1.25, 1.5, 2, 3, 5, 8].map { oddsTolerated * $0 }

  private var more = [Double](repeating: 0, count: bets.count)
  private var less = [Double](repeating: 0, count: bets.count)
  private var requestsAnnounced = 0.0
  private(set) var requests = 0.0
  private(set) var current = 0.0
  private(set) var windows = 0
  private var steps = ShareSteps()

  /// - Parameter share: announced for the window.
  mutating func add(_ window: ComparedWindow, share: AnnouncedShare) {
    guard let announced = share.share,
      window.start >= share.from.saturatingAdding(TrafficSplitTest.settlingNanos)
    else {
      steps.interrupt()
      return
    }
    let current = Double(window.current.requests)
    let baseline = Double(window.baseline.requests)
    guard current + baseline > 0 else { return }
    windows += 1
    requests += current + baseline
    self.current += current
    requestsAnnounced += announced * (current + baseline)
    steps.add(current, of: current + baseline)
    // A share of nothing or all would make a single request beyond it impossible.
    let expected = min(max(announced, 0.001), 0.999)
    let odds = expected / (1 - expected)
    for (index, bet) in TrafficSplitTest.bets.enumerated() {
      more[index] += TrafficSplitTest.logRatio(
        current, baseline, odds * bet, odds * TrafficSplitTest.oddsTolerated)
      less[index] += TrafficSplitTest.logRatio(
        current, baseline, odds / bet, odds / TrafficSplitTest.oddsTolerated)
    }
  }

  /// The share over all windows that was announced, and that was seen.
  var shares: (announced: Double, seen: Double) {
    requests > 0 ? (requestsAnnounced / requests, current / requests) : (0, 0)
  }

  /// ln of the e-value against "as announced".
  var logEvidence: Double {
    guard windows >= TrafficSplitTest.windowsMin else { return 0 }
    return EValue.logMeanExp((more + less).map { $0 / steps.dispersion })
  }

  var isMismatch: Bool { logEvidence >= EValue.threshold(GateSettings.alpha) }

  /// ln of how much likelier the counts are at odds `bet` than at odds `null`.
  private static func logRatio(
    _ current: Double, _ baseline: Double, _ bet: Double, _ null: Double
  ) -> Double {
    current * log(bet / null) - (current + baseline) * (log1p(bet) - log1p(null))
  }
}

/// How much a share moves between neighbouring windows, measured by how much it would if every
/// request were sent by itself.
struct ShareSteps: Equatable, Sendable {
  private var squares = 0.0
  private var count = 0.0
  private var last: Counts?

  private struct Counts: Equatable, Sendable {
    var count: Double
    var total: Double
  }

  mutating func add(_ count: Double, of total: Double) {
    defer { last = Counts(count: count, total: total) }
    guard let last else { return }
    let share = (last.count + count) / (last.total + total)
    let variance = share * (1 - share) * (1 / last.total + 1 / total)
    guard variance > 0 else { return }
    let step = count / total - last.count / last.total
    squares += step * step / variance
    self.count += 1
  }

  /// What comes next is no neighbour.
  mutating func interrupt() { last = nil }

  /// 1 where requests come one by one; never below.
  var dispersion: Double { count > 0 ? max(1, squares / count) : 1 }
}
