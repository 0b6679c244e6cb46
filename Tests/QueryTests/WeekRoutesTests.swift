import Foundation
import Graph
import HummingbirdTesting
import Impact
import Model
import Testing

@testable import Query

@Suite struct WeekRoutesTests {
  private static let hour = TileWidth.hour.nanos

  /// Hours of a service: so many requests of so many milliseconds, of which some fail.
  private static func hours(
    _ count: Int, of service: NameID, milliseconds: Nanos, failing: Int = 0
  ) -> [Window] {
    (0..<count).map { position in
      var window = Window()
      for request in 0..<60 {
        let time = (milliseconds + Nanos((position * 7 + request) % 3)) * .millisecond
        var finding = Finding(window: 0, key: .node(service), latency: time, ownTime: time)
        finding.counters[.requests] = 1
        finding.counters[.requestsAdjusted] = 256
        finding.counters[.traces] = 1
        if request < failing {
          finding.counters[.errors] = 1
          finding.counters[.errorsAdjusted] = 256
          finding.counters[.errorTraces] = 1
        }
        window.add(finding)
      }
      return window
    }
  }

  private static let start: Nanos = 1_789_956_000 * .second
  private static let name = Name(
    tenant: .standard, kind: .service,
    text: NodeIdentity(environment: "prod", namespace: "shop", name: "cart").text)

  private static func marker(
    _ hour: Int, _ version: String, kind: MarkerKind = .deployment, state: MarkerState? = nil
  ) -> Marker {
    Marker(
      kind: kind, service: "cart", namespace: "shop", time: start + Nanos(hour) * Self.hour,
      state: state, version: version, source: "ci")
  }

  private static func verdict(_ version: String, _ word: String, hour: Int) -> StoredVerdict {
    let rollout = RolloutID(
      tenant: .standard, service: "shop/cart", environment: "prod", version: version)
    let time = start + Nanos(hour) * Self.hour
    return StoredVerdict(
      id: VerdictID(rollout, verdict: word, since: time), tenant: .standard, rollout: rollout,
      service: "shop/cart", version: version, verdict: word, since: time, until: time,
      report: [], answer: [])
  }

  /// Two days: a good deployment, one that makes it three times as slow and fail, and the one that
  /// takes that back.
  private static func facts() -> ServiceWeek.Facts {
    ServiceWeek.Facts(
      service: name.id,
      windows: hours(30, of: name.id, milliseconds: 20)
        + hours(6, of: name.id, milliseconds: 60, failing: 12)
        + hours(12, of: name.id, milliseconds: 20),
      dayBefore: hours(24, of: name.id, milliseconds: 20), start: start, width: hour,
      markers: [
        marker(36, "v41", state: .finished), marker(10, "v41"), marker(33, "", kind: .incident),
        marker(30, "v42", state: .rolledBack),
      ],
      verdicts: [
        verdict("v41", "wait", hour: 11), verdict("v41", "promote", hour: 12),
        verdict("v42", "rollback", hour: 32), verdict("v7", "rollback", hour: 12),
      ], errorsTolerated: 0.01, objective: ServiceObjective(errorRate: 0.05))
  }

  /// Scenario: two days with a good deployment, a bad one that was taken back, and an incident, in any
  /// order; the same without verdicts.
  /// Guarantees: each deployment has the verdict of its time and what it did; the bad one is the worst;
  /// levels that got worse are dated; the ends are judged by the objective; the order changes nothing.
  @Test func facts() throws {
    let week = ServiceWeek(WeekRoutesTests.facts())
    #expect(week.deployments.map(\.marker.version) == ["v41", "v42", "v41"])
    #expect(week.deployments.map(\.verdict) == ["promote", "rollback", nil])
    #expect(week.deployments[0].outcome == .noWorse && week.deployments[1].outcome == .worse)
    #expect(week.deployments.map(\.isRolledBack) == [false, true, false])
    #expect(week.worst?.marker.version == "v42" && week.others.map(\.kind) == [.incident])
    let slower = try #require(week.deployments[1].effects.first { $0.metric == .latencyP95 })
    #expect(slower.effect.map { (2.5...3.2).contains($0) } == true)
    #expect(week.begin.isMet == true && week.begin.errorRate == 0)
    #expect(week.end.errorRate.map { abs($0 - 6 * 12 / (24.0 * 60)) < 1e-9 } == true)
    #expect(week.end.isMet == true, "five percent is what the objective allows")
    #expect(week.begin.health == 100)
    let onsets = week.shifts.map { (week.time(of: $0) - WeekRoutesTests.start) / Self.hour }
    #expect(onsets.contains { (29...31).contains($0) }, "\(onsets)")
    var unjudged = WeekRoutesTests.facts()
    unjudged.verdicts = []
    unjudged.markers.reverse()
    unjudged.objective = nil
    let own = ServiceWeek(unjudged)
    #expect(own.deployments.map(\.marker.id) == week.deployments.map(\.marker.id))
    #expect(own.deployments[1].verdict == nil && own.deployments[1].outcome == .worse)
    #expect(own.end.isMet == false)
    var ruined = unjudged
    ruined.windows = WeekRoutesTests.hours(
      48, of: WeekRoutesTests.name.id, milliseconds: 60, failing: 12)
    let ruins = try #require(ServiceWeek(ruined).end.health)
    #expect(ruins < 100, "it takes three times as long itself as on the day before")
    var empty = unjudged
    empty.windows = []
    empty.dayBefore = []
    let nothing = ServiceWeek(empty)
    #expect(nothing.deployments.allSatisfy { $0.outcome == .noData } && nothing.worst == nil)
    #expect(nothing.begin == ServiceWeek.Standing() && nothing.shifts.isEmpty)
  }

  /// Scenario: more deployments than are compared, each at another time.
  /// Guarantees: the newest are; nothing takes longer for the others.
  @Test func bounds() {
    var facts = WeekRoutesTests.facts()
    facts.markers = (0..<120).map { index in
      Marker(
        kind: .deployment, service: "cart", time: WeekRoutesTests.start + Nanos(index) * .minute,
        version: "v\(index)")
    }
    let week = ServiceWeek(facts)
    #expect(week.deployments.count == ServiceWeek.deploymentsMax)
    #expect(week.deployments.last?.marker.version == "v119")
  }

  private func fixture() -> QueryFixture {
    let fixture = QueryFixture { $0.objectives = ["cart": ServiceObjective(errorRate: 0.05)] }
    let facts = WeekRoutesTests.facts()
    fixture.backend.state.withLock { state in
      _ = state.node("cart", namespace: "shop", environment: "prod")
      state.baseWindows = facts.dayBefore
      state.currentWindows = facts.windows
      state.markers = facts.markers
      state.verdicts = facts.verdicts
    }
    return fixture
  }

  /// Scenario: the week of a service as JSON and as a page, of a service nobody saw, of another
  /// environment, and with what cannot be read.
  /// Guarantees: seven days and the day before are read; the answer and the page say what happened, the
  /// same each time, with one chart that needs nothing else; 404, 400.
  @Test func answers() async throws {
    let fixture = fixture()
    let path = "/api/v1/services/shop/cart/impact"
    let json = try await fixture.ask(path).json()
    #expect(json["service"] as? String == "shop/cart" && json["environment"] as? String == "prod")
    #expect(json["rollbacks"] as? Int == 1)
    let deployments = try #require(json["deployments"] as? [[String: Any]])
    #expect(deployments.count == 3)
    let asked = fixture.backend.state.withLock(\.asked)
    #expect(asked.last.map { $0.upperBound - $0.lowerBound } == 7 * .day)
    #expect(asked.first.map { $0.upperBound - $0.lowerBound }.map { $0 >= .day - .minute } == true)
    let first = try await fixture.ask("\(path)?format=markdown")
    #expect(first.headers[.contentType] == "text/markdown; charset=utf-8")
    #expect(first.text.hasPrefix("# shop/cart from "))
    for part in ["## Deployments", "| last day |", "rolled back", "## What else happened"] {
      #expect(first.text.contains(part), "\(part)")
    }
    #expect(first.text.components(separatedBy: "<svg").count == 2)
    #expect(!first.text.contains("nan") && !first.text.contains("inf "))
    #expect(try await fixture.ask("\(path)?format=markdown").text == first.text)
    #expect(try await fixture.ask("/api/v1/services/shop/nobody/impact").status == .notFound)
    #expect(try await fixture.ask("\(path)?environment=test").status == .notFound)
    #expect(try await fixture.ask("\(path)?week=1").status == .badRequest)
    #expect(try await fixture.ask("\(path)?start=5&end=4").status == .badRequest)
  }

  /// Scenario: the page of the two days, with names that are markup.
  /// Guarantees: the very page, line by line but for the chart.
  @Test func golden() {
    var facts = WeekRoutesTests.facts()
    facts.markers[2].source = "<ci>"
    let page = WeekPage(
      WeekReport(service: WeekRoutesTests.name, week: ServiceWeek(facts))
    ).markdown
    let lines = page.split(separator: "\n").filter { !$0.hasPrefix("<") }
    let harm = [
      #"errors went from 0% to 20%: \+20 points \(\+14.9 points – \+25.1 points\)"#,
      #"latency p50 went from 21.1 ms to 60.9 ms: \+189% \(\+187% – \+191%\)"#,
      #"latency p95 went from 22.2 ms to 62.7 ms: \+183% \(\+182% – \+184%\)"#,
      #"latency p99 went from 22.2 ms to 62.8 ms: \+183% \(\+182% – ?\)"#,
      #"self time went from 21 ms to 61 ms: \+190% \(\+183% – \+198%\)"#,
    ].joined(separator: "; ")
    let expected = """
      # shop/cart from 2026-09-21T02:00:00Z to 2026-09-23T02:00:00Z
      - 3 deployments, 1 of them for the worse, 1 rolled back
      - the worst: v42 at 2026-09-22T08:00:00Z: the gate said rollback; \(harm)
      - it ends within what it is held to
      | | health | errors | latency p95 | latency p99 | objective |
      |---|---:|---:|---:|---:|---|
      | first day | 100 | 0% | 22.2 ms | 22.2 ms | met |
      | last day | 100 | 5% | 62.1 ms | 62.7 ms | met |
      ## Deployments
      | when | version | gate | outcome | errors | latency p95 |
      |---|---|---|---|---:|---:|
      | 2026-09-21T12:00:00Z | v41 | promote | no worse | \(effects[0]) |
      | 2026-09-22T08:00:00Z | v42 | rollback | worse, rolled back | \(effects[1]) |
      | 2026-09-22T14:00:00Z | v41 | – | no worse | \(effects[2]) |
      ## Levels that got worse
      | since | what | before | after | explained by |
      |---|---|---:|---:|---|
      | 2026-09-22T08:00:00Z | self time | 21.1 ms | 60.9 ms | – |
      ## What else happened
      | when | what | state | source |
      |---|---|---|---|
      | 2026-09-22T11:00:00Z | incident | – | &lt;ci&gt; |
      """
    #expect(lines.joined(separator: "\n") == expected)
    #expect(page.components(separatedBy: "stroke-dasharray").count == 7, "three lines, two panels")
  }

  /// Errors and latency of the three deployments.
  private let effects = [
    "+0 points (-0.25 points – +0.25 points) | +0% (-0.2% – +0.2%)",
    "+20 points (+14.9 points – +25.1 points) | +183% (+182% – +184%)",
    "-20 points (-26.5 points – -13.5 points) | -64.6% (-64.8% – -64.5%)",
  ]
}
