/// Which of several hypotheses fall, so that the chance of felling any that is true stays below α
/// whatever they have to do with one another.
///
/// The mean of e-values is an e-value under any dependence, and of e-processes an e-process, so it
/// may be looked at as often as one likes. A hypothesis falls when the mean over every set of
/// hypotheses that contains it reaches 1 ÷ α. That fells whatever a share of α each (e ≥ m ÷ α)
/// fells and, of two, whatever e-BH does (the k greatest at e ≥ m ÷ kα); and some between.
/// - Cost: O(m²) of m hypotheses.
/// - Source: Vovk and Wang 2021, combining and merging e-values, for the mean and its closure; Wang
///   and Ramdas 2022 for e-BH.
enum ClosedTest {
  /// - Parameter logarithms: of the e-values; −∞ for one that says nothing.
  /// - Returns: position by position, whether it falls.
  static func falls(_ logarithms: [Double], alpha: Double) -> [Bool] {
    let threshold = EValue.threshold(alpha)
    return logarithms.indices.map { index in
      // The set that speaks most against felling it holds the least of the others.
      var set = [logarithms[index]]
      guard set[0] >= threshold else { return false }
      let others = logarithms.indices.filter { $0 != index }.map { logarithms[$0] }.sorted()
      for other in others {
        set.append(other)
        guard EValue.logMeanExp(set) >= threshold else { return false }
      }
      return true
    }
  }

  /// ln of the e-value against all of them together.
  static func logEvidence(_ logarithms: [Double]) -> Double { EValue.logMeanExp(logarithms) }
}
