import Foundation
import Graph
import Model
import TestSupport
import Testing

@testable import Gateway

@Suite struct TraceLookupTests {
  private let epoch = TraceGenerator.epoch

  private func withTemporaryDirectory(_ body: (URL) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "spangate-traces-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try await body(directory)
  }

  /// A failed call from one service to another: root, client, server.
  private func call(_ trace: UInt64, _ names: NameTable) -> SpanBatch {
    var batch = SpanBatch(tenant: .standard)
    let services = ["front", "back"].map { name in
      names.intern(kind: .service, NodeIdentity(namespace: "shop", name: name).text, now: epoch)
    }
    let operation = names.intern(
      kind: .operation, scope: services[0], "GET /orders", now: epoch)
    let version = names.intern(kind: .version, scope: services[1], "v1", now: epoch)
    let id = TraceID(high: 1, low: trace)
    func append(
      _ number: UInt64, under parent: UInt64, _ from: Nanos, _ to: Nanos, _ service: Int,
      _ kind: SpanKind
    ) {
      var span = SpanRecord(
        id: SpanID(number), parent: SpanID(parent), start: epoch + from * .millisecond,
        end: epoch + to * .millisecond, service: services[service],
        version: service == 1 ? version : .none, operation: service == 0 ? operation : .none,
        kind: kind, traits: number == 1 ? [] : .error)
      if kind == .client { span.peer = names.intern(kind: .external, "back-host", now: epoch) }
      batch.append(span, trace: id)
    }
    append(1, under: 0, 0, 100, 0, .server)
    append(2, under: 1, 10, 90, 0, .client)
    append(3, under: 2, 20, 70, 1, .server)
    return batch
  }

  /// Scenario: a trace whose callee's clock is ahead, by what is corrected or by more, is looked at where
  /// the graph goes by another rule than `wallclock`.
  /// Guarantees: it is shown as the graph counts it: with corrected times, by that rule; beyond the limit
  /// with times as sent, and a critical path that adds up all the same.
  @Test(arguments: [Nanos(500), 5_000]) func byTheRulesOfTheGraph(ahead: Nanos) throws {
    let names = NameTable()
    var spans = call(5, names).spans
    spans[2].start += ahead * .millisecond
    spans[2].end += ahead * .millisecond
    var limits = TraceLimits()
    limits.clockSkewNanosMax = .second
    limits.criticalPathRule = .jaeger
    let trace = ExemplarTrace(
      key: TraceKey(tenant: .standard, trace: TraceID(high: 1, low: 5)), spans: spans, isCut: false)
    let view = TraceView(trace, isSealed: true, names: [:], limits: limits)
    #expect(view.rule == .jaeger)
    let callee = try #require(view.spans.first { $0.id == SpanID(3) })
    #expect(callee.start == (ahead == 500 ? epoch + 25 * .millisecond : spans[2].start))
    #expect(callee.critical == 50 * .millisecond)
    #expect(view.criticalPath.reduce(0) { $0 + $1.end - $1.start } == 100 * .millisecond)
    #expect(view.criticalPath.contains { $0.span == SpanID(3) })
  }

  /// Scenario: a trace is asked for while it grows, once it is sealed, before and after the checkpoint
  /// that takes it; and after a restart.
  /// Guarantees: the same spans each time, with names, self times, critical path and error path; it
  /// says whether it grows; gone with the process.
  @Test func aLifeOfATrace() async throws {
    try await withTemporaryDirectory { directory in
      let rig = try await Rig(directory: directory)
      let key = TraceKey(tenant: .standard, trace: TraceID(high: 1, low: 77))
      #expect(try await rig.engine.trace(key) == nil)
      _ = await rig.send(call(77, rig.engine.names))
      let growing = try #require(try await rig.engine.trace(key))
      #expect(growing.state == .growing && growing.isComplete)
      #expect(growing.spans.map(\.service) == ["shop/front", "shop/front", "shop/back"])
      #expect(growing.spans.map(\.operation) == ["GET /orders", "GET /orders", ""])
      #expect(growing.spans.map(\.version) == ["", "", "v1"])
      #expect(growing.spans.map(\.peer) == ["", "external:back-host", ""])
      #expect(growing.spans.map(\.own) == [20, 30, 50].map { $0 * .millisecond })
      #expect(growing.spans.map(\.critical) == growing.spans.map(\.own))
      #expect(growing.errorPath == [SpanID(2), SpanID(3)])
      let sections = growing.criticalPath.map { "\($0.span.raw) \($0.end - $0.start)" }
      #expect(
        sections == ["1 10000000", "2 10000000", "3 50000000", "2 20000000", "1 10000000"])

      try await rig.pass(11 * .second)
      try await rig.pass(72 * .second)
      var expected = growing
      expected.state = .sealed
      #expect(try await rig.engine.trace(key) == expected)
      for _ in 0..<2 {
        try await rig.engine.checkpointer.run()
        #expect(try await rig.engine.trace(key) == expected)
      }
      #expect(rig.engine.exemplars.figures.traces == 1)
      let examples = await rig.engine.checkpointer.edgeExemplars
      let edge = try #require(examples.values.first)
      #expect(examples.count == 1 && edge.failed?.trace == key.trace)
      #expect(edge.server.values.map(\.duration) == [50 * .millisecond])
      #expect(edge.client.values.map(\.duration) == [80 * .millisecond])
      #expect(edge.failed?.end == epoch + 100 * .millisecond)
      try await rig.stop()

      let again = try await Rig(directory: directory)
      #expect(try await again.engine.trace(key) == nil)
      try await again.stop()
    }
  }

  /// Scenario: many traces over one edge are sealed in one checkpoint.
  /// Guarantees: all ids that the graph names as exemplars can be had; of the others none is kept.
  @Test func whatTheGraphNamesCanBeHad() async throws {
    try await withTemporaryDirectory { directory in
      let rig = try await Rig(directory: directory)
      for trace in 1...UInt64(200) { _ = await rig.send(call(trace, rig.engine.names)) }
      try await rig.pass(11 * .second)
      try await rig.pass(72 * .second)
      try await rig.engine.checkpointer.run()
      let input = try await rig.engine.graphInput(from: epoch, to: epoch + .minute)
      let graph = try GraphBuilder.build(input, tenant: .standard, options: GraphOptions())
      let named = Set(graph.edges.flatMap(\.exemplars) + graph.nodes.flatMap(\.figures.exemplars))
      #expect(named.count == 3)
      for trace in named {
        let key = TraceKey(tenant: .standard, trace: trace)
        #expect(try await rig.engine.trace(key)?.spans.count == 3)
      }
      #expect(rig.engine.exemplars.figures.traces == 3)
      try await rig.stop()
    }
  }
}
