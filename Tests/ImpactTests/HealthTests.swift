import Foundation
import Testing

@testable import Impact

@Suite struct HealthTests {
  static func health(_ windows: [ComparedWindow]) -> Health {
    var comparison = ConcurrentComparison()
    for window in windows { comparison.add(window) }
    return Health(comparison)
  }

  /// Scenario: no data; requests of one version only; both versions.
  /// Guarantees: only parts there is data for, with weights that add up to 1; nil without any.
  @Test func partsAreWhatThereIs() {
    #expect(HealthTests.health([]).score == nil)
    let alone = HealthTests.health([Sample.window(0, Sample.side(50), .nothing)])
    #expect(alone.parts.map(\.name) == ["errors"])
    #expect(alone.parts[0].weight == 1)
    #expect(alone.score == 100)
    let both = HealthTests.health(Sample.quiet(20))
    #expect(
      both.parts.map(\.name) == ["errors", "errors_against_baseline", "latency_against_baseline"])
    #expect(both.parts.reduce(0) { $0 + $1.weight }.isNear(1))
    #expect(both.score.map { $0.isNear(100) } ?? false)
  }

  /// Scenario: everything fails, and takes twice as long.
  /// Guarantees: 0, and each part says why.
  @Test func theWorstIsZero() {
    let health = HealthTests.health(
      Sample.quiet(60, errors: ({ _ in 50 }, { _ in 2 }), slower: 2))
    #expect(health.score == 0)
    #expect(health.parts[0].why.hasPrefix("100 % of 3 000 requests failed, surely at least"))
  }

  /// Scenario: error rates and slowness in steps.
  /// Guarantees: health never rises with them, and one error in a hundred requests costs nothing
  /// yet.
  @Test func fallsWithWhatIsShown() {
    var last = 100.0
    for errors in [Int64(0), 1, 2, 5, 10, 30, 50] {
      let score =
        HealthTests.health(
          Sample.quiet(30, errors: ({ _ in errors }, { _ in 1 }))
        ).score ?? -1
      #expect(score <= last)
      last = score
    }
    #expect(last < 35)
    last = 100
    for slower in [1, 1.01, 1.1, 1.2, 1.4, 1.8] {
      let score = HealthTests.health(Sample.quiet(60, slower: slower)).score ?? -1
      #expect(score <= last + 1e-9)
      last = score
    }
    #expect(last.isNear(70))
    let early = HealthTests.health([Sample.window(0, Sample.side(100, 1), Sample.side(100))])
    #expect(early.score == 100)
  }
}
