/// What pieces of evidence count, as natural logarithms of odds.
///
/// Chosen by hand from what each is worth on its own (a factor of ten is 2.3), not fitted to any corpus:
/// the probabilities that come of them order the hypotheses and are not calibrated.
enum AttributionWeights {
  /// Most changes do no harm; what else may be the cause is each a tenth as likely as that.
  static func prior(of kind: Hypothesis.Kind) -> Hypothesis.Term {
    switch kind {
    case .noise: .init(.prior, 1, "most changes do no harm")
    case .thisDeployment: .init(.prior, 0, "what changed is what is asked about")
    default: .init(.prior, -1.3, "it happens now and then")
    }
  }

  /// A factor of ten.
  static let strong = 2.3
  /// A factor of three.
  static let weak = 1.1
  /// Requests that rose by this factor at least may slow a service down.
  static let loadRatioMin = 1.3
}
