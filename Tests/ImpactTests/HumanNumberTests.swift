import Testing

@testable import Impact

@Suite struct HumanNumberTests {
  /// Scenario: numbers of every size, and what is none.
  /// Guarantees: short, with as many digits as they deserve, never a trap.
  @Test func readsWell() {
    #expect(grouped(0) == "0" && grouped(312) == "312" && grouped(1280) == "1 280")
    #expect(grouped(-1_234_567) == "-1 234 567")
    #expect(about(46.2) == "47" && about(1276.4) == "1 280" && about(12_345) == "12 400")
    #expect(about(.infinity) == "very many" && about(.nan) == "very many")
    #expect(decimals(0.474) == "0.47" && decimals(3.14) == "3.1" && decimals(128.4) == "128")
    #expect(decimals(-0.001) == "0.00" && decimals(-1.5) == "-1.50")
    #expect(decimals(.infinity) == "very much" && decimals(-.infinity) == "-very much")
    #expect(decimals(.nan) == "very much")
    #expect(milliseconds(0.834) == "0.83 ms" && milliseconds(5.21) == "5.2 ms")
    #expect(milliseconds(65.04) == "65 ms" && milliseconds(1280) == "1 280 ms")
    #expect(percent(0.0052) == "0.52 %" && percent(0.01) == "1 %" && percent(0.0123) == "1.2 %")
    #expect(percent(0.5) == "50 %")
    #expect(change(1.049) == "+4.9 %" && change(0.988) == "-1.2 %")
    #expect(duration(50) == "50 s" && duration(240) == "4 min" && duration(12_600) == "3.5 h")
  }
}
