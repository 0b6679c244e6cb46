import Foundation
import Model
import TestSupport
import Testing

@testable import Impact

private let hour: Nanos = Sample.start.floored(to: .hour)
private let node = NameID(1)
private let control = NameID(2)

@Suite struct StretchPlanTests {
  /// Windows of a node with ten requests each, over a range.
  private func busy(
    _ node: NameID, _ range: Range<Nanos>, width: Nanos, latency: Nanos = 50 * .millisecond
  ) -> WindowSums {
    var sums = WindowSums()
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Int(width)) {
      var finding = Finding(window: start, key: .node(node), latency: latency)
      finding.counters[.traces] = 10
      sums.add(finding)
    }
    return sums
  }

  /// Scenario: random starts, lengths and widths.
  /// Guarantees: earlier stretches have one length, no longer than the time since the change, begin
  /// and end at borders of windows before the change, follow each other backwards without overlap,
  /// and all of them with their hours before lie within the range that is read.
  @Test func shape() {
    var random = SeededGenerator()
    for _ in 0..<500 {
      let start = random.once(in: 5) ? random.anyMagnitude() >> 1 : hour - random.below(.day)
      let until = start + random.below(3 * .hour)
      let width = TileWidth.allCases[random.below(4)].nanos
      let plan = StretchPlan(from: start, to: until, width: width)
      #expect(plan.now == start..<until)
      #expect(plan.earlier.count <= StretchPlan.earlierCount)
      var next = start.floored(to: width)
      let length = (until - start).floored(to: width)
      for stretch in plan.earlier {
        #expect(stretch.upperBound == next)
        #expect(stretch.upperBound - stretch.lowerBound == length)
        #expect(stretch.lowerBound.isMultiple(of: width))
        #expect(stretch.lowerBound >= plan.range.lowerBound + StretchPlan.beforeNanos)
        next = stretch.lowerBound
      }
      #expect(plan.range.upperBound == until)
      if length == 0 { #expect(plan.earlier.isEmpty) }
      if start > .day, length > 0, length < .minute {
        #expect(plan.earlier.count == StretchPlan.earlierCount)
      }
    }
  }

  /// Scenario: windows longer than the time since the change; no time; time that goes back; the ends
  /// of time.
  /// Guarantees: no earlier stretches, and no trap.
  @Test func none() {
    #expect(
      StretchPlan(from: hour, to: hour + 59 * .minute, width: .hour).earlier.isEmpty)
    #expect(StretchPlan(from: hour, to: hour, width: windowNanos).earlier.isEmpty)
    #expect(StretchPlan(from: hour, to: hour - 5, width: windowNanos).now.isEmpty)
    #expect(StretchPlan(from: 0, to: 30 * .minute, width: windowNanos).earlier.isEmpty)
    #expect(StretchPlan(from: 0, to: .max, width: .hour).earlier.isEmpty)
    #expect(StretchPlan(from: .max, to: .max, width: .hour).range.upperBound == .max)
    let far = StretchPlan(from: .max - .hour, to: .max, width: .minute)
    #expect(far.earlier.count == StretchPlan.earlierCount)
    #expect(far.series(of: node, in: WindowSums()).now.after == .nothing)
    #expect(far.history(of: node, in: WindowSums()).count == 60)
  }

  /// Scenario: a node with traffic all the time, and one that has none in some stretches.
  /// Guarantees: sums of exactly the windows of each stretch and of the hour before it; nil where
  /// there is no data; positions are the same times for both.
  @Test func series() throws {
    let width = Nanos.minute
    let plan = StretchPlan(from: hour, to: hour + 10 * .minute, width: width)
    var sums = busy(node, plan.range, width: width)
    let gap = plan.earlier[3]
    sums.merge(busy(control, plan.range.lowerBound..<gap.lowerBound, width: width))
    sums.merge(busy(control, gap.upperBound..<plan.now.upperBound, width: width))
    let own = plan.series(of: node, in: sums)
    #expect(own.earlier.count == StretchPlan.earlierCount)
    for stretch in own.earlier + [own.now] {
      #expect(try #require(stretch).before.traces == 600)
      #expect(try #require(stretch).after.traces == 100)
    }
    let other = plan.series(of: control, in: sums)
    #expect(other.earlier.count == own.earlier.count)
    #expect(other.earlier[3] == nil)
    #expect(try #require(other.earlier[2]).before.traces == 500)
    #expect(other.earlier.filter { $0 == nil }.count == 1)
    let better = Side(traces: 7, errorTraces: 1)
    #expect(plan.series(of: node, in: sums, after: better).now.after == better)
    #expect(plan.series(of: NameID(9), in: sums).earlier.allSatisfy { $0 == nil })
    #expect(plan.history(of: node, in: sums).map(\.traces) == [Int64](repeating: 10, count: 60))
    #expect(plan.history(of: NameID(9), in: sums).allSatisfy { $0 == .nothing })
  }

  /// Scenario: the change begins within a window; everything is twice as slow since.
  /// Guarantees: the window that holds the change is of neither side: the hour before knows nothing
  /// of what came after.
  @Test(arguments: [0, 1, 5, 9] as [Nanos]) func changeWithinAWindow(minutes: Nanos) throws {
    let width = 10 * Nanos.minute
    let start = hour + minutes * .minute
    let plan = StretchPlan(from: start, to: start + 20 * .minute, width: width)
    var sums = busy(node, hour - 2 * .hour..<hour, width: width)
    sums.merge(
      busy(node, hour..<hour + 30 * .minute, width: width, latency: 100 * .millisecond))
    let series = plan.series(of: node, in: sums)
    let before = try #require(series.now.before.latency)
    #expect(before.typicalMilliseconds.isNear(50, within: 0.05))
    #expect(series.now.before.traces == 60)
    let after = try #require(series.now.after.latency)
    #expect(after.typicalMilliseconds.isNear(100, within: 0.05))
    #expect(plan.history(of: node, in: sums).count == 6)
  }
}

@Suite struct ControlsTests {
  private struct Shop {
    var window = Window()
    var names: [NameID: Name] = [:]

    mutating func node(
      _ name: String, _ traces: Int64 = 10, environment: String = "", kind: NameKind = .service,
      tenant: TenantID = .standard
    ) -> NameID {
      let name = Name(
        tenant: tenant, kind: kind,
        text: NodeIdentity(environment: environment, name: name).text)
      names[name.id] = name
      var finding = Finding(window: 0, key: .node(name.id))
      finding.counters[.requests] = 1
      finding.counters[.traces] = traces
      window.add(finding)
      return name.id
    }

    mutating func call(_ client: NameID, _ server: NameID) {
      window.add(Finding(window: 0, key: .edge(client, server, .direct), latency: 1))
    }
  }

  /// Scenario: a service with callers and callees several calls away, a circle among them, siblings
  /// that share a caller or a callee with it, and services apart.
  /// Guarantees: whoever is up- or downstream, however far, is none; siblings and those apart are,
  /// the busiest first.
  @Test func notUpNorDownstream() {
    var shop = Shop()
    let own = shop.node("own", 100)
    let chain = (0..<4).map { shop.node("up\($0)", 50) }
    let down = (0..<4).map { shop.node("down\($0)", 50) }
    shop.call(chain[0], own)
    shop.call(own, down[0])
    for index in 1..<4 {
      shop.call(chain[index], chain[index - 1])
      shop.call(down[index - 1], down[index])
    }
    shop.call(down[3], down[0])
    shop.call(down[3], down[3])
    let sibling = shop.node("sibling", 20)
    shop.call(chain[0], sibling)
    let sharing = shop.node("sharing", 30)
    shop.call(sharing, down[1])
    let apart = shop.node("apart", 5)
    let found = Controls.of(own, in: shop.window, names: shop.names)
    #expect(found == [sharing, sibling, apart])
    #expect(Controls.of(apart, in: shop.window, names: shop.names).count == 11)
  }

  /// Scenario: nodes of other environments, tenants and kinds, and without traffic.
  /// Guarantees: none of them is a control.
  @Test func sameKindAndPlace() {
    var shop = Shop()
    let own = shop.node("own", environment: "prod")
    _ = shop.node("staged", environment: "staging")
    _ = shop.node("nowhere")
    _ = shop.node("orders", environment: "prod", kind: .database)
    _ = shop.node("partner", environment: "prod", kind: .external)
    _ = shop.node("events", environment: "prod", kind: .messaging)
    _ = shop.node("theirs", environment: "prod", tenant: TenantID(1))
    _ = shop.node("idle", 0, environment: "prod")
    let good = shop.node("good", environment: "prod")
    #expect(Controls.of(own, in: shop.window, names: shop.names) == [good])
    #expect(Controls.of(own, in: shop.window, names: [:]).isEmpty)
    #expect(Controls.of(NameID(5), in: shop.window, names: shop.names).isEmpty)
    #expect(Controls.of(own, in: Window(), names: shop.names).isEmpty)
  }

  /// Scenario: more services than are looked at.
  /// Guarantees: the busiest, and of equals always the same ones.
  @Test func atMost() {
    var shop = Shop()
    let own = shop.node("own")
    for index in 0..<40 { _ = shop.node("service\(index)", Int64(index / 2 + 1)) }
    let found = Controls.of(own, in: shop.window, names: shop.names)
    #expect(found.count == Controls.countMax)
    #expect(found == Controls.of(own, in: shop.window, names: shop.names))
    let least = found.map { shop.window.series[.node($0)]?.counters[.traces] ?? 0 }
    #expect(least == least.sorted(by: >) && least.last == 9)
  }
}
