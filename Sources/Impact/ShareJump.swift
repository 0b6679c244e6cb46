internal import Glibc
internal import Model

/// A moment at which the share of the new version jumped though nobody announced it, and with it how
/// the versions compare, or may: other requests are sent to it since, so what was before and what
/// came after are two comparisons and not one.
///
/// A share that jumps is nothing by itself (any rolling update does that): a minute later it is known
/// whether the versions compare as before. Nor are versions that compare differently as time goes on.
/// - Cost: O(windows).
struct ShareJump: Equatable, Sendable {
  let time: Nanos
  /// Of the requests to both versions, 0…1.
  let shareBefore: Double
  let shareAfter: Double
  /// Too little was seen since to tell whether it matters.
  let isRecent: Bool

  /// Odds that rose or fell by less are no jump.
  static let oddsMin = 3.0
  /// Windows with requests to both versions there must be before it. With fewer after it nobody knows
  /// whether the versions still compare as they did.
  static let windowsMin = 6
  /// An announcement this near explains a jump.
  static let nearNanos: Nanos = .minute
  /// How many standard errors a jump must be beyond `oddsMin`.
  private static let errorsMin = 3.0

  /// - Parameter windows: in order of time.
  init?(in windows: [ComparedWindow], announced: [AnnouncedShare]) {
    let paired = windows.filter(\.isPaired)
    guard let index = ShareJump.largest(in: paired) else { return nil }
    let time = paired[index].start
    let isAnnounced = announced.contains {
      max($0.from, time) - min($0.from, time) <= ShareJump.nearNanos
    }
    let before = paired[..<index]
    let after = paired[index...]
    isRecent = after.count < ShareJump.windowsMin
    guard !isAnnounced, isRecent || ShareJump.differ(before, after) else { return nil }
    self.time = time
    shareBefore = ShareJump.share(before)
    shareAfter = ShareJump.share(after)
  }

  /// The first window after the clearest jump; nil when none is large enough.
  private static func largest(in windows: [ComparedWindow]) -> Int? {
    guard windows.count > windowsMin else { return nil }
    var steps = ShareSteps()
    var current = [0.0]
    var baseline = [0.0]
    for window in windows {
      let counts = (Double(window.current.requests), Double(window.baseline.requests))
      steps.add(counts.0, of: counts.0 + counts.1)
      current.append((current.last ?? 0) + counts.0)
      baseline.append((baseline.last ?? 0) + counts.1)
    }
    let count = windows.count
    var best: (index: Int, clarity: Double, excess: Double)?
    for index in windowsMin..<count {
      let after = (current[count] - current[index], baseline[count] - baseline[index])
      let change = (log(after.0 / after.1) - log(current[index] / baseline[index])).magnitude
      let variance =
        1 / after.0 + 1 / after.1 + 1 / current[index] + 1 / baseline[index]
      let error = (variance * steps.dispersion).squareRoot()
      if change / error > best?.clarity ?? 0 {
        best = (index, change / error, change - errorsMin * error)
      }
    }
    return best.flatMap { $0.excess >= log(oddsMin) ? $0.index : nil }
  }

  /// How the two versions compare changed: it is enough that this is likely, since all it does is to
  /// keep anything from being decided.
  private static func differ(
    _ before: ArraySlice<ComparedWindow>, _ after: ArraySlice<ComparedWindow>
  ) -> Bool {
    let first = Part(before)
    let second = Part(after)
    if let a = first.latency.shift, let b = second.latency.shift {
      let error = (a.variance / a.size + b.variance / b.size).squareRoot()
      if (a.mean - b.mean).magnitude > errorsToDiffer * error { return true }
    }
    return apart(first.errorRatio, second.errorRatio)
  }

  /// Standard errors between two means that differ: one in twenty would by chance.
  private static let errorsToDiffer = 2.0
  private static let alphaToDiffer = 0.05

  private struct Part {
    private var errors = ErrorRatioTest()
    private(set) var latency = LatencyShiftTest()
    private var dispersion = Dispersion()

    init(_ windows: ArraySlice<ComparedWindow>) {
      for window in windows {
        errors.add(window)
        latency.add(window)
      }
      dispersion.add(errors: windows.map(\.current.failures))
      dispersion.add(errors: windows.map(\.baseline.failures))
    }

    var errorRatio: RatioInterval {
      errors.ratioInterval(alpha: ShareJump.alphaToDiffer, dispersion: dispersion.factor)
    }
  }

  private static func apart(_ a: RatioInterval, _ b: RatioInterval) -> Bool {
    a.lower > b.upper ?? .infinity || b.lower > a.upper ?? .infinity
  }

  private static func share(_ windows: ArraySlice<ComparedWindow>) -> Double {
    let current = windows.reduce(0) { $0 + Double($1.current.requests) }
    let all = windows.reduce(current) { $0 + Double($1.baseline.requests) }
    return all > 0 ? current / all : 0
  }
}
