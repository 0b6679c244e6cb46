import Foundation
import Testing

@testable import Impact

@Suite struct ErrorRateBoundTests {
  /// Scenario: requests without an error, one after the other.
  /// Guarantees: 499 show a rate below 1 % at α = 0.01, and 498 do not.
  @Test func aServiceThatNeverErrsIsSafe() {
    let needed = (1...1000).first {
      ErrorRateBound(requests: Int64($0), failures: 0).upper(alpha: 0.01, dispersion: 1) < 0.01
    }
    #expect(needed == 499)
  }

  /// Scenario: counts whose e-values were computed from binomial probabilities with SciPy.
  /// Guarantees: the same.
  @Test func evidenceIsThatOfBinomials() {
    let below: [(Int64, Int64, Double, Double)] = [
      (493, 0, 1, 4.549684678318115), (2000, 5, 1, 6.318576888164701),
      (2000, 5, 2, 2.6171452365187045), (1000, 1, 1, 5.3670575689132445),
      (5000, 80, 1, -7.467870387277679),
    ]
    for (requests, failures, dispersion, expected) in below {
      let bound = ErrorRateBound(requests: requests, failures: failures)
      #expect(bound.logEvidence(below: 0.01, dispersion: dispersion).isNear(expected, within: 1e-8))
    }
  }

  /// Scenario: bounds found with SciPy by solving the e-values for the rate.
  /// Guarantees: the same.
  @Test func boundsAreThoseOfBinomials() {
    let expected: [(Int64, Int64, Double, Double, Double)] = [
      (2000, 5, 1, 0.0002988471496340995, 0.008839125344593357),
      (2000, 5, 2, 7.56337391713553e-05, 0.012573224587315898),
      (493, 0, 1, 0, 0.010115573710583256),
      (100, 40, 1, 0.23925839284284228, 0.595327186678646),
      (1_000_000, 3000, 1, 0.002774865344174793, 0.003265359898037948),
    ]
    for (requests, failures, dispersion, lower, upper) in expected {
      let bound = ErrorRateBound(requests: requests, failures: failures)
      #expect(bound.lower(alpha: 0.01, dispersion: dispersion).isNear(lower, within: 1e-6))
      #expect(bound.upper(alpha: 0.01, dispersion: dispersion).isNear(upper, within: 1e-6))
    }
  }

  /// Scenario: nothing, everything failed, one request, the greatest counts there are.
  /// Guarantees: 0 ≤ lower ≤ rate ≤ upper ≤ 1, and without requests nothing is bounded.
  @Test func edges() throws {
    let nothing = ErrorRateBound()
    #expect(nothing.rate == nil)
    #expect(nothing.lower(alpha: 0.01, dispersion: 1) == 0)
    #expect(nothing.upper(alpha: 0.01, dispersion: 1) == 1)
    #expect(nothing.logEvidence(below: 0.01, dispersion: 1).magnitude < 1e-12)
    for (requests, failures) in [
      (Int64(1), Int64(0)), (1, 1), (2, 1), (1 << 40, 0), (1 << 40, 1 << 40), (1 << 40, 1 << 39),
      (7, 900), (-3, -3),
    ] {
      let bound = ErrorRateBound(requests: requests, failures: failures)
      let lower = bound.lower(alpha: 0.01, dispersion: 1)
      let upper = bound.upper(alpha: 0.01, dispersion: 1)
      let rate = bound.rate ?? 0
      #expect(0 <= lower && lower <= rate && rate <= upper && upper <= 1)
    }
    #expect(ErrorRateBound(requests: 9, failures: 9).upper(alpha: 0.01, dispersion: 1) == 1)
    #expect(
      ErrorRateBound(requests: 9, failures: 0).logEvidence(below: 1, dispersion: 1) == .infinity)
    #expect(ErrorRateBound(requests: 9, failures: 0).logEvidence(below: 0, dispersion: 1) == 0)
  }

  /// Scenario: sides, with failures of their own that only callers saw and with unplaceable ones.
  /// Guarantees: all are counted, as requests and as failures; merging is exact.
  @Test func countsWhatNobodyCanPlace() {
    var bound = ErrorRateBound()
    bound.add(Sample.side(100, 1, unseen: 2), unknownFailures: 4)
    #expect(bound == ErrorRateBound(requests: 106, failures: 7))
    bound.merge(ErrorRateBound(requests: 10, failures: 1))
    #expect(bound == ErrorRateBound(requests: 116, failures: 8))
  }

  /// Scenario: versions that fail in exactly 1 % of requests, watched for 3 000 requests.
  /// Guarantees: at most 1 % of them are ever called better than that, or worse.
  @Test func holdsAtAllLooks() {
    var random = SimulatedRandom(seed: 5)
    var wronglySafe = 0
    for _ in 0..<500 {
      var bound = ErrorRateBound()
      for _ in 0..<60 {
        bound.add(requests: 50, failures: random.binomial(50, chance: 0.01))
        if bound.logEvidence(below: 0.01, dispersion: 1) >= log(100) {
          wronglySafe += 1
          break
        }
      }
    }
    #expect(wronglySafe <= 5)
  }
}
