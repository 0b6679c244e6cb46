import Model
import TestSupport
import Testing

@testable import Impact

/// Circumstances read from the windows of a simulated system whose truth is known.
@Suite struct CircumstanceSearchTests {
  private let start = SimulatedTraffic.start

  private func read(
    _ truth: SimulatedSystem.Truth, isReplaced: Bool = true,
    _ change: (inout GateScenario) -> Void = { _ in }
  ) -> Circumstances {
    let scenario = GateScenario("by hand") {
      if isReplaced { $0.replacement = .init() }
      change(&$0)
    }
    let seed = UInt64.random(in: 0...(.max))
    print("seed \(seed)")
    var system = SimulatedSystem(scenario, truth, seed: seed)
    return system.circumstances(after: 15)
  }

  /// Scenario: what is called gets slower with the change, deployed a version of its own just then.
  /// Guarantees: it ranks first and is named with its caller; its marker is below; the onset holds the
  /// moment.
  @Test func dependency() async throws {
    let found = await onOwnThread {
      read(.init(cause: .otherChange, latencyFactor: 1.4, marker: .below))
    }
    let cause = try #require(found.causes.first)
    #expect(cause.place == .below && cause.service == "stock" && cause.caller == "checkout")
    #expect(found.share(.below) > 0.8)
    let change = try #require(found.changes.first)
    #expect(change.place == .below && change.service == "stock" && change.version == "v7")
    let onset = try #require(found.onset)
    #expect(onset.earliest <= start && start <= onset.latest && onset.ended == nil)
    #expect(found.instances == Circumstances.Instances(before: 4, now: 4))
  }

  /// Scenario: the new version itself takes longer; requests double; half of the instances go; the slow
  /// operation is asked for more often; everything gets slower.
  /// Guarantees: each is seen as what it is.
  @Test func each() async {
    let own = await onOwnThread { read(.init()) { $0.latencyFactor = 1.3 } }
    #expect(own.share(.own) > 0.8 && own.changes.isEmpty && own.surge == nil)
    let load = await onOwnThread {
      read(.init(cause: .load, latencyFactor: 1.2, requestsFactor: 2))
    }
    #expect(load.surge.map { $0.earliest <= start && start <= $0.latest } == true)
    #expect(load.busiest?.name == "GET /cart" && (load.busiest?.amount ?? 0) > 1.7)
    let scaling = await onOwnThread {
      read(.init(cause: .scaling, latencyFactor: 1.2, marker: .own, instances: 2))
    }
    #expect(scaling.instances == Circumstances.Instances(before: 4, now: 2))
    #expect(scaling.changes.map(\.kind) == [.scaling])
    let mix = await onOwnThread { read(.init(cause: .operationMix, latencyFactor: 1.3)) }
    #expect(mix.mix?.name == "POST /order" && (mix.mix?.amount ?? 0) > 0.7)
    #expect(mix.onset == nil)
    let platform = await onOwnThread {
      read(.init(cause: .platform, latencyFactor: 1.3, marker: .everywhere))
    }
    #expect(platform.share(.everywhere) > 0.5 && platform.changes.map(\.place) == [.everywhere])
  }

  /// Scenario: what is called is slow from minute two to minute six.
  /// Guarantees: the moment it went is known.
  @Test func ends() async throws {
    let found = await onOwnThread {
      read(.init(cause: .dependency, latencyFactor: 1.6, minutes: 2...6), isReplaced: false)
    }
    let ended = try #require(found.onset?.ended)
    #expect(ended >= start + 5 * .minute && ended <= start + 7 * .minute)
  }

  /// Scenario: markers of others, of the change itself, of the version before, too early, too late.
  /// Guarantees: none counts but those near that reach the service; a deployment of the version before
  /// takes the change back.
  @Test func markers() {
    let names = SimulatedNames()
    let own = Marker(kind: .deployment, service: "checkout", time: start, version: "v42")
    let subject = CircumstanceSearch.Subject(
      service: names.own, version: "v42", marker: own, start: start, baseline: names.old,
      baselineText: "v41")
    let edge = Window([(SeriesKey.edge(names.own, names.stock, .direct), Sums())])
    let stretch = CircumstanceSearch.Stretch(
      start: start - .hour, width: .minute, windows: Array(repeating: edge, count: 90))
    var search = CircumstanceSearch(subject, in: stretch, names: names.all) {
      names.all[$0].map { NodeIdentity(text: $0.text).name } ?? ""
    }
    let near = Marker(kind: .config, service: "stock", time: start - .minute)
    let back = Marker(kind: .deployment, service: "checkout", time: start + .minute, version: "v41")
    let found = search.run([
      own, near, back,
      Marker(kind: .deployment, service: "other-1", time: start, version: "v2"),
      Marker(kind: .deployment, service: "stock", time: start - .hour, version: "v6"),
      Marker(kind: .deployment, service: "stock", time: start + .day, version: "v8"),
      Marker(kind: .incident, service: "", time: start),
    ])
    #expect(found.changes.map(\.marker) == [near.id])
    #expect(found.undone == start + .minute)
    #expect(found.causes.isEmpty && found.onset == nil && found.mix == nil)
    #expect(found.instances == nil && found.busiest == nil)
  }

  /// Scenario: few series, very many; what is called has few operations, very many.
  /// Guarantees: fewer windows the more series, one at least; operations of others are read while they
  /// are few, the service's own always.
  @Test func bounds() {
    #expect(Circumstances.windowsMax(series: 0) == Circumstances.windowsMax)
    #expect(Circumstances.windowsMax(series: 1_000) == Circumstances.sumsMax / 1_000)
    #expect(Circumstances.windowsMax(series: .max) == 1)
    for count in [Circumstances.operationsMax, Circumstances.operationsMax + 1] {
      let operations = (0..<count).map { number in
        (SeriesKey.operation(NameID(2), NameID(UInt64(100 + number))), Sums())
      }
      let found = Circumstances.selection(
        of: NameID(1), and: [NameID(1), NameID(2)], in: Window(operations))
      let isFew = count <= Circumstances.operationsMax
      #expect(found.contains(.operation(NameID(2), NameID(100))) == isFew)
      #expect(found.contains(.operation(NameID(1), NameID(7))) && found.contains(.node(NameID(2))))
      #expect(!found.contains(.version(NameID(2), NameID(8))))
    }
  }

  /// Scenario: a graph with a long way of calls, callers, and services apart.
  /// Guarantees: the nearest of what is called come first, no more than there is room for; who calls and
  /// who is apart is there too.
  @Test func nodes() {
    let edges = (1..<100).map { node in
      (SeriesKey.edge(NameID(UInt64(node)), NameID(UInt64(node + 1)), .direct), Sums())
    }
    let caller = (SeriesKey.edge(NameID(500), NameID(1), .direct), Sums())
    let found = Circumstances.nodes(
      around: NameID(1), in: Window(edges + [caller]), controls: [NameID(700)])
    let below = (1...Circumstances.nodesMax).map { NameID(UInt64($0)) }
    #expect(found == Set(below + [NameID(500), NameID(700)]))
  }
}
