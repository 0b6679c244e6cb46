import Foundation
import Model
import Testing

@testable import Graph

@Suite struct GraphDiffTests {
  /// A range: what was seen in it, and how long it was.
  private struct Range {
    var fixture = GraphFixture()
    var seconds: UInt64 = 10

    var input: GraphInput {
      GraphInput(
        window: fixture.window, names: fixture.names, start: GraphFixture.start,
        end: GraphFixture.start + seconds * .second, revision: 7)
    }

    mutating func node(
      _ name: String, requests: Int64, errors: Int64 = 0, latency: Nanos = 10 * .millisecond,
      environment: String = ""
    ) {
      let id = fixture.node(name, environment: environment)
      fixture.add(
        .node(id), [.requestsAdjusted: requests, .errorsAdjusted: errors], latency: latency)
    }
  }

  private func compare(
    _ base: Range, _ current: Range, _ options: GraphOptions = GraphOptions(),
    changeMin: Double = GraphDiff.changeMinDefault
  ) throws -> GraphDiff {
    try GraphDiff.compare(
      base: base.input, current: current.input, tenant: .standard, options: options,
      changeMin: changeMin)
  }

  /// Scenario: one operation stops making a call that another makes more often, so that the edge is as it
  /// was; one call is new, one is as it was, one moved little; one was not told apart.
  /// Guarantees: each is where it belongs, by operation, with both sides; chance is told; what is asked
  /// for is kept.
  @Test func callsOfOperations() throws {
    func range(
      x: (makers: Int64, calls: Int64), y: (makers: Int64, calls: Int64), new: Int64
    ) -> GraphInput {
      var fixture = GraphFixture()
      let (front, pay) = (fixture.node("front"), fixture.node("pay"))
      let other = fixture.node("other", kind: .external)
      fixture.add(.node(front), [.requests: 300, .requestsAdjusted: 300])
      fixture.add(.node(pay), [.requests: 100, .requestsAdjusted: 100])
      fixture.add(.node(other), [.requests: 1, .requestsAdjusted: 1])
      let charge = fixture.part(.operation, of: pay, "charge")
      for (name, made) in [("X", x), ("Y", y), ("Z", (makers: Int64(50), calls: Int64(50)))] {
        let operation = fixture.part(.operation, of: front, name)
        fixture.add(.operation(front, operation), [.requests: 100, .requestsAdjusted: 100])
        fixture.add(
          .call(from: operation, to: charge),
          [.requests: made.calls, .requestsAdjusted: made.calls, .traces: made.makers])
        fixture.add(
          .call(from: operation, to: other),
          [.requests: new, .requestsAdjusted: new, .traces: new])
        fixture.add(.call(from: operation, to: .none), [.requests: made.calls, .traces: 1])
      }
      return fixture.input
    }
    let base = range(x: (80, 80), y: (80, 80), new: 0)
    let current = range(x: (0, 0), y: (80, 160), new: 1)
    let diff = try GraphDiff.compare(
      base: base, current: current, tenant: .standard, options: GraphOptions(),
      structure: (base, current))
    let calls = try #require(diff.calls)
    #expect(calls.vanished.map(\.operation) == ["X"])
    let gone = try #require(calls.vanished.first)
    #expect(gone.service == "front" && gone.callee == "pay" && gone.calleeOperation == "charge")
    #expect(gone.base?.probability == 0.8 && gone.current == nil)
    #expect(calls.appeared.map(\.operation) == ["X", "Y", "Z"])
    #expect(calls.changed.map(\.operation) == ["Y"] && calls.unchangedCount == 1)
    #expect(calls.changed.first?.changes.map(\.metric) == [.perRequest])
    let fewer = range(x: (40, 40), y: (80, 80), new: 0)
    let half = try GraphDiff.compare(
      base: base, current: fewer, tenant: .standard, options: GraphOptions(),
      structure: (base, fewer))
    let change = try #require(half.calls?.changed.first?.changes.first)
    #expect(change.metric == .probability && change.base == 0.8 && change.current == 0.4)
    #expect(change.isSignificant)
    let written = try #require(try half.json.parsed()["calls"] as? [String: Any])
    let call = try #require((written["changed"] as? [[String: Any]])?.first)
    #expect(
      Set(call.keys) == [
        "service", "operation", "callee", "callee_operation", "base", "current", "changes",
      ])
    #expect((call["current"] as? [String: Any])?["probability"] as? Double == 0.4)
    var options = GraphOptions()
    options.service = "other"
    options.depth = 0
    let part = try GraphDiff.compare(
      base: base, current: current, tenant: .standard, options: options,
      structure: (base, current))
    #expect(part.calls == Differences())
    #expect(try compare(Range(), Range()).calls == nil)
  }

  /// Scenario: a node and a call that came, a node and a call that went, one that changed and one
  /// that did not.
  /// Guarantees: each is where it belongs, with the figures of the sides it was in.
  @Test func sortsByWhatBecameOfThem() throws {
    var base = Range()
    var current = Range()
    for name in ["a", "old", "slow", "same"] { base.node(name, requests: 100) }
    for name in ["a", "new", "same"] { current.node(name, requests: 100) }
    current.node("slow", requests: 100, latency: 20 * .millisecond)
    let a = base.fixture.node("a")
    base.fixture.call(a, base.fixture.node("old"))
    base.fixture.call(a, base.fixture.node("same"))
    current.fixture.call(current.fixture.node("a"), current.fixture.node("new"), failed: 1)
    current.fixture.call(current.fixture.node("a"), current.fixture.node("same"))
    let diff = try compare(base, current)
    #expect(diff.nodes.appeared.map { $0.current?.id } == ["new"])
    #expect(diff.nodes.appeared.first?.base == nil)
    #expect(diff.nodes.vanished.map { $0.base?.id } == ["old"])
    #expect(diff.nodes.vanished.first?.current == nil)
    #expect(diff.nodes.changed.map { $0.current?.id } == ["slow"])
    #expect(diff.nodes.changed.first?.changes.map(\.metric) == [.latencyP95])
    #expect(diff.nodes.unchangedCount == 2)
    #expect(diff.edges.appeared.map { $0.current?.server } == ["new"])
    #expect(diff.edges.vanished.map { $0.base?.server } == ["old"])
    #expect(diff.edges.changed.isEmpty)
    #expect(diff.edges.unchangedCount == 1)
  }

  /// Scenario: as many requests a second over a range six times as long.
  /// Guarantees: the counts differ, the rates do not, so nothing changed.
  @Test func rangesOfDifferentLengthsCompareByRate() throws {
    var base = Range(seconds: 60)
    var current = Range()
    base.node("a", requests: 600)
    current.node("a", requests: 100)
    #expect(try compare(base, current).nodes.unchangedCount == 1)
    current.node("a", requests: 20)
    let change = try #require(try compare(base, current).nodes.changed.first?.changes.first)
    #expect((change.metric, change.base, change.current) == (.requestRate, 10, 12))
    #expect(abs(try #require(change.relative) - 0.2) < 1e-9)
  }

  /// Scenario: moves around the threshold, from nothing, of an error rate by next to nothing, and of
  /// figures only one side has.
  /// Guarantees: the threshold itself is a change; a move from 0 is one without a relative size; the
  /// least move of an error rate holds whatever the threshold.
  @Test func thresholds() {
    func change(_ base: Double?, _ current: Double?, _ changeMin: Double = 0.1) -> MetricChange? {
      MetricChange(.requestRate, base: base, current: current, changeMin: changeMin)
    }
    #expect(change(8, 9, 0.125) != nil)
    #expect(change(8, 7, 0.125) != nil)
    #expect(change(8, 8.9, 0.125) == nil)
    #expect(change(8, 8, 0) == nil)
    #expect(change(8, 8.001, 0) != nil)
    #expect(change(0, 3)?.relative == nil)
    #expect(change(0, 3) != nil)
    #expect(change(nil, 3) == nil)
    #expect(change(3, nil) == nil)
    #expect(MetricChange(.errorRate, base: 0, current: 0.0009, changeMin: 0) == nil)
    #expect(MetricChange(.errorRate, base: 0, current: 0.001, changeMin: 0.1) != nil)
  }

  /// Scenario: a service that lost its only call; another that exists in one range alone; a name that
  /// stands for one service before and for another after.
  /// Guarantees: the neighbourhood is that of both ranges together; unknown only when in neither;
  /// ambiguous when the two mean different services.
  @Test func choosesFromBothRanges() throws {
    var base = Range()
    var current = Range()
    for name in ["a", "b", "far"] {
      base.node(name, requests: 1)
      current.node(name, requests: 1)
    }
    base.fixture.call(base.fixture.node("a"), base.fixture.node("b"))
    let diff = try compare(base, current, GraphOptions(service: "a"))
    #expect(diff.edges.vanished.map { $0.base?.server } == ["b"])
    #expect(diff.nodes.unchangedCount == 2)
    current.node("late", requests: 1)
    let late = try compare(base, current, GraphOptions(service: "late"))
    #expect(late.nodes.appeared.count == 1)
    #expect(throws: GraphError.self) { try compare(base, current, GraphOptions(service: "x")) }
    let before = base.fixture.node("ads", namespace: "one")
    let after = current.fixture.node("ads", namespace: "two")
    base.fixture.add(.node(before), [.requests: 1])
    current.fixture.add(.node(after), [.requests: 1])
    #expect(throws: GraphError.ambiguous(service: "ads", ids: ["one/ads", "two/ads"])) {
      try compare(base, current, GraphOptions(service: "ads"))
    }
  }

  /// Scenario: a version is replaced while the figures stay.
  /// Guarantees: that is a change, and says which versions came and went.
  @Test func versionsAreChanges() throws {
    var base = Range()
    var current = Range()
    for (version, isBase) in [("v1", true), ("v2", true), ("v2", false), ("v3", false)] {
      func see(_ range: inout Range) {
        let a = range.fixture.node("a")
        range.fixture.add(
          .version(a, range.fixture.part(.version, of: a, version)), [.requestsAdjusted: 1])
      }
      if isBase { see(&base) } else { see(&current) }
    }
    let diff = try compare(base, current)
    let node = try #require(diff.nodes.changed.first)
    #expect(node.newVersions == ["v3"])
    #expect(node.vanishedVersions == ["v1"])
    #expect(node.changes.isEmpty)
  }

  /// Scenario: the document of a comparison, read back.
  /// Guarantees: exactly the fields of the contract; a side without the node is null.
  @Test func fields() throws {
    var base = Range(seconds: 20)
    var current = Range()
    base.node("a", requests: 100)
    current.node("a", requests: 100, errors: 10)
    current.fixture.call(
      current.fixture.node("a"), current.fixture.node("orders", kind: .database), .database)
    let json = try compare(base, current).json.parsed()
    #expect(
      Set(json.keys) == [
        "start", "end", "base_start", "base_end", "revision", "comparison", "min_change", "nodes",
        "edges", "coverage", "base_coverage",
      ])
    #expect(json["end"] as? String == "2026-09-21T14:13:30Z")
    #expect(json["base_end"] as? String == "2026-09-21T14:13:40Z")
    #expect(json["comparison"] as? String == "ranges")
    let nodes = try #require(json["nodes"] as? [String: Any])
    #expect(Set(nodes.keys) == ["new", "vanished", "changed", "unchanged"])
    let node = try #require((nodes["changed"] as? [[String: Any]])?.first)
    #expect(
      Set(node.keys) == [
        "id", "service", "namespace", "kind", "base", "current", "changes", "new_versions",
        "vanished_versions",
      ])
    let side = try #require(node["base"] as? [String: Any])
    #expect(side["request_rate"] as? Double == 5)
    #expect(side["requests"] as? Double == 100)
    let changes = try #require(node["changes"] as? [[String: Any]])
    #expect(changes.map { $0["metric"] as? String } == ["request_rate", "error_rate"])
    #expect(changes[0]["change"] as? Double == 1)
    #expect(changes[1]["change"] is NSNull)
    let edges = try #require(json["edges"] as? [String: Any])
    let edge = try #require((edges["new"] as? [[String: Any]])?.first)
    #expect(edge["base"] is NSNull)
    let figures = try #require(edge["current"] as? [String: Any])
    #expect(
      Set(figures.keys) == [
        "request_rate", "error_rate", "requests", "failed", "effective_requests",
        "client_latency_ms", "server_latency_ms", "gap_ms", "critical_path_share",
        "error_propagation", "exemplars",
      ])
  }

  /// Scenario: two versions of one service; a version nobody ran; a service in two environments.
  /// Guarantees: both versions' figures and what moved; otherwise what is wrong.
  @Test func twoVersions() throws {
    var fixture = GraphFixture()
    let a = fixture.node("a", environment: "prod")
    for (version, errors) in [("v1", Int64(1)), ("v2", 20)] {
      fixture.add(
        .version(a, fixture.part(.version, of: a, version)),
        [.requestsAdjusted: 100, .errorsAdjusted: errors], latency: 10 * .millisecond)
    }
    func compare(_ version: String, environment: String? = nil) throws -> VersionDiff {
      try VersionDiff.compare(
        fixture.input, tenant: .standard, options: GraphOptions(environment: environment),
        service: "a", version: version, baseVersion: "v1")
    }
    let diff = try compare("v2")
    #expect(diff.changes.map(\.metric) == [.errorRate])
    #expect(diff.base.figures.errors == 1)
    #expect(diff.current.figures.errors == 20)
    let json = try diff.json.parsed()
    #expect(
      Set(json.keys)
        == ["start", "end", "revision", "comparison", "min_change", "node", "not_compared"])
    #expect((json["not_compared"] as? [String])?.contains("edges") == true)
    #expect(throws: GraphError.unknownVersion(service: "a", version: "v3", seen: ["v1", "v2"])) {
      try compare("v3")
    }
    fixture.add(.node(fixture.node("a", environment: "test")), [.requests: 1])
    #expect(throws: GraphError.ambiguousEnvironment(id: "a", environments: ["prod", "test"])) {
      try compare("v2")
    }
    #expect(try compare("v2", environment: "prod").changes.count == 1)
  }
}

@Suite("Differences where names stand for others") struct ResolvedDiffTests {
  /// A caller of an address, and the service one instance of which has it.
  private static func input(held holder: String?) -> GraphInput {
    var fixture = GraphFixture()
    let caller = fixture.node("caller")
    let address = fixture.node("10.1.0.1", kind: .external)
    func add(_ key: SeriesKey) {
      var finding = Finding(window: GraphFixture.start, key: key)
      finding.counters[.requests] = 1
      finding.counters[.requestsAdjusted] = 256
      fixture.window.add(finding)
    }
    add(.node(caller))
    add(.node(address))
    add(.edge(caller, address, .virtualNode))
    if let holder {
      let service = fixture.node(holder)
      let text = InstanceIdentity(instance: "pod", address: "10.1.0.1").text
      add(.node(service))
      add(.instance(service, fixture.part(.instance, of: service, text), version: .none))
    }
    return fixture.input
  }

  /// Scenario: an address that one service has in the base and another now; one that nobody has in the
  /// base; one that nobody has now.
  /// Guarantees: each side's edge under the name it has there, as vanished and as new.
  @Test(
    arguments: [
      ("old", "new"), (nil, "new"), ("old", nil),
    ] as [(String?, String?)]) func changedHolder(base: String?, current: String?) throws
  {
    let diff = try GraphDiff.compare(
      base: ResolvedDiffTests.input(held: base), current: ResolvedDiffTests.input(held: current),
      tenant: .standard, options: GraphOptions())
    let address = "external:10.1.0.1"
    let vanishedNodes = diff.nodes.vanished.map { $0.base?.id }
    let appearedNodes = diff.nodes.appeared.map { $0.current?.id }
    #expect(diff.edges.vanished.map { $0.base?.server } == [base ?? address])
    #expect(diff.edges.appeared.map { $0.current?.server } == [current ?? address])
    #expect(vanishedNodes.contains(base ?? address))
    #expect(appearedNodes.contains(current ?? address))
  }
}
