import Model
import Testing

@testable import Corpus

@Suite struct SimulatorTests {
  private let start: Nanos = 1_700_000_000 * .second

  private func traces(
    _ system: SystemDescription, faults: [Fault] = [], rollouts: [Rollout] = [], seconds: Double,
    seed: UInt64 = 3
  ) -> (traces: [SimulatedTrace], simulator: Simulator) {
    var simulator = Simulator(
      system, faults: faults, rollouts: rollouts, start: start, seed: seed)
    var traces: [SimulatedTrace] = []
    simulator.run(until: seconds) { traces.append($0) }
    return (traces, simulator)
  }

  private func name(_ span: SpanRecord, _ simulator: Simulator) -> String {
    simulator.names.all[span.service].map { NodeIdentity(text: $0.text).name } ?? ""
  }

  /// Two services, the first calls the second.
  private func pair(
    rate: Double = 20, milliseconds: Double = 5, timeout: Double = 2_000, retries: Int = 0,
    workers: Int = 16, cores: Int = 4, scaling: ScalingRule? = nil
  ) -> SystemDescription {
    SystemDescription(
      services: [
        ServiceDescription(
          name: "front", instances: 1, workers: 256,
          operations: [
            OperationDescription(
              name: "GET /", milliseconds: 1, errorRate: 0,
              groups: [
                [
                  CallDescription(
                    OperationReference(1), timeoutMilliseconds: timeout, retries: retries)
                ]
              ])
          ]),
        ServiceDescription(
          name: "back", instances: 2, workers: workers, cores: cores,
          operations: [
            OperationDescription(name: "Do", milliseconds: milliseconds, errorRate: 0)
          ], scaling: scaling),
      ], entries: [EntryDescription(OperationReference(0), rate: rate)])
  }

  /// Scenario: the same seed twice, another seed, and one run in two pieces.
  /// Guarantees: the same spans, to the nanosecond; other ones.
  @Test func sameSeedSameSpans() {
    let first = traces(.shop(), seconds: 20).traces
    let again = traces(.shop(), seconds: 20).traces
    #expect(first.map(\.spans) == again.map(\.spans) && first.count > 200)
    let other = traces(.shop(), seconds: 20, seed: 4).traces
    #expect(first.map(\.spans) != other.map(\.spans))
    var pieces = Simulator(.shop(), start: start, seed: 3)
    var spans: [[SpanRecord]] = []
    pieces.run(until: 7) { spans.append($0.spans) }
    pieces.run(until: 20) { spans.append($0.spans) }
    #expect(spans == first.map(\.spans))
  }

  /// Scenario: a healthy pair of services.
  /// Guarantees: a trace is a server span, a client span below it and a server span below that, one
  /// within the other; about as many as asked for; every name is known.
  @Test func pairOfServices() {
    let (traces, simulator) = traces(pair(), seconds: 60)
    #expect((900...1_500).contains(traces.count))
    for trace in traces {
      let spans = trace.spans.sorted { $0.start < $1.start }
      #expect(spans.map(\.kind) == [.server, .client, .server])
      #expect(spans[1].parent == spans[0].id && spans[2].parent == spans[1].id)
      #expect(spans[0].start <= spans[1].start && spans[1].end <= spans[0].end)
      #expect(spans[1].start < spans[2].start && spans[2].end < spans[1].end)
      for span in spans {
        #expect(
          simulator.names.all[span.service] != nil && simulator.names.all[span.operation] != nil)
        #expect(
          simulator.names.all[span.version] != nil && simulator.names.all[span.instance] != nil)
      }
    }
  }

  /// Scenario: a slow callee, a caller that gives up and tries again once.
  /// Guarantees: two failed client spans as long as the timeout; the callee's spans end later and are
  /// still part of the trace.
  @Test func timeoutsAndRetries() {
    let (traces, _) = traces(
      pair(rate: 2, milliseconds: 100, timeout: 20, retries: 1), seconds: 30)
    #expect(traces.count > 20)
    for trace in traces {
      let clients = trace.spans.filter { $0.kind == .client }
      #expect(clients.count == 2 && clients.allSatisfy(\.isError))
      #expect(clients.allSatisfy { $0.durationNanos / .millisecond == 20 })
      #expect(trace.spans.filter { $0.kind == .server }.count == 3)
    }
  }

  /// Scenario: more requests than the callee has workers for.
  /// Guarantees: they wait before its server span begins, so the time is between client and server.
  @Test func waitingForAWorker() {
    let (traces, simulator) = traces(
      pair(rate: 60, milliseconds: 40, workers: 1, cores: 1), seconds: 20)
    var gaps: [Double] = []
    for trace in traces {
      guard let client = trace.spans.first(where: { $0.kind == .client }),
        let server = trace.spans.first(where: { name($0, simulator) == "back" })
      else { continue }
      gaps.append(Double(server.start - client.start) / 1e6)
    }
    #expect(gaps.reduce(0, +) / Double(gaps.count) > 50)
  }

  /// Scenario: each kind of fault in the shop from a second on.
  /// Guarantees: it changes the spans from then on and none before.
  @Test(arguments: Fault.Kind.allCases) func faultsBegin(kind: Fault.Kind) {
    let places = FaultPlaces(.shop())
    var random = Randomness(seed: 9)
    guard var (fault, _) = places.fault(kind, strength: 3, &random) else {
      Issue.record("no place for it")
      return
    }
    fault.start = 10
    let healthy = traces(.shop(), seconds: 30).traces
    let broken = traces(.shop(), faults: [fault], seconds: 30).traces
    let begin = start + 10 * Nanos.second
    func before(_ traces: [SimulatedTrace]) -> [[SpanRecord]] {
      traces.map(\.spans).filter { $0.allSatisfy { $0.end < begin } }
    }
    #expect(before(healthy) == before(broken) && !before(healthy).isEmpty)
    #expect(healthy.map(\.spans) != broken.map(\.spans))
  }

  /// Scenario: a version that gets half of the requests from a time on, then all, and fails.
  /// Guarantees: both versions answer in between, one afterwards; only the new one's fail.
  @Test func rollout() {
    let rollout = Rollout(
      service: 1, version: "v2", previous: "v1", start: 20, shares: [(0, 0.5), (20, 1)])
    let fault = Fault(.errors, service: 1, size: 1, start: 0, version: "v2")
    let (traces, simulator) = traces(
      pair(), faults: [fault], rollouts: [rollout], seconds: 60)
    var seen: [String: [Nanos]] = [:]
    for span in traces.flatMap(\.spans) where name(span, simulator) == "back" {
      let version = simulator.names.all[span.version]?.text ?? ""
      seen[version, default: []].append((span.start - start) / .second)
      #expect(span.isError == (version == "v2"))
    }
    #expect(Set(seen.keys) == ["v1", "v2"])
    #expect((seen["v2"]?.min() ?? 0) >= 20 && (seen["v1"]?.max() ?? 0) <= 41)
  }

  /// Scenario: load that keeps most workers busy, with a rule that adds instances.
  /// Guarantees: instances are added up to the limit, and said; afterwards requests wait less.
  @Test func scaling() {
    let rule = ScalingRule(target: 0.4, instancesMin: 2, instancesMax: 6)
    let (_, simulator) = traces(
      pair(rate: 60, milliseconds: 80, workers: 2, cores: 2, scaling: rule), seconds: 120)
    #expect(simulator.scalings.first.map { $0.service == 1 && $0.from == 2 && $0.to > 2 } == true)
    #expect(simulator.scalings.allSatisfy { $0.to <= 6 })
  }

  /// Scenario: traces as OTLP lines.
  /// Guarantees: a line a trace, with every span; a database is named as one.
  @Test func otlpLines() {
    let (traces, simulator) = traces(.shop(), seconds: 5)
    let lines = OTLPLines(names: simulator.names)
    for trace in traces {
      let line = lines.line(trace)
      #expect(!line.contains("\n"))
      #expect(line.ranges(of: #""spanId""#).count == trace.spans.count)
    }
    #expect(traces.map { lines.line($0) }.contains { $0.contains(#""db.system.name""#) })
  }
}
