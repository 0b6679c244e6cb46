import Impact

/// A verdict as a score between the thresholds that were asked with.
///
/// Whoever asks compares: at or above `pass` is success, at or above `marginal` inconclusive, below
/// failure. So the score is made for the thresholds, also where they are unusual: a rollback never
/// reaches either.
struct KayentaScore: Equatable {
  enum Classification: String, CaseIterable {
    case pass = "Pass"
    case marginal = "Marginal"
    case fail = "Fail"

    static var texts: [String] { allCases.map(\.rawValue) }
  }

  var score: Int
  var classification: Classification

  init(_ verdict: Verdict, pass: Int, marginal: Int) {
    switch verdict {
    case .promote:
      score = max(100, pass)
      classification = .pass
    case .rollback:
      score = min(0, pass - 1, marginal - 1)
      classification = .fail
    // Where nothing is between the two, what is not decided is not passed.
    case .wait:
      score = min(marginal, pass - 1)
      classification = marginal < pass ? .marginal : .fail
    }
  }
}
