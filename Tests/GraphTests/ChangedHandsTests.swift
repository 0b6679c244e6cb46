import Model
import TestSupport
import Testing

@testable import Graph

@Suite("Addresses that changed hands") struct ChangedHandsTests {
  private var fixture = GraphFixture()
  private var stretches = WindowSums()
  private let caller: NameID
  private let old: NameID
  private let new: NameID
  private let address: NameID

  init() {
    caller = fixture.node("caller")
    old = fixture.node("old")
    new = fixture.node("new")
    address = fixture.node("10.0.0.7", kind: .external)
  }

  private static func start(_ stretch: Int) -> Nanos {
    GraphFixture.start + Nanos(stretch) * windowNanos
  }

  private mutating func add(_ key: SeriesKey, at stretch: Int, count: Int64 = 1) {
    var finding = Finding(window: ChangedHandsTests.start(stretch), key: key)
    finding.counters[.requests] = count
    finding.counters[.requestsAdjusted] = count * 256
    stretches.add(finding)
    fixture.window.add(finding)
  }

  /// One instance of a service is seen, at the address unless another is said.
  private mutating func seen(
    _ service: NameID, _ pod: String, at all: ClosedRange<Int>, address: String = "10.0.0.7"
  ) {
    let text = InstanceIdentity(instance: pod, address: address).text
    let instance = fixture.part(.instance, of: service, text)
    for stretch in all { add(.instance(service, instance, version: .none), at: stretch) }
  }

  private mutating func call(at stretch: Int, count: Int64 = 1) {
    add(.edge(caller, address, .virtualNode), at: stretch, count: count)
    add(.node(address), at: stretch, count: count)
    add(.dimension(address, fixture.part(.dimensions, of: .none, "x=1")), at: stretch, count: count)
  }

  private func resolved() throws -> ServiceGraph {
    let changed = try #require(ChangedHands(fixture.input))
    let selected = stretches.selected(changed.selection, from: 0, to: .max)
    let input = changed.resolved(fixture.input, by: selected)
    return try GraphBuilder.build(input, tenant: .standard, options: GraphOptions())
  }

  private func edges(_ graph: ServiceGraph) -> [String] {
    graph.edges.map { "\($0.server) \($0.connectionType.label) \(Int($0.requests))" }
  }

  /// Scenario: a pod goes, and its address is given to a pod of another service, then to one of the first
  /// again; calls to the address all along, also where neither is seen.
  /// Guarantees: each stretch's calls go to whoever had it then, as calls to a service, with the requests
  /// of the nodes; where it changed hands and nobody can tell when, they stay with the address.
  @Test mutating func eachStretchByItself() throws {
    seen(old, "old-1", at: 2...4)
    seen(new, "new-1", at: 6...8)
    seen(old, "old-2", at: 8...9)
    for stretch in 0..<12 { call(at: stretch, count: 1 << Int64(stretch)) }
    let graph = try resolved()
    let toOld: Int64 = 0b1110_0001_1111
    let toNew: Int64 = 0b0000_1100_0000
    let nobody: Int64 = 0b0001_0010_0000
    #expect(
      edges(graph) == [
        "external:10.0.0.7 virtual_node \(nobody)", "new  \(toNew)", "old  \(toOld)",
      ])
    let requests = Dictionary(
      uniqueKeysWithValues: graph.nodes.map { ($0.id, Int64($0.figures.requests)) })
    #expect(requests["old"] == toOld && requests["new"] == toNew)
    #expect(requests["external:10.0.0.7"] == nobody)
  }

  /// Scenario: two services have an address at once, as on a host's network; one has it throughout;
  /// nobody is called by an address.
  /// Guarantees: the first stays an address; nothing is read for the others.
  @Test mutating func sharedAndPlain() throws {
    seen(old, "old-1", at: 0...9)
    call(at: 5)
    #expect(ChangedHands(fixture.input) == nil)
    seen(new, "new-1", at: 3...4)
    #expect(edges(try resolved()) == ["external:10.0.0.7 virtual_node 1"])
    var other = GraphFixture()
    other.call(other.node("a"), other.node("b.example", kind: .external), .virtualNode)
    #expect(ChangedHands(other.input) == nil)
  }

  /// Scenario: tiles of an hour, of which one knows both holders; the last knows one.
  /// Guarantees: the first stays with the address, the last is its holder's.
  @Test mutating func wideTiles() throws {
    seen(old, "old-1", at: 0...0)
    seen(new, "new-1", at: 0...1)
    call(at: 0)
    call(at: 1)
    #expect(
      edges(try resolved()) == ["external:10.0.0.7 virtual_node 1", "new  1"])
  }

  /// Scenario: a service calls an address that was its own before.
  /// Guarantees: those calls stay with the address while it was its own, and are another's afterwards.
  @Test mutating func callsOfTheHolder() throws {
    seen(old, "old-1", at: 0...2)
    seen(new, "new-1", at: 5...6)
    for stretch in [1, 6] { add(.edge(old, address, .virtualNode), at: stretch) }
    #expect(
      edges(try resolved()) == ["external:10.0.0.7 virtual_node 1", "new  1"])
  }

  /// Scenario: who calls is known by the address alone, in a flow log.
  /// Guarantees: it is whoever had the address then.
  @Test mutating func callers() throws {
    let client = fixture.node("10.0.0.7", kind: .client)
    seen(old, "old-1", at: 0...2)
    seen(new, "new-1", at: 5...6)
    let kind = TrafficKind(.flowLog, recordedBy: .unknown)
    add(.traffic(from: client, to: caller, kind), at: 1, count: 3)
    add(.traffic(from: client, to: caller, kind), at: 5, count: 5)
    let graph = try resolved()
    #expect(graph.traffic.map { "\($0.client) \($0.records)" } == ["new 5", "old 3"])
  }

  /// Scenario: more addresses changed hands than are looked at.
  /// Guarantees: those beyond stay addresses, and are counted.
  @Test mutating func bound() throws {
    for number in 0..<(ChangedHands.addressesMax + 3) {
      let text = "10.1.\(number / 250).\(number % 250)"
      let peer = fixture.node(text, kind: .external)
      seen(old, "old-\(number)", at: 0...1, address: text)
      seen(new, "new-\(number)", at: 3...4, address: text)
      add(.edge(caller, peer, .virtualNode), at: 4)
    }
    let graph = try resolved()
    #expect(graph.coverage.overflow["changed_addresses"] == 3)
    #expect(edges(graph).filter { $0.hasPrefix("external:") }.count == 3)
    #expect(edges(graph).contains("new  \(ChangedHands.addressesMax)"))
  }

  /// Scenario: ranges of ten minutes, an hour, a day, a year.
  /// Guarantees: the finest width of which there are few enough stretches; the widest where none is.
  @Test func widths() {
    let widths = TileWidth.allCases.map(\.nanos)
    let found = [10 * Nanos.minute, .hour, 20 * .hour, 24 * .hour, 400 * .day].map {
      ChangedHands.width(of: $0, among: widths)
    }
    #expect(found == [10 * .second, .minute, 10 * .minute, .hour, .hour])
  }
}
