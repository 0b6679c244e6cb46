import Access
import Foundation
import Graph
import Hummingbird
import HummingbirdTesting
import Impact
import Logging
import Markers
import Model
import Synchronization

@testable import Query

/// A gateway of values: answers what it was given and remembers what it was asked.
final class FakeBackend: QueryBackend {
  struct State {
    var window = Window()
    var names: [NameID: Name] = [:]
    var metrics: [Metric] = []
    var edges = Window()
    /// What is compared.
    var baseWindows: [Window] = []
    var currentWindows: [Window] = []
    var exemplars: [SeriesKey: EdgeExemplars] = [:]
    var traces: [TraceID: TraceView] = [:]
    var readiness = Readiness.ready
    var failure: (any Error)?
    var asked: [Range<Nanos>] = []
    var flushCount = 0
    var markers: [Marker] = []
    var filters: [MarkerFilter] = []
    /// What the gate answers, and what it was asked.
    var report = GateReport(tenant: .standard, remarks: ["nothing is known"])
    var gateRequests: [GateRequest] = []
    var verdicts: [StoredVerdict] = []
    var verdictFilters: [VerdictFilter] = []
    /// What becomes of jobs that wait for the gate, and those that came.
    var reviewAdmission = ReviewAdmission.added
    var reviews: [DeploymentReview] = []
    /// What a flow log is answered with, and those that came.
    var flowLogAnswer = FlowLogAnswer(accepted: 0, skipped: 0, rejectedLines: 0, rejected: [])
    var flowLogs: [FlowLogPost] = []
    var bytesReserved = 0
    var hasRoom = true
    /// While it is open, questions wait.
    var gate: AsyncStream<Never>?
  }

  let state = Mutex(State())
  let now: Nanos = 1_790_000_005 * .second

  var readiness: Readiness { state.withLock(\.readiness) }

  func graphInput(
    tenant: TenantID, from: Nanos, to: Nanos, kinds: Set<SeriesKind>
  ) async throws -> GraphInput {
    state.withLock { $0.asked.append(from..<to) }
    if let gate = state.withLock(\.gate) { for await _ in gate {} }
    return try state.withLock { state in
      if let failure = state.failure { throw failure }
      let end = to.saturatingAdding(windowNanos - 1).floored(to: windowNanos)
      return GraphInput(
        window: state.window, names: state.names, start: from.floored(to: windowNanos), end: end,
        revision: 3)
    }
  }

  func compared(
    tenant: TenantID, base: Range<Nanos>, current: Range<Nanos>, kinds: Set<SeriesKind>,
    atLeast: TileWidth
  ) async throws -> ComparedWindows {
    try state.withLock { state in
      state.asked += [base, current]
      if let failure = state.failure { throw failure }
      return ComparedWindows(
        base: .init(
          start: base.lowerBound, end: base.upperBound, windows: state.baseWindows),
        current: .init(
          start: current.lowerBound, end: current.upperBound, windows: state.currentWindows),
        width: windowNanos, names: state.names)
    }
  }

  func flush() async throws {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      state.flushCount += 1
    }
  }

  func accept(_ post: FlowLogPost) async throws -> FlowLogAnswer {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      state.flowLogs.append(post)
      return state.flowLogAnswer
    }
  }

  func reserve(bytes: Int) -> Bool {
    state.withLock { state in
      if state.hasRoom { state.bytesReserved += bytes }
      return state.hasRoom
    }
  }

  func release(bytes: Int) { state.withLock { $0.bytesReserved -= bytes } }

  func insert(_ markers: [Marker]) async throws -> [MarkerInsertion] {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      return markers.map { marker in
        let existed = state.markers.contains { $0.id == marker.id }
        if !existed { state.markers.append(marker) }
        return MarkerInsertion(id: marker.id, existed: existed)
      }
    }
  }

  func markers(_ filter: MarkerFilter) async throws -> [Marker] {
    state.withLock { state in
      state.filters.append(filter)
      return Array(state.markers.prefix(filter.countMax))
    }
  }

  func marker(_ id: MarkerID, tenant: TenantID) async throws -> Marker? {
    state.withLock { $0.markers.first { $0.id == id && $0.tenant == tenant } }
  }

  func deleteMarker(_ id: MarkerID, tenant: TenantID) async throws -> Bool {
    state.withLock { state in
      let count = state.markers.count
      state.markers.removeAll { $0.id == id && $0.tenant == tenant }
      return state.markers.count < count
    }
  }

  func gate(_ request: GateRequest) async throws -> GateReport {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      state.gateRequests.append(request)
      return state.report
    }
  }

  func keep(_ verdict: StoredVerdict) async throws -> VerdictID {
    state.withLock { state in
      state.verdicts.removeAll { $0.id == verdict.id }
      state.verdicts.append(verdict)
      return verdict.id
    }
  }

  func verdict(_ id: VerdictID, tenant: TenantID) async throws -> StoredVerdict? {
    state.withLock { $0.verdicts.first { $0.id == id && $0.tenant == tenant } }
  }

  func verdicts(_ filter: VerdictFilter) async throws -> [StoredVerdict] {
    state.withLock { state in
      state.verdictFilters.append(filter)
      return Array(state.verdicts.prefix(filter.countMax))
    }
  }

  func take(_ review: DeploymentReview) async throws -> ReviewAdmission {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      state.reviews.append(review)
      return state.reviewAdmission
    }
  }

  func metrics() async -> MetricsSnapshot {
    state.withLock {
      MetricsSnapshot(
        edges: $0.edges, exemplars: $0.exemplars, names: $0.names, metrics: $0.metrics)
    }
  }

  func trace(_ id: TraceID, tenant: TenantID) async throws -> TraceView? {
    state.withLock { $0.traces[id] }
  }
}

extension FakeBackend.State {
  mutating func node(
    _ name: String, namespace: String = "", environment: String = "",
    kind: NameKind = .service
  ) -> NameID {
    let identity = NodeIdentity(environment: environment, namespace: namespace, name: name)
    let name = Name(tenant: .standard, kind: kind, text: identity.text)
    names[name.id] = name
    return name.id
  }

  /// A request that a version of a service answered.
  mutating func version(_ text: String, of service: NameID) {
    let name = Name(tenant: .standard, kind: .version, scope: service, text: text)
    names[name.id] = name
    var counters = Counters()
    counters[.requestsAdjusted] = 256
    window.add(Finding(window: 0, key: .version(service, name.id), counters: counters))
  }

  /// Calls between two nodes, in the graph and in the metrics.
  mutating func call(
    _ client: NameID, _ server: NameID, _ type: ConnectionType = .direct, requests: Int64 = 1,
    failed: Int64 = 0, latency: Nanos? = 10 * .millisecond, clientLatency: Nanos? = nil
  ) {
    var counters = Counters()
    counters[.requestsAdjusted] = requests * 256
    counters[.errorsAdjusted] = failed * 256
    let finding = Finding(
      window: 0, key: .edge(client, server, type), counters: counters, latency: latency,
      clientLatency: clientLatency)
    window.add(finding)
    edges.add(finding)
  }
}

/// A server in front of a fake gateway with a small shop in it.
struct QueryFixture {
  let backend = FakeBackend()
  let server: QueryServer

  init(
    tokens: AccessTokens? = nil, _ change: (inout QueryConfiguration) -> Void = { _ in }
  ) {
    var configuration = QueryConfiguration(host: "127.0.0.1", port: 0)
    change(&configuration)
    backend.state.withLock { state in
      let frontend = state.node("frontend", namespace: "shop")
      let checkout = state.node("checkout", namespace: "shop")
      let orders = state.node("orders", kind: .database)
      state.call(frontend, checkout, requests: 10, failed: 1)
      state.call(checkout, orders, .database)
    }
    server = QueryServer(
      configuration: configuration, backend: backend, tokens: tokens,
      logger: QueryFixture.silence)
  }

  static let silence = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  func ask(
    _ path: String, _ method: HTTPRequest.Method = .get, headers: HTTPFields = [:],
    body: String? = nil
  ) async throws -> TestResponse {
    try await server.application().test(.router) { client in
      try await client.execute(
        uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    }
  }
}

extension TestResponse {
  var text: String { String(buffer: body) }

  func json() throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: Any] ?? [:]
  }

  /// Of a problem document: the messages by field.
  func fieldErrors() throws -> [String: String] {
    let errors = try json()["errors"] as? [[String: String]] ?? []
    return errors.reduce(into: [:]) { $0[$1["field"] ?? ""] = $1["message"] }
  }
}
