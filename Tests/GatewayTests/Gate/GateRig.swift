import Foundation
import Impact
import Model
import Query
import Store
import Testing

@testable import Gateway

/// A gateway that sees two versions of `shop/checkout` in `prod`, window by window.
final class GateRig {
  /// When the change is; on the hour.
  static let change: Nanos = 1_700_002_800 * .second

  let directory: URL
  private(set) var rig: Rig
  private var traces: UInt64 = 0
  var engine: Engine { rig.engine }

  /// - Parameter now: minutes after the change.
  init(now: Nanos = 12) async throws {
    directory = FileManager.default.temporaryDirectory
      .appending(path: "spangate-gate-\(UUID().uuidString)")
    rig = try await Rig(directory: directory, time: GateRig.change + now * .minute)
  }

  deinit { try? FileManager.default.removeItem(at: directory) }

  /// The start of a window, counted from the change.
  static func time(_ window: Int) -> Nanos {
    Nanos(Int64(change) + Int64(window) * Int64(windowNanos))
  }

  func stop() async throws { try await rig.stop() }

  /// Stops in order, and starts again at the same time on the same directory.
  func restart(shards: Int = 1) async throws {
    let now = engine.now
    try await rig.stop()
    rig = try await Rig(directory: directory, shards: shards, time: now)
  }

  // MARK: - Traffic

  struct Traffic {
    var service = "checkout"
    var namespace = "shop"
    var environment = "prod"
    var version = ""
    var address = ""
    /// Traces a window, and how many of them fail.
    var traces = 30
    var errors = 0
    var milliseconds = 50.0
    /// What each request calls, and how long that takes of its time.
    var callee = ""
    var calleeMilliseconds = 0.0
  }

  /// Requests to a service, in each of these windows.
  func serve(_ traffic: Traffic, in windows: some Sequence<Int>) async throws {
    for window in windows {
      var batch = SpanBatch()
      let ids = names(of: traffic)
      for index in 0..<traffic.traces {
        // A little noise without chance: the same every time.
        let noise = 1 + 0.01 * sin(Double(window) * 2.4 + Double(index))
        let end = GateRig.time(window) + Nanos(index % 9) * .second + 900 * .millisecond
        let duration = Nanos(traffic.milliseconds * noise * Double(Nanos.millisecond))
        let root = nextSpan()
        let trace = nextTrace()
        batch.append(
          SpanRecord(
            id: root, start: end - duration, end: end, service: ids.service,
            version: ids.version, instance: ids.instance, kind: .server,
            traits: index < traffic.errors ? .error : []), trace: trace)
        guard !traffic.callee.isEmpty else { continue }
        var called = traffic
        called.service = traffic.callee
        called.version = ""
        called.address = ""
        let taken = Nanos(traffic.calleeMilliseconds * noise * Double(Nanos.millisecond))
        batch.append(
          SpanRecord(
            id: nextSpan(), parent: root, start: end - taken, end: end,
            service: names(of: called).service, kind: .server), trace: trace)
      }
      try await send(batch)
    }
  }

  func serve(
    _ version: String, in windows: some Sequence<Int>, traces: Int = 30, errors: Int = 0,
    milliseconds: Double = 50, address: String = ""
  ) async throws {
    try await serve(
      Traffic(
        version: version, address: address, traces: traces, errors: errors,
        milliseconds: milliseconds), in: windows)
  }

  /// Traces in which a call fails of which no span of the callee tells.
  func fail(
    _ peer: String, at address: String = "", in windows: some Sequence<Int>, traces: Int = 5
  ) async throws {
    let front = names(of: Traffic(service: "front"))
    let node = intern(
      .external, NodeIdentity(environment: "prod", name: peer).text)
    let host = address.isEmpty ? NameID.none : intern(.address, address)
    for window in windows {
      var batch = SpanBatch()
      for _ in 0..<traces {
        let trace = nextTrace()
        let root = nextSpan()
        let end = GateRig.time(window) + 5 * .second
        batch.append(
          SpanRecord(
            id: root, start: end - .second, end: end, service: front.service, kind: .server),
          trace: trace)
        batch.append(
          SpanRecord(
            id: nextSpan(), parent: root, start: end - .second / 2, end: end - .second / 4,
            service: front.service, peer: node, peerAddress: host, kind: .client,
            traits: .error), trace: trace)
      }
      try await send(batch)
    }
  }

  /// Lets event time reach a window, so that those half a minute before it are finished.
  func reach(_ window: Int) async throws {
    try await serve(
      Traffic(service: "clockwork", namespace: "", environment: "", traces: 1), in: [window])
    try await rig.pass(12 * .second)
  }

  private func send(_ batch: SpanBatch) async throws {
    var batch = batch
    batch.names = Set(
      batch.spans.flatMap { [$0.service, $0.version, $0.instance, $0.peer, $0.peerAddress] }
    ).subtracting([.none]).sorted()
    try #require(await rig.send(batch) == .accepted)
  }

  private func intern(_ kind: NameKind, scope: NameID = .none, _ text: String) -> NameID {
    engine.names.intern(kind: kind, scope: scope, text, now: engine.now)
  }

  private func names(
    of traffic: Traffic
  ) -> (service: NameID, version: NameID, instance: NameID) {
    let service = intern(
      .service,
      NodeIdentity(
        environment: traffic.environment, namespace: traffic.namespace, name: traffic.service
      ).text)
    return (
      service,
      traffic.version.isEmpty ? .none : intern(.version, scope: service, traffic.version),
      traffic.address.isEmpty
        ? .none
        : intern(
          .instance, scope: service,
          InstanceIdentity(instance: "pod-\(traffic.address)", address: traffic.address).text)
    )
  }

  private func nextTrace() -> TraceID {
    traces += 1
    return TraceID(high: traces &* 0x9E37_79B9_7F4A_7C15, low: traces)
  }

  private func nextSpan() -> SpanID {
    traces += 1
    return SpanID(traces)
  }

  // MARK: - Markers and questions

  /// A deployment of `checkout`.
  @discardableResult
  func announce(
    _ version: String, _ time: Nanos, previous: String = "", service: String = "checkout",
    environment: String = ""
  ) throws -> MarkerID {
    try engine.store.insert(
      Marker(
        kind: .deployment, service: service, environment: environment, time: time,
        version: version, previousVersion: previous)
    ).id
  }

  func ask(_ request: GateRequest) async throws -> GateReport {
    try await GateInquiry(engine: engine, request: request, errorsTolerated: 0.01).report()
  }

  func ask(
    _ version: String? = "v42", service: String? = "checkout", marker: MarkerID? = nil,
    deadline: GateRequest.Deadline? = nil, minHealth: Double? = nil
  ) async throws -> GateReport {
    try await ask(
      GateRequest(
        service: service, version: version, marker: marker.map { "\($0)" }, deadline: deadline,
        minHealth: minHealth))
  }
}
