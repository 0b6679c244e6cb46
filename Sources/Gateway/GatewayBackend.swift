import Graph
import Impact
import Model
import Query
import Receive
import Store
import Synchronization

/// What the query API sees of the gateway.
final class GatewayBackend: QueryBackend {
  private let engine: Engine
  private let receiver: Receiver
  private let clock: @Sendable () -> Nanos
  private let errorsTolerated: Double
  private let state = Mutex(Readiness.notReady("replaying the journal"))

  /// - Parameter errorsTolerated: `gate.errors_tolerated`.
  init(
    engine: Engine, receiver: Receiver, errorsTolerated: Double,
    clock: @escaping @Sendable () -> Nanos
  ) {
    self.engine = engine
    self.errorsTolerated = errorsTolerated
    self.receiver = receiver
    self.clock = clock
  }

  var now: Nanos { clock() }
  var readiness: Readiness { state.withLock { $0 } }

  func setReadiness(_ readiness: Readiness) { state.withLock { $0 = readiness } }

  func flush() async throws { try await engine.flush() }

  func graphInput(
    tenant: TenantID, from: Nanos, to: Nanos, kinds: Set<SeriesKind>
  ) async throws -> GraphInput {
    try await engine.graphInput(from: from, to: to, kinds: kinds)
  }

  func compared(
    tenant: TenantID, base: Range<Nanos>, current: Range<Nanos>, kinds: Set<SeriesKind>
  ) async throws -> ComparedWindows {
    try await engine.compared(base, with: current, kinds: kinds)
  }

  func insert(_ markers: [Marker]) async throws -> [MarkerInsertion] {
    try await engine.onStore { try $0.insert(markers) }
  }

  func markers(_ filter: MarkerFilter) async throws -> [Marker] {
    try await engine.onStore { try $0.markers(filter) }
  }

  func marker(_ id: MarkerID, tenant: TenantID) async throws -> Marker? {
    try await engine.onStore { try $0.marker(id, tenant: tenant) }
  }

  func deleteMarker(_ id: MarkerID, tenant: TenantID) async throws -> Bool {
    try await engine.onStore { try $0.deleteMarker(id, tenant: tenant) }
  }

  func gate(_ request: GateRequest) async throws -> GateReport {
    try await GateInquiry(
      engine: engine, request: request, errorsTolerated: errorsTolerated
    ).report()
  }

  func keep(_ verdict: StoredVerdict) async throws -> VerdictID {
    try await engine.onStore { try $0.keep(verdict) }
  }

  func verdict(_ id: VerdictID, tenant: TenantID) async throws -> StoredVerdict? {
    try await engine.onStore { try $0.verdict(id, tenant: tenant) }
  }

  func verdicts(_ filter: VerdictFilter) async throws -> [StoredVerdict] {
    try await engine.onStore { try $0.verdicts(filter) }
  }

  func trace(_ id: TraceID, tenant: TenantID) async throws -> TraceView? {
    try await engine.trace(TraceKey(tenant: tenant, trace: id))
  }

  func metrics() async -> MetricsSnapshot {
    await GatewayMetrics.collect(engine: engine, receiver: receiver)
  }
}
