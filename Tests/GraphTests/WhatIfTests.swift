import Foundation
import Model
import TestSupport
import Testing

@testable import Graph

/// Requests one by one, with all series a what-if is read from.
struct CallScene {
  var fixture = GraphFixture()

  mutating func service(_ name: String) -> NameID { fixture.node(name) }

  mutating func operation(_ name: String, of service: NameID) -> NameID {
    fixture.part(.operation, of: service, name)
  }

  /// Requests of an operation; as an entry point, its path as well.
  mutating func requests(
    _ count: Int64, of operation: NameID, _ service: NameID, entry path: UInt64? = nil,
    failed: Int64 = 0, took: Nanos = 100 * .millisecond
  ) {
    let counts: [Counters.Field: Int64] = [
      .requests: count, .requestsAdjusted: count, .errors: failed, .errorsAdjusted: failed,
      .traces: count,
    ]
    fixture.add(.node(service), counts)
    fixture.add(.operation(service, operation), counts)
    guard let path else { return }
    for number in 0..<count {
      self.path(path, below: 0, operation, failed: number < failed, whole: took)
    }
  }

  /// One trace with time on a path.
  mutating func path(
    _ id: UInt64, below parent: UInt64, _ operation: NameID, own: Nanos = .millisecond,
    failed: Bool = false, whole: Nanos? = nil, traces: Int64 = 1
  ) {
    fixture.add(
      .path(id, below: parent, operation: operation),
      [
        .traces: traces, .requestsAdjusted: traces, .criticalPathNanos: Int64(own),
        .errorsAdjusted: failed ? 1 : 0,
      ], latency: whole, ownTime: own)
  }

  /// Of requests that call, so many calls, and what became of those that failed.
  mutating func calls(
    _ caller: NameID, of client: NameID, _ callee: NameID, of server: NameID, makers: Int64,
    calls: Int64? = nil, propagated: Int64 = 0, absorbed: Int64 = 0,
    _ type: ConnectionType = .direct
  ) {
    let counts: [Counters.Field: Int64] = [
      .requests: calls ?? makers, .requestsAdjusted: calls ?? makers,
      .errorsAdjusted: propagated + absorbed, .propagatedAdjusted: propagated,
      .absorbedAdjusted: absorbed,
    ]
    fixture.add(.edge(client, server, type), counts)
    fixture.add(.call(from: caller, to: callee), counts.merging([.traces: makers]) { $1 })
  }

  func whatIf(
    _ service: String, operation: String? = nil, change: Double? = nil, errorRate: Double? = nil
  ) throws -> WhatIf {
    try GraphBuilder.whatIf(
      fixture.input, tenant: .standard, service: service, operation: operation, environment: nil,
      change: change, errorRate: errorRate)
  }
}

@Suite struct OnPathShareTests {
  /// Scenario: all requests come by a service, a quarter each by one of four ways.
  /// Guarantees: it is on the path of all of them.
  @Test func severalWays() throws {
    var scene = CallScene()
    let (edge, leaf) = (scene.service("edge"), scene.service("leaf"))
    let get = scene.operation("GET /", of: edge)
    scene.requests(100, of: get, edge, entry: 1)
    for way in 0..<4 as Range<UInt64> {
      let middle = scene.service("m\(way)")
      for _ in 0..<25 {
        scene.path(10 + way, below: 1, middle)
        scene.path(20 + way, below: 10 + way, leaf)
      }
    }
    scene.fixture.add(.node(leaf), [.requests: 100, .requestsAdjusted: 100])
    let entry = try #require(try scene.whatIf("leaf", change: -1).latency.first)
    #expect(entry.onPathShare == 1)
    #expect(entry.overflowShare == 0)
  }

  /// Scenario: ways that name the service twice, and two ways of the same requests.
  /// Guarantees: no trace counts twice below one step, and no share is above that of a step before it.
  @Test func repeatedWays() throws {
    var scene = CallScene()
    let (edge, leaf) = (scene.service("edge"), scene.service("leaf"))
    let middle = scene.service("middle")
    let get = scene.operation("GET /", of: edge)
    scene.requests(10, of: get, edge, entry: 1)
    for _ in 0..<4 {
      scene.path(2, below: 1, leaf)
      scene.path(3, below: 2, middle)
      scene.path(4, below: 3, leaf)
    }
    scene.fixture.add(.node(leaf), [.requests: 8, .requestsAdjusted: 8])
    #expect(try scene.whatIf("leaf", change: -1).latency.first?.onPathShare == 0.4)
    let (other, third) = (scene.service("other"), scene.service("third"))
    for _ in 0..<3 {
      scene.path(5, below: 1, other)
      scene.path(6, below: 5, middle)
      scene.path(7, below: 6, leaf)
      scene.path(8, below: 5, third)
      scene.path(9, below: 8, leaf)
    }
    #expect(try scene.whatIf("leaf", change: -1).latency.first?.onPathShare == 0.7)
  }

  /// Scenario: ways that were not told apart, of one entry point and of another.
  /// Guarantees: how much of the time is of such ways is said, where nothing else is.
  @Test func overflow() throws {
    var scene = CallScene()
    let (edge, leaf) = (scene.service("edge"), scene.service("leaf"))
    let (get, put) = (scene.operation("GET /", of: edge), scene.operation("PUT /", of: edge))
    scene.requests(10, of: get, edge, entry: 1)
    scene.requests(5, of: put, edge, entry: 2)
    for _ in 0..<10 { scene.path(3, below: 1, .none, own: 3 * .millisecond) }
    scene.fixture.add(.node(leaf), [.requests: 10, .requestsAdjusted: 10])
    let answer = try scene.whatIf("leaf", change: -1)
    let shares = Dictionary(
      uniqueKeysWithValues: answer.latency.map {
        ($0.entry, $0.overflowShare)
      })
    // The entry point's own time: a millisecond for each request.
    #expect(((shares["edge GET /"] ?? 0) - 0.75).magnitude < 1e-9)
    #expect(shares["edge PUT /"] == 0)
    let json = try answer.json.parsed()
    let written = (json["latency"] as? [[String: Any]])?.compactMap {
      $0["overflow_share"] as? Double
    }
    #expect(written?.sorted() == [0, 0.75])
  }
}

@Suite struct SlowerTests {
  /// Scenario: a service gets slower that runs beside another, with 20 ms to spare; only one of two
  /// entry points calls it.
  /// Guarantees: the slack is used up first, the rest is the entry point's; entry points and services
  /// upstream agree; who does not call it loses nothing.
  @Test func slackIsUsedUpFirst() throws {
    var scene = CallScene()
    let (front, beside) = (scene.service("front"), scene.service("beside"))
    let (get, help) = (scene.operation("GET /", of: front), scene.operation("GET /help", of: front))
    scene.requests(10, of: get, front, entry: 1)
    scene.requests(30, of: help, front, entry: 2)
    for _ in 0..<40 { scene.fixture.add(.node(front), latency: 100 * .millisecond) }
    let read = scene.operation("read", of: beside)
    scene.requests(10, of: read, beside)
    scene.calls(get, of: front, read, of: beside, makers: 10)
    for _ in 0..<10 {
      scene.fixture.add(
        .wait(front, for: beside), [.requests: 1, .requestsAdjusted: 1], latency: 20 * .millisecond,
        clientLatency: 0, ownTime: 0)
    }
    for (change, loss) in [(5.0, 0.0), (1_000, 980)] {
      let answer = try scene.whatIf("beside", change: change)
      let effects = Dictionary(
        uniqueKeysWithValues: answer.latency.map { ($0.entry, $0.expected - $0.mean) })
      #expect(((effects["front GET /"] ?? -1) - loss).magnitude < 0.3)
      #expect(effects["front GET /help"] == 0)
      let upstream = try #require(answer.upstream.first)
      let shared = 0.25 * (effects["front GET /"] ?? 0)
      #expect((upstream.change - shared).magnitude < 1e-6)
    }
    #expect(
      try scene.whatIf("beside", operation: "read", change: 100).latency.first?.onPathShare == 0)
  }

  /// Scenario: an operation calls a service twice, in sequence.
  /// Guarantees: it loses twice as much.
  @Test func severalCalls() throws {
    var scene = CallScene()
    let (front, back) = (scene.service("front"), scene.service("back"))
    let get = scene.operation("GET /", of: front)
    scene.requests(10, of: get, front, entry: 1)
    scene.requests(20, of: back, back)
    scene.calls(get, of: front, back, of: back, makers: 10, calls: 20)
    for _ in 0..<20 {
      scene.fixture.add(
        .wait(front, for: back), [.requests: 1, .requestsAdjusted: 1], latency: 0,
        ownTime: .millisecond)
    }
    let entry = try #require(try scene.whatIf("back", change: 7).latency.first)
    #expect((entry.expected - entry.mean - 14).magnitude < 1e-6)
  }
}

@Suite struct FailingTests {
  /// Scenario: of two operations one calls a service, twice each time, and fails whenever a call does.
  /// Guarantees: no more requests can fail than make the call; the other operation is listed with
  /// nothing; half the failures of two calls are three quarters of the requests.
  @Test func probability() throws {
    var scene = CallScene()
    let (front, back) = (scene.service("front"), scene.service("back"))
    let (x, y) = (scene.operation("X", of: front), scene.operation("Y", of: front))
    scene.requests(100, of: x, front, entry: 1)
    scene.requests(50, of: y, front, entry: 2)
    scene.requests(100, of: back, back)
    scene.calls(x, of: front, back, of: back, makers: 50, calls: 100, propagated: 3)
    var errors = try scene.whatIf("back", errorRate: 1).errors
    #expect(errors.map(\.entry) == ["front X", "front Y"])
    #expect(errors.map(\.increase) == [0.5, 0])
    #expect(errors.map(\.requests) == [100, 50])
    #expect(errors.allSatisfy { !$0.isSupposed && !$0.hasOverflow })
    errors = try scene.whatIf("back", errorRate: 0.5).errors
    #expect(((errors[0].increase ?? 0) - 0.5 * 0.75).magnitude < 1e-9)
  }

  /// Scenario: failures pass a service in the middle, which absorbs three of four; one entry point is
  /// behind a queue, and one calls what never failed.
  /// Guarantees: shares multiply; nobody fails behind a queue; what is supposed is said so; what fails
  /// already cannot fail in addition; one operation alone concerns who calls it.
  @Test func passedOn() throws {
    var scene = CallScene()
    let (front, middle, back) = (
      scene.service("front"), scene.service("middle"), scene.service("back")
    )
    let (batch, sender) = (scene.service("batch"), scene.service("sender"))
    let get = scene.operation("GET /", of: front)
    let run = scene.operation("run", of: batch)
    let send = scene.operation("send", of: sender)
    let (read, write) = (scene.operation("read", of: back), scene.operation("write", of: back))
    let work = scene.operation("work", of: middle)
    scene.requests(10, of: get, front, entry: 1)
    scene.requests(10, of: run, batch, entry: 2)
    scene.requests(10, of: send, sender, entry: 3)
    scene.requests(10, of: work, middle)
    scene.requests(20, of: read, back, failed: 10)
    scene.requests(10, of: write, back)
    scene.calls(get, of: front, work, of: middle, makers: 8, propagated: 2)
    scene.calls(work, of: middle, read, of: back, makers: 10, propagated: 1, absorbed: 3)
    scene.calls(run, of: batch, write, of: back, makers: 10)
    scene.calls(send, of: sender, work, of: middle, makers: 10, .messagingSystem)
    let errors = try scene.whatIf("back", errorRate: 1).errors
    let increases = Dictionary(uniqueKeysWithValues: errors.map { ($0.entry, $0.increase ?? -1) })
    #expect(((increases["front GET /"] ?? 0) - 0.8 * 0.5 * 0.25).magnitude < 1e-9)
    #expect(increases["batch run"] == 1 && increases["sender send"] == 0)
    #expect(errors.filter(\.isSupposed).map(\.entry) == ["batch run"])
    let written = try scene.whatIf("back", operation: "write", errorRate: 1).errors
    #expect(written.filter { ($0.increase ?? 0) > 0 }.map(\.entry) == ["batch run"])
  }

  /// Scenario: a call to a name that stands for a service, without saying what for; calls that were not
  /// told apart; an entry point that was not; and a circle.
  /// Guarantees: the first is to any of its operations; the others are said to know less; it ends.
  @Test func unclearCalls() throws {
    var scene = CallScene()
    let (front, back) = (scene.service("front"), scene.service("back"))
    let get = scene.operation("GET /", of: front)
    let (read, write) = (scene.operation("read", of: back), scene.operation("write", of: back))
    scene.requests(10, of: get, front, entry: 1)
    scene.requests(5, of: read, back)
    scene.requests(15, of: write, back)
    scene.calls(get, of: front, back, of: back, makers: 10, propagated: 1)
    scene.calls(read, of: back, get, of: front, makers: 1, propagated: 1)
    var errors = try scene.whatIf("back", operation: "read", errorRate: 1).errors
    #expect(((errors.first?.increase ?? 0) - 0.25).magnitude < 1e-9)
    #expect(errors.first?.hasOverflow == false)
    scene.fixture.add(.call(from: get, to: .none), [.requests: 3, .requestsAdjusted: 3])
    scene.path(99, below: 0, .none, whole: .second)
    errors = try scene.whatIf("back", errorRate: 1).errors
    #expect(errors.map(\.entry) == ["front GET /", "__overflow__"])
    #expect(errors.map(\.hasOverflow) == [true, true] && errors[1].increase == nil)
  }

  /// Scenario: random requests through random operations; a service at the end fails at each call, and
  /// every caller passes that on.
  /// Guarantees: where each operation is called by one other, the share that fails is exact; the blast
  /// radius bounds it.
  @Test func countedOneByOne() throws {
    var random = SeededGenerator("FailingTests.countedOneByOne")
    for _ in 0..<30 {
      var scene = CallScene()
      let services = (0..<4).map { scene.service("s\($0)") }
      let operations = services.map { scene.operation("go", of: $0) }
      var made = [Int64](repeating: 0, count: 3)
      var asked = [Int64](repeating: 0, count: 4)
      for _ in 0..<40 {
        asked[0] += 1
        for step in 0..<3 {
          guard Int.random(in: 0...4, using: &random) > 0 else { break }
          made[step] += 1
          asked[step + 1] += 1
        }
      }
      guard asked[3] > 0 else { continue }
      for step in 0..<4 {
        scene.requests(
          asked[step], of: operations[step], services[step], entry: step == 0 ? 1 : nil)
      }
      for step in 0..<3 {
        scene.calls(
          operations[step], of: services[step], operations[step + 1], of: services[step + 1],
          makers: made[step], propagated: 1)
      }
      let errors = try scene.whatIf("s3", errorRate: 1).errors
      let share = Double(asked[3]) / 40
      #expect(((errors.first?.increase ?? -1) - share).magnitude < 1e-9)
      let radius = try GraphBuilder.service(
        scene.fixture.input, tenant: .standard, namespace: "", name: "s3", environment: nil
      ).blastRadius
      #expect(radius.entryPoints.count == 1)
      #expect(radius.entryPoints.allSatisfy { $0.shareAtMost >= share - 1e-9 })
    }
  }
}
