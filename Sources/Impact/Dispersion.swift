/// How much more errors vary between neighbouring windows than independent ones would.
///
/// One failing dependency makes many requests fail at once, and a test that takes them for
/// independent fires on bursts. The steps between neighbours measure it without being misled by
/// slow changes of traffic: for independent errors the squared steps add up to the errors at
/// their two ends. Sums of whole numbers, so merging is exact.
/// - Source: quasi-likelihood, Wedderburn 1974; differences after von Neumann 1941.
public struct Dispersion: Equatable, Sendable {
  private var squaredSteps = 0.0
  private var errorsAtEnds = 0.0

  public init() {}

  /// Adds the steps between the windows of one version, in order of time.
  public mutating func add(errors: [Int64]) {
    for (before, after) in zip(errors, errors.dropFirst()) { add(from: before, to: after) }
  }

  mutating func add(from before: Int64, to after: Int64) {
    let step = Double(after) - Double(before)
    squaredSteps += step * step
    errorsAtEnds += Double(before) + Double(after)
  }

  public mutating func merge(_ other: Dispersion) {
    squaredSteps += other.squaredSteps
    errorsAtEnds += other.errorsAtEnds
  }

  /// 1 for independent errors and where no error was seen; never below. Evidence is divided by it.
  public var factor: Double { errorsAtEnds > 0 ? max(1, squaredSteps / errorsAtEnds) : 1 }
}
