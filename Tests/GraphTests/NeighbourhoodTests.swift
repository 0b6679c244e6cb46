import Model
import TestSupport
import Testing

@testable import Graph

@Suite struct NeighbourhoodTests {
  private func edges(_ options: GraphOptions, _ fixture: GraphFixture) throws -> [String] {
    try fixture.graph(options).edges.map { "\($0.client)>\($0.server)" }
  }

  /// Scenario: a service in the middle, each direction, some depths.
  /// Guarantees: only what is reached in that direction and that near.
  @Test func directionsAndDepths() throws {
    let fixture = Shop().fixture
    let around = GraphOptions(service: "checkout", depth: 1)
    #expect(
      try edges(around, fixture) == [
        "shop/checkout>database:orders", "shop/checkout>messaging:receipts",
        "shop/frontend>shop/checkout",
      ])
    let up = GraphOptions(service: "shop/checkout", direction: .up)
    #expect(try edges(up, fixture) == ["shop/frontend>shop/checkout"])
    let down = GraphOptions(service: "shop/frontend", depth: 2, direction: .down)
    #expect(try fixture.graph(down).nodes.count == 4)
    let alone = GraphOptions(service: "mail", depth: 0)
    #expect(try fixture.graph(alone).nodes.map(\.id) == ["mail"])
    #expect(try edges(alone, fixture).isEmpty)
    let database = GraphOptions(service: "database:orders", direction: .up)
    #expect(try fixture.graph(database).nodes.count == 3)
  }

  /// Scenario: random graphs with cycles; a service, a depth and a direction by chance.
  /// Guarantees: the nodes are those with a path of at most that length, found by brute force.
  @Test func reachesWhatBruteForceReaches() throws {
    var random = SeededGenerator("reachesWhatBruteForceReaches")
    for _ in 0..<60 {
      var fixture = GraphFixture()
      let nodes = (0..<8).map { fixture.node("s\($0)") }
      var calls: [(Int, Int)] = []
      for _ in 0..<Int.random(in: 1...14, using: &random) {
        let pair = (Int.random(in: 0..<8, using: &random), Int.random(in: 0..<8, using: &random))
        calls.append(pair)
        fixture.call(nodes[pair.0], nodes[pair.1])
      }
      for node in nodes { fixture.add(.node(node), [.requests: 1]) }
      let depth = Int.random(in: 0...4, using: &random)
      let direction = Direction.allCases.randomElement(using: &random) ?? .both
      let root = Int.random(in: 0..<8, using: &random)
      var expected: Set<Int> = []
      if direction != .up { expected.formUnion(reach(root, depth, calls)) }
      if direction != .down { expected.formUnion(reach(root, depth, calls.map { ($1, $0) })) }
      let graph = try fixture.graph(
        GraphOptions(service: "s\(root)", depth: depth, direction: direction))
      #expect(Set(graph.nodes.map(\.id)) == Set(expected.map { "s\($0)" }))
      let shown = Set(graph.nodes.map(\.id))
      #expect(graph.edges.allSatisfy { shown.contains($0.client) && shown.contains($0.server) })
    }
  }

  private func reach(_ root: Int, _ depth: Int, _ calls: [(Int, Int)]) -> Set<Int> {
    (0..<depth).reduce(into: Set([root])) { found, _ in
      found.formUnion(calls.filter { [found] in found.contains($0.0) }.map(\.1))
    }
  }

  /// Scenario: a name that two namespaces use, its id, and the namespace beside it.
  /// Guarantees: the name alone is refused with the ids; id or namespace decide.
  @Test func ambiguousNames() throws {
    var fixture = Shop().fixture
    let other = fixture.node("checkout", namespace: "b2b")
    fixture.add(.node(other), [.requests: 1])
    #expect(
      throws: GraphError.ambiguous(service: "checkout", ids: ["b2b/checkout", "shop/checkout"])
    ) { try fixture.graph(GraphOptions(service: "checkout")) }
    let byID = try fixture.graph(GraphOptions(service: "b2b/checkout"))
    #expect(byID.nodes.map(\.id) == ["b2b/checkout"])
    let byNamespace = try fixture.graph(GraphOptions(namespace: "b2b", service: "checkout"))
    #expect(byNamespace.nodes.map(\.id) == ["b2b/checkout"])
  }

  /// Scenario: one id in two environments.
  /// Guarantees: the graph starts from both; they stay separate nodes.
  @Test func oneIDInTwoEnvironments() throws {
    var fixture = GraphFixture()
    for environment in ["prod", "test"] {
      let a = fixture.node("a", environment: environment)
      let b = fixture.node("b", environment: environment)
      fixture.call(a, b)
    }
    let graph = try fixture.graph(GraphOptions(service: "a"))
    #expect(
      graph.nodes.map { "\($0.id)/\($0.environment)" } == ["a/prod", "a/test", "b/prod", "b/test"])
  }

  /// Scenario: a misspelled service, and one that resembles nothing.
  /// Guarantees: the error names what is spelled alike, and its message says what to do.
  @Test func unknownNames() throws {
    let fixture = Shop().fixture
    let misspelled = #expect(throws: GraphError.self) {
      try fixture.graph(GraphOptions(service: "chekcout"))
    }
    #expect(misspelled == .unknownService(service: "chekcout", nearest: ["checkout"]))
    #expect(misspelled?.message.contains("Spelled alike: checkout.") == true)
    let strange = #expect(throws: GraphError.self) {
      try fixture.graph(GraphOptions(service: "zzzzzzzzzz"))
    }
    #expect(strange == .unknownService(service: "zzzzzzzzzz", nearest: []))
    #expect(strange?.message.contains("longer range") == true)
  }
}
