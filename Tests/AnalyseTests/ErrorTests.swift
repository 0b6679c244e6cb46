import Model
import Testing

@testable import Analyse

@Suite struct ErrorTests {
  /// Scenario: an error at the end of a chain runs back through all of it.
  /// Guarantees: it began once, at the end; every call failed and every one was passed on.
  @Test func propagated() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 100, traits: .error)
    let toB = trace.span("a", .client, under: a, 5, 95, traits: .error)
    let b = trace.span("b", .server, under: toB, 10, 90, traits: .error)
    let toC = trace.span("b", .client, under: b, 15, 85, traits: .error)
    trace.span("c", .server, under: toC, 20, 80, traits: .error)
    let outcome = trace.analysed()
    #expect(
      outcome.nodes == ["a 1/1", "b 1/1", "c 1/1"] && outcome.edges == ["a→b 1/1", "b→c 1/1"])
    #expect(outcome.origins == ["c 1"])
    for (client, server) in [("a", "b"), ("b", "c")] {
      #expect(outcome.edge(client, server).counters[.propagatedAdjusted] == 256)
      #expect(outcome.edge(client, server).counters[.absorbedAdjusted] == 0)
    }
    for node in ["a", "b", "c"] {
      #expect(outcome.node(node).counters[.errorTraces] == 1)
      #expect(outcome.node(node).counters[.errorsAdjusted] == 256)
    }
  }

  /// Scenario: the caller gets along without the callee.
  /// Guarantees: the call failed and was absorbed; the caller has no error.
  @Test func absorbed() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 100)
    let toB = trace.span("a", .client, under: a, 5, 95, traits: .error)
    trace.span("b", .server, under: toB, 10, 90, traits: .error)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/1"] && outcome.origins == ["b 1"])
    #expect(outcome.edge("a", "b").counters[.absorbedAdjusted] == 256)
    #expect(outcome.node("a").counters[.errorTraces] == 0)
  }

  /// Scenario: a service fails although all it called went well, or called nothing.
  /// Guarantees: the error began there.
  @Test func origin() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 100, traits: .error)
    let toB = trace.span("a", .client, under: a, 5, 95)
    trace.span("b", .server, under: toB, 10, 90)
    let outcome = trace.analysed()
    #expect(outcome.origins == ["a 1"] && outcome.edges == ["a→b 1/0"])
  }

  /// Scenario: a service fails after it has sent a message, whose consumer fails too.
  /// Guarantees: two errors began: nobody waited for the consumer, so it explains nothing.
  @Test func consumersExplainNothing() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 100, traits: .error)
    let send = trace.span("a", .producer, under: a, 5, 10)
    trace.span("b", .consumer, under: send, 20, 30, traits: .error)
    #expect(trace.analysed().origins == ["a 1", "b 1"])
  }

  /// Scenario: a client span failed and nothing is below it: the callee died before it could
  /// report.
  /// Guarantees: edge and callee are charged, the caller is not.
  @Test func silentCalleeIsCharged() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 100, traits: .error)
    trace.span("a", .client, under: a, 5, 95, traits: .error, peer: "b")
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/1", "b 1/1"] && outcome.origins == ["b 1"])
    #expect(outcome.edges == ["a→b virtual_node 1/1"])
    #expect(outcome.node("b").counters[.errorTraces] == 1)
    #expect(
      outcome.edge("a", "b", .virtualNode).counters[.propagatedAdjusted] == 256)
  }

  /// Scenario: a retry: the first try failed, the second went well; the client says so.
  /// Guarantees: one of two calls failed; it was absorbed.
  @Test func retriedWithSuccess() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 100)
    let toB = trace.span("a", .client, under: a, 5, 95)
    trace.span("b", .server, under: toB, 10, 30, traits: .error)
    trace.span("b", .server, under: toB, 40, 90)
    let outcome = trace.analysed()
    #expect(outcome.edges == ["a→b 2/1"] && outcome.nodes == ["a 1/0", "b 2/1"])
    #expect(outcome.edge("a", "b").counters[.absorbedAdjusted] == 256)
  }

  /// Scenario: a client fails whose earlier try did not report an error, nor the later one.
  /// Guarantees: only the last call is charged with what the client says.
  @Test func clientSpeaksForTheLastCall() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 100)
    let toB = trace.span("a", .client, under: a, 5, 95, traits: .error)
    trace.span("b", .server, under: toB, 10, 30)
    trace.span("c", .server, under: toB, 40, 90)
    #expect(trace.analysed().edges == ["a→b 1/0", "a→c 1/1"])
  }

  /// Scenario: inner work failed, but the request did not.
  /// Guarantees: no error of the service: its answer is what counts.
  @Test func innerErrorsAreTheServicesOwn() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 100)
    trace.span("a", .internal, under: a, 5, 95, traits: .error)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0"] && outcome.origins.isEmpty)
  }

  /// Scenario: a trace visits two versions of a service four times; one version fails twice.
  /// Guarantees: requests count each, traces at most once for the service and for each version.
  @Test func tracesCountOnce() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 100)
    for (index, version) in ["v1", "v2", "v2", "v1"].enumerated() {
      let start = Nanos(index) * 20
      let call = trace.span("a", .client, under: a, start, start + 20)
      trace.span(
        "b", .server, under: call, start + 1, start + 19, traits: version == "v2" ? .error : [],
        version: version, instance: "pod-\(index)")
    }
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 4/2"])
    #expect(outcome.node("b").counters[.traces] == 1)
    #expect(outcome.node("b").counters[.errorTraces] == 1)
    for (version, failed): (String, Int64) in [("v1", 0), ("v2", 1)] {
      let counters = outcome.version("b", version).counters
      #expect(counters[.requests] == 2 && counters[.errors] == 2 * failed)
      #expect(counters[.traces] == 1 && counters[.errorTraces] == failed)
    }
    let instances = outcome.window.series.filter { $0.key.kind == .instance }
    #expect(instances.count == 4 && instances.allSatisfy { $0.value.counters[.requests] == 1 })
  }

  /// Scenario: visits of one trace to a service end in different windows.
  /// Guarantees: requests stay in their windows; the trace is counted in the last.
  @Test func tracesCountInTheLastWindow() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 25_000)
    trace.span("b", .server, under: a, 0, 1_000)
    trace.span("b", .server, under: a, 20_000, 24_000)
    let outcome = trace.analysed()
    let node = SeriesKey.node(trace.name("b"))
    let first = outcome.sums.windows[TraceSketch.epoch]?.series[node]?.counters
    let last = outcome.sums.windows[TraceSketch.epoch + 2 * windowNanos]?.series[node]?.counters
    #expect(first?[.requests] == 1 && first?[.traces] == 0)
    #expect(last?[.requests] == 1 && last?[.traces] == 1)
  }

  /// Scenario: one span in four was sampled.
  /// Guarantees: raw counts stay raw, adjusted ones and times count four times.
  @Test func weights() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 100, traits: .error, weight: 1024)
    let toB = trace.span("a", .client, under: a, 10, 90, traits: .error, weight: 1024)
    trace.span("b", .server, under: toB, 20, 80, traits: .error, version: "v1", weight: 1024)
    trace.span("a", .client, under: a, 90, 95, traits: .error, peer: "x", weight: 1024)
    trace.span("a", .client, under: a, 95, 96, weight: 1024)
    let outcome = trace.analysed()
    let counters: [Counters] = [
      outcome.node("a").counters, outcome.node("b").counters, outcome.node("x").counters,
      outcome.edge("a", "b").counters, outcome.edge("a", "x", .virtualNode).counters,
      outcome.version("b", "v1").counters,
    ]
    for counter in counters {
      #expect(counter[.requests] == 1 && counter[.errors] == 1)
      #expect(counter[.requestsAdjusted] == 1024 && counter[.errorsAdjusted] == 1024)
    }
    #expect(outcome.node("b").counters[.errorOriginsAdjusted] == 1024)
    #expect(outcome.edge("a", "b").counters[.propagatedAdjusted] == 1024)
    #expect(outcome.node("a").latency == .of(100, weight: 1024))
    #expect(outcome.edge("a", "b").ownTime == .of(20, weight: 1024))
    #expect(
      outcome.node("a").counters[.traces] == 1 && outcome.node("a").counters[.errorTraces] == 1)
    #expect(
      outcome.coverage[.criticalPathNanos] == 4 * 100 * Int64(Nanos.millisecond))
    let unpaired = outcome.window.series[.unpaired(.standard, .clientWithoutPeer)]?.counters
    #expect(unpaired?[.requests] == 1 && unpaired?[.requestsAdjusted] == 1024)
  }
}
