internal import Glibc

/// What speaks for a shift being the change's doing, and not that of what else began with it: the same
/// comparison made for services that the change cannot have touched.
///
/// The earlier stretches of a service (placebos in time) say how far off its comparison usually is.
/// The controls since the change (placebos in space) say how far off comparisons are *now*: where
/// something happened to all, and to each a little differently, they are all off by more, and a
/// shift must stand out from them as well.
/// - Source: placebo tests of synthetic controls, Abadie, Diamond, Hainmueller 2010.
public struct ControlledShift: Equatable, Sendable {
  /// Fewer controls say nothing about what happened to all.
  public static let controlsMin = 3
  /// How many standard errors a shift must be off by, if the controls are off by no more than usual.
  /// It is looked at time and again, and each look is longer than the last, so this is well beyond
  /// the 2.3 that a single look would need.
  static let errorsMin = 4.0
  let estimate: ShiftEstimate
  /// How many controls could be compared with the others, before and since.
  public let controls: Int
  /// How many times as far off as usual the controls are (root mean square); never below 1.
  let scale: Double
  /// By how many of its own standard errors the worst of them is off.
  let worstControl: Double

  /// - Parameter others: the same estimate for each control, made with the other controls.
  init(_ estimate: ShiftEstimate, others: [ShiftEstimate]) {
    self.estimate = estimate
    let scores = others.compactMap { $0.score?.magnitude }
    controls = scores.count
    let squares = scores.reduce(0) { $0 + $1 * $1 } / Double(max(scores.count, 1))
    scale = max(1, squares.squareRoot())
    worstControl = scores.max() ?? 0
  }

  /// Enough was seen of the controls, and enough of earlier stretches.
  public var isUsable: Bool {
    controls >= ControlledShift.controlsMin && estimate.score != nil
  }

  /// What of the shift is beyond everything that is seen without a change.
  var least: Double? {
    guard isUsable, let error = estimate.standardError else { return nil }
    return estimate.effect - max(ControlledShift.errorsMin * scale * error, estimate.widest)
  }

  /// It is surely more than `tolerated` (a ratio), and more out of line than any control.
  func isHarm(beyond tolerated: Double) -> Bool {
    guard let least, let score = estimate.score else { return false }
    return least > log(tolerated) && score > worstControl
  }
}
