import Analyse
import Corpus
import Model
import TestSupport
import Testing

@testable import Impact

/// Systems whose truth is known, and windows made by hand where a figure matters.
@Suite(.serialized) struct SystemHealthTests {
  private static let start: Nanos = 1_700_000_000 * .second / .minute * .minute

  private struct Found: Sendable {
    var services: [String: ServiceHealth] = [:]
    var text: [NameID: String] = [:]

    func parts(_ service: String) -> [String: Health.Part] {
      Dictionary(
        (services[service]?.health.parts ?? []).map { ($0.name, $0) },
        uniquingKeysWith: { a, _ in a })
    }

    func score(_ service: String) -> Double { services[service]?.health.score ?? -1 }
  }

  /// The health in a shop to which something happens at second 240, against the time before.
  private func health(_ faults: [Fault], seed: UInt64 = 5) async -> Found {
    await onOwnThread { SystemHealthTests.simulated(faults, seed) }
  }

  private static func simulated(_ faults: [Fault], _ seed: UInt64) -> Found {
    var simulator = Simulator(.shop(rate: 8), faults: faults, start: start, seed: seed)
    var sums = WindowSums()
    var analyser = TraceAnalyser()
    simulator.run(until: 450) { trace in
      var findings: [Finding] = []
      analyser.analyse(
        trace.spans, key: TraceKey(tenant: .standard, trace: trace.id), into: &findings)
      sums.add(findings)
    }
    func windows(_ from: Int, _ to: Int) -> [Window] {
      stride(from: from, to: to, by: 10).map {
        sums.windows[start + Nanos($0) * .second] ?? Window()
      }
    }
    let system = SystemHealth(
      base: windows(60, 240), current: windows(240, 420), seconds: 10, errorsTolerated: 0.01)
    var found = Found()
    for node in system.nodes {
      let text = simulator.names.all[node].map { NodeIdentity(text: $0.text).name } ?? ""
      found.text[node] = text
      found.services[text] = system.health(of: node)
    }
    return found
  }

  /// Scenario: nothing happens in the shop.
  /// Guarantees: every service has a score above 99 and parts whose weights add up to 1.
  @Test func nothingHappens() async {
    let found = await health([])
    #expect(found.services.count > 5)
    for (name, service) in found.services where service.health.score != nil {
      #expect(service.health.score.map { $0 > 99 } == true, "\(name): \(service.health)")
      #expect(abs(service.health.parts.reduce(0) { $0 + $1.weight } - 1) < 1e-9)
    }
  }

  /// Scenario: one in three requests to payment fails by itself.
  /// Guarantees: payment is the worst, by its own parts and for what it does to its callers; checkout
  /// suffers from a dependency and not by itself, and names payment first.
  @Test func failures() async throws {
    let found = await health([Fault(.errors, service: 7, size: 0.34, start: 240)])
    let worst = found.services.filter { $0.value.health.score != nil }.min {
      found.score($0.key) < found.score($1.key)
    }
    #expect(worst?.key == "payment")
    let payment = found.parts("payment")
    #expect(try #require(payment["errors"]).score < 30)
    #expect(try #require(payment["errors_against_history"]).score < 30)
    #expect(payment["dependency_errors"].map { $0.score == 100 } ?? true)
    let checkout = found.parts("checkout")
    #expect(try #require(checkout["errors"]).score == 100)
    #expect(try #require(checkout["dependency_errors"]).score < 100)
    let first = try #require(found.services["checkout"]?.downstream.first)
    #expect(found.text[first.node] == "payment" && first.propagated > 0)
    let caller = try #require(found.services["payment"]?.upstream.first)
    #expect(found.text[caller.node] == "checkout" && caller.propagated == first.propagated)
    #expect(try #require(payment["caller_errors"]).score < 100)
  }

  /// Scenario: payment takes four times as long itself.
  /// Guarantees: its own time and what it does to its callers are worse; checkout waits longer for calls
  /// and does not take longer itself.
  @Test func slowness() async throws {
    let found = await health([Fault(.slowCode, service: 7, size: 4, start: 240)])
    let payment = found.parts("payment")
    #expect(try #require(payment["self_time"]).score < 50)
    #expect(try #require(payment["errors"]).score == 100)
    let checkout = found.parts("checkout")
    #expect(try #require(checkout["self_time"]).score == 100)
    #expect(try #require(checkout["dependency_time"]).score < 100)
    #expect(try #require(payment["caller_time"]).score < 100)
    let slower = try #require(
      found.services["checkout"]?.downstream.first { found.text[$0.node] == "payment" })
    #expect(try #require(slower.addedMilliseconds) > 0)
  }

  // MARK: - By hand

  private let service = NameID(10)
  private let caller = NameID(11)

  private func window(
    requests: Int, failed: Int = 0, milliseconds: Nanos = 10, slow: Int = 0
  ) -> Window {
    var window = Window()
    for index in 0..<requests {
      let time = (index < slow ? 10 * milliseconds : milliseconds) * .millisecond
      var finding = Finding(window: 0, key: .node(service), latency: time, ownTime: time)
      let isError = index < failed
      for (field, value) in [
        (Counters.Field.requests, Int64(1)), (.requestsAdjusted, 256), (.traces, 1),
        (.errors, isError ? 1 : 0), (.errorsAdjusted, isError ? 256 : 0),
        (.errorOriginsAdjusted, isError ? 256 : 0), (.errorTraces, isError ? 1 : 0),
      ] { finding.counters[field] = value }
      window.add(finding)
    }
    return window
  }

  private func part(
    _ name: String, _ windows: [Window], _ objective: ServiceObjective? = nil
  ) -> Health.Part? {
    let system = SystemHealth(
      current: windows, seconds: 10, errorsTolerated: 0.01,
      objectives: objective.map { [service: $0] } ?? [:])
    return system.health(of: service).health.parts.first { $0.name == name }
  }

  /// Scenario: the same 3 % of failures in few requests and in many; against what is tolerated, a wider
  /// and a narrower objective.
  /// Guarantees: few requests show little; more show more; the objective decides what is too much.
  @Test func onlyWhatIsShown() throws {
    let few = try #require(part("errors", [window(requests: 33, failed: 1)]))
    #expect(few.score == 100)
    let many = Array(repeating: window(requests: 200, failed: 6), count: 20)
    let shown = try #require(part("errors", many))
    #expect(shown.score < 95 && shown.score > 75, "3 % of a scale from 1 % to 10 %: \(shown)")
    #expect(part("errors", many, ServiceObjective(errorRate: 0.05))?.score == 100)
    let strict = try #require(part("errors", many, ServiceObjective(errorRate: 0.001)))
    #expect(strict.score == 0 && strict.why.contains("is the objective"))
  }

  /// Scenario: the same failures one by one, and all in one window.
  /// Guarantees: a burst shows less.
  @Test func bursts() throws {
    let even = try #require(
      part("errors", Array(repeating: window(requests: 100, failed: 5), count: 10)))
    let burst = try #require(
      part(
        "errors",
        [window(requests: 100, failed: 50)] + Array(repeating: window(requests: 100), count: 9)))
    #expect(burst.score > even.score)
  }

  /// Scenario: one in five requests takes 100 ms, the others 10 ms; objectives of 50 ms and of 200 ms.
  /// Guarantees: the first is missed and says by how much, the second is met; without an objective there
  /// is no such part.
  @Test func latencyObjective() throws {
    let windows = Array(repeating: window(requests: 100, slow: 20), count: 10)
    let missed = try #require(
      part("latency", windows, ServiceObjective(latencyP95: 50 * .millisecond)))
    #expect(missed.score < 80 && missed.score > 40 && missed.why.contains("p95 allows 5 %"))
    let worse = try #require(
      part(
        "latency", windows,
        ServiceObjective(latencyP95: 50 * .millisecond, latencyP99: 50 * .millisecond)))
    #expect(worse.score == 0, "the worse of the two counts")
    #expect(
      part("latency", windows, ServiceObjective(latencyP99: 200 * .millisecond))?.score == 100)
    #expect(part("latency", windows) == nil)
  }

  /// Scenario: a service that had requests before and has none now; one that is only called, and all
  /// calls of which fail.
  /// Guarantees: no score and a sentence why; what the caller sees counts where the service is silent.
  @Test func silence() throws {
    let gone = SystemHealth(
      base: [window(requests: 50), window(requests: 50)], current: [Window(), Window()],
      seconds: 10, errorsTolerated: 0.01
    ).health(of: service)
    #expect(gone.health.score == nil && gone.health.parts.isEmpty)
    #expect(gone.why?.contains("100 came in the time before") == true)
    var calls = Window()
    for _ in 0..<50 {
      var finding = Finding(window: 0, key: .edge(caller, service, .direct))
      finding.counters[.requests] = 1
      finding.counters[.errors] = 1
      finding.counters[.requestsAdjusted] = 256
      finding.counters[.errorsAdjusted] = 256
      finding.counters[.propagatedAdjusted] = 256
      calls.add(finding)
    }
    let called = SystemHealth(
      current: Array(repeating: calls, count: 10), seconds: 10, errorsTolerated: 0.01)
    #expect(called.health(of: service).health.parts.map(\.name) == ["caller_errors"])
    #expect(called.score(of: service).map { $0 < 1 } == true)
    #expect(called.score(of: caller) == nil, "nobody asked it anything")
    #expect(called.score(of: NameID(99)) == nil)
  }

  /// Scenario: windows with random counts, negative ones and far too large ones among them.
  /// Guarantees: every score lies between 0 and 100, and every weight is a share; nothing traps.
  @Test func anyCounts() {
    let seed = UInt64.random(in: .min ... .max)
    var random = SimulatedRandom(seed: seed)
    for _ in 0..<200 {
      func windows() -> [Window] {
        (0..<3).map { _ in
          var window = Window()
          let keys: [SeriesKey] = [
            .node(service), .node(caller), .edge(caller, service, .direct),
            .edge(service, caller, .direct), .wait(caller, for: service),
          ]
          for key in keys {
            var finding = Finding(
              window: 0, key: key, latency: random.next() >> 20, ownTime: random.next() >> 24)
            for field in Counters.Field.allCases {
              finding.counters[field] =
                Int64(bitPattern: random.next()) >> Int64(22 + random.next() % 40)
            }
            window.add(finding)
          }
          return window
        }
      }
      let system = SystemHealth(
        base: windows(), current: windows(), seconds: 10, errorsTolerated: 0.01,
        objectives: [service: ServiceObjective(errorRate: 0, latencyP95: 0, latencyP99: .max)])
      for node in system.nodes {
        let health = system.health(of: node).health
        #expect(health.score.map { (0...100).contains($0) } ?? true, "seed \(seed)")
        #expect(health.parts.allSatisfy { (0...1).contains($0.weight) }, "seed \(seed)")
      }
    }
  }
}
