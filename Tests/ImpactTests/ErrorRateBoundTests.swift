import Testing
@testable import Impact
@Suite struct ErrorRateBoundTests {
  @Test func n() {
    var n: Int64 = 1
    while ErrorRateBound(requests: n, failures: 0).logEvidence(below: 0.01, dispersion: 1) < 4.605170185988091 { n += 1 }
    print("N", n)
  }
}
