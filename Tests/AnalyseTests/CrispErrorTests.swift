import Model
import Testing

@testable import Analyse

@Suite struct CrispErrorTests {
  private func span(
    _ id: UInt64, under parent: UInt64 = 0, _ start: Nanos, _ end: Nanos, error: Bool = false
  ) -> SpanRecord {
    PathSketch.span(id, under: parent, start, end, error: error)
  }

  private func errors(_ spans: SpanRecord...) -> [[UInt64]] {
    let forest = PathSketch.forest(spans)
    let errors = TracePath(forest, rule: .crisp).errors ?? CriticalPath.ErrorPath()
    return [errors.onPath, errors.connected].map { $0.map { forest.spans[$0].id.raw } }
  }

  /// Scenario: an error at the end of the path, in its middle, and nowhere.
  /// Guarantees: erring spans of the path and those above them, and no others.
  @Test func onThePath() {
    #expect(
      errors(
        span(1, 0, 100), span(2, under: 1, 10, 90), span(3, under: 2, 20, 70, error: true),
        span(4, under: 1, 0, 9)) == [[1, 2, 3], []])
    #expect(
      errors(span(1, 0, 100), span(2, under: 1, 0, 100, error: true), span(3, under: 2, 70, 100))
        == [[1, 2], []])
    #expect(errors(span(1, 0, 100), span(2, under: 1, 10, 90)) == [[], []])
    // CRISP's trace 16; the fifth span and the seventh failed, as did the fourth.
    #expect(
      errors(
        span(1, 0, 110), span(2, under: 1, 10, 20), span(3, under: 1, 15, 35),
        span(4, under: 1, 30, 40, error: true), span(5, under: 1, 50, 60, error: true),
        span(6, under: 1, 70, 100), span(7, under: 6, 80, 90, error: true))
        == [[1, 6, 7, 5, 4], []])
  }

  /// Scenario: CRISP's example: a root that did not fail, a failed span below it that calls two
  /// others at once, of which the one off the path failed, and with it what that one called.
  /// Guarantees: both are connected to the path; not when the span that called them did not fail.
  @Test func offThePath() {
    func trace(_ middle: Bool, _ link: Bool) -> [[UInt64]] {
      errors(
        span(1, 0, 100), span(2, under: 1, 1, 98, error: middle),
        span(3, under: 2, 10, 60, error: link), span(4, under: 3, 12, 50, error: true),
        span(5, under: 2, 30, 90))
    }
    #expect(trace(true, true) == [[1, 2], [3, 4]])
    #expect(trace(true, false) == [[1, 2], []])
    #expect(trace(false, true) == [[], []])
  }

  /// Scenario: a failed span lies outside its failed parent's time.
  /// Guarantees: it was left out, so it is connected to nothing.
  @Test func leftOut() {
    #expect(
      errors(
        span(1, 0, 100, error: true), span(2, under: 1, 10, 90), span(3, under: 1, 20, 30),
        span(4, under: 1, 200, 300, error: true)) == [[1], []])
  }
}
