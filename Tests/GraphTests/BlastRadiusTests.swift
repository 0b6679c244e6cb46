import Foundation
import Model
import TestSupport
import Testing

@testable import Graph

@Suite struct BlastRadiusTests {
  private func radius(_ fixture: GraphFixture, _ name: String) throws -> BlastRadius {
    try GraphBuilder.service(
      fixture.input, tenant: .standard, namespace: "", name: name, environment: nil
    ).blastRadius
  }

  /// Scenario: two ways in, one of which asks the service for a tenth of its requests only, behind a
  /// gateway; a service that is asked from outside too.
  /// Guarantees: who is asked from outside, how far away, and the tightest of the bounds.
  @Test func boundsAndDistances() throws {
    var fixture = GraphFixture()
    let (web, batch) = (fixture.node("web"), fixture.node("batch"))
    let (gateway, payment) = (fixture.node("gateway"), fixture.node("payment"))
    let other = fixture.node("other")
    fixture.add(.node(web), [.requestsAdjusted: 1_000])
    fixture.add(.node(batch), [.requestsAdjusted: 50])
    fixture.add(.node(gateway), [.requestsAdjusted: 2_050])
    fixture.add(.node(payment), [.requestsAdjusted: 105])
    fixture.add(.node(other), [.requestsAdjusted: 5])
    fixture.call(web, gateway, requests: 2_000)
    fixture.call(batch, gateway, requests: 50)
    fixture.call(gateway, payment, requests: 100)
    fixture.call(payment, other, requests: 5)
    let found = try radius(fixture, "payment")
    #expect(found.entryPoints.map(\.node.id) == ["web", "batch", "payment"])
    #expect(found.entryPoints.map(\.distance) == [2, 2, 0])
    #expect(found.entryPoints.map(\.requests) == [1_000, 50, 5])
    #expect(found.entryPoints.map(\.shareAtMost) == [0.1, 1, 1])
    #expect(!found.isTruncated)
  }

  /// Scenario: random requests through a random graph, counted one by one.
  /// Guarantees: entry points and their requests are those that were; no share is above its bound.
  @Test func noShareIsAboveItsBound() throws {
    var random = SeededGenerator("noShareIsAboveItsBound")
    for _ in 0..<100 {
      var fixture = GraphFixture()
      let nodes = (0..<7).map { fixture.node("s\($0)") }
      let next = (0..<7).map { node in
        ((node + 1)..<8).filter { $0 < 7 && Int.random(in: 0...2, using: &random) == 0 }
      }
      var outside = [Double](repeating: 0, count: 7)
      var reached = outside
      for _ in 0..<30 {
        let entry = Int.random(in: 0...2, using: &random)
        outside[entry] += 1
        var isReached = false
        var open = [entry]
        while let node = open.popLast() {
          fixture.add(.node(nodes[node]), [.requestsAdjusted: 1])
          if node == 6 { isReached = true }
          for callee in next[node] where Bool.random(using: &random) {
            fixture.call(nodes[node], nodes[callee])
            open.append(callee)
          }
        }
        if isReached { reached[entry] += 1 }
      }
      fixture.add(.node(nodes[6]), [.traces: 1])
      for entry in try radius(fixture, "s6").entryPoints {
        let number = try #require(Int(entry.node.id.dropFirst()))
        #expect(entry.requests == outside[number])
        #expect(entry.shareAtMost * entry.requests >= reached[number] - 1e-9)
        reached[number] = 0
      }
      #expect(reached.allSatisfy { $0 == 0 })
    }
  }

  /// Scenario: more entry points than are looked at.
  /// Guarantees: those with the most requests, and that there are more.
  @Test func truncates() throws {
    var fixture = GraphFixture()
    let target = fixture.node("target")
    for number in 1...(BlastRadius.entryPointsMax + 1) {
      let entry = fixture.node("e\(number)")
      fixture.add(.node(entry), [.requestsAdjusted: Int64(number)])
      fixture.call(entry, target)
      fixture.add(.node(target), [.requestsAdjusted: 1])
    }
    let found = try radius(fixture, "target")
    #expect(found.entryPoints.count == BlastRadius.entryPointsMax)
    #expect(!found.entryPoints.contains { $0.node.id == "e1" })
    #expect(found.isTruncated)
  }
}
