/// How many requests both versions had and how many failed, in one window or in several; fractions
/// where they are expected and not yet seen.
struct PairCounts: Equatable, Sendable {
  var currentRequests: Double
  var currentFailures: Double
  var baselineRequests: Double
  var baselineFailures: Double

  init(
    currentRequests: Double, currentFailures: Double, baselineRequests: Double,
    baselineFailures: Double
  ) {
    self.currentRequests = currentRequests
    self.currentFailures = currentFailures
    self.baselineRequests = baselineRequests
    self.baselineFailures = baselineFailures
  }

  /// What a window holds; with `charged` more failures on the new version's account.
  init(_ window: ComparedWindow, charged: Int64 = 0) {
    self.init(
      currentRequests: Double(window.current.requests + charged),
      currentFailures: Double(window.current.failures + charged),
      baselineRequests: Double(window.baseline.requests),
      baselineFailures: Double(window.baseline.failures))
  }
}
