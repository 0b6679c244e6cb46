import Model
import TestSupport
import Testing

@testable import Analyse

@Suite struct ErrorTrailTests {
  private func trail(_ spans: [SpanRecord]) -> [UInt64] {
    let forest = PathSketch.forest(spans)
    return forest.errorTrail().map { forest.spans[$0].id.raw }
  }

  /// Scenario: a failure runs back to the root; beside it a child failed earlier, and was retried.
  /// Guarantees: the way from the root down to where the failure that was seen last began.
  @Test func fromTheRootToTheOrigin() {
    #expect(
      trail([
        PathSketch.span(1, 0, 100, error: true),
        PathSketch.span(2, under: 1, 5, 40, error: true),
        PathSketch.span(3, under: 1, 50, 90, error: true),
        PathSketch.span(4, under: 3, 60, 80, error: true),
        PathSketch.span(5, under: 3, 60, 85),
      ]) == [1, 3, 4])
  }

  /// Scenario: the root did not fail; two spans did, one nearer to the root, one earlier.
  /// Guarantees: it begins at the one nearer to the root; of equally near ones at the earlier.
  @Test func absorbedFailures() {
    let far = [
      PathSketch.span(1, 0, 100), PathSketch.span(2, under: 1, 1, 20),
      PathSketch.span(3, under: 2, 2, 10, error: true),
      PathSketch.span(4, under: 1, 30, 90, error: true),
    ]
    #expect(trail(far) == [4])
    #expect(trail(far + [PathSketch.span(5, under: 1, 25, 28, error: true)]) == [5])
  }

  /// Scenario: nothing failed; nothing is there; the parent of a failed span was never sent.
  /// Guarantees: no way; no way; the span alone.
  @Test func nothingAndAlone() {
    #expect(trail([PathSketch.span(1, 0, 9), PathSketch.span(2, under: 1, 1, 2)]).isEmpty)
    #expect(trail([]).isEmpty)
    #expect(trail([PathSketch.span(2, under: 1, 1, 2, error: true)]) == [2])
  }

  /// Scenario: a caller gives up on a call whose first try had failed; the second fails later. Then there
  /// is no first try.
  /// Guarantees: the way leads to what failed in time; where nothing did, it ends at the call.
  @Test func givenUp() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 200, traits: .error)
    let call = trace.span("a", .client, under: root, 0, 50, traits: .error)
    let send = trace.span("a", .internal, under: call, 0, 50, traits: .error)
    let late = trace.span("b", .server, under: send, 1, 90, traits: .error)
    trace.span("c", .server, under: late, 2, 80, traits: .error)
    #expect(trail(trace.spans) == [1, 2, 3])
    trace.span("b", .server, under: send, 1, 30, traits: .error)
    #expect(trail(trace.spans) == [1, 2, 3, 6])
  }

  /// Scenario: the same through a client span of a sidecar, which failed when the server did.
  /// Guarantees: the way ends at the sidecar's span; with a server that failed in time, at that one.
  @Test(arguments: [(90, [1, 2, 3]), (30, [1, 2, 3, 4])] as [(Nanos, [UInt64])])
  func givenUpThroughSidecar(end: Nanos, way: [UInt64]) {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 200, traits: .error)
    let call = trace.span("a", .client, under: root, 0, 50, traits: .error)
    let sidecar = trace.span("a", .client, under: call, 0, 95, traits: [.error, .proxy])
    trace.span("b", .server, under: sidecar, 1, end, traits: .error)
    #expect(trail(trace.spans) == way)
  }

  /// Scenario: random trees.
  /// Guarantees: each step is a failed child of the one before, and the last has none.
  @Test func steps() {
    var random = SeededGenerator()
    for _ in 0..<100 {
      let forest = PathSketch.forest(random.pipeline(60))
      let trail = forest.errorTrail()
      #expect(trail.isEmpty == !forest.spans.contains(where: \.isError))
      for (parent, child) in zip(trail, trail.dropFirst()) {
        #expect(forest.parent(of: child) == parent && forest.spans[child].isError)
      }
      if let last = trail.last {
        #expect(!forest.children(of: last).contains { forest.spans[Int($0)].isError })
      }
    }
  }
}
