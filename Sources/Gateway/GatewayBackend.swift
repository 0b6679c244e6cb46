import FlowLogs
import Graph
import Impact
import Markers
import Model
import NIOCore
import OTLP
import Query
import Receive
import Store
import Synchronization

/// What the query API sees of the gateway.
final class GatewayBackend: QueryBackend {
  private let engine: Engine
  private let receiver: Receiver
  private let doors: Doors
  private let clock: @Sendable () -> Nanos
  private let errorsTolerated: Double
  private let objectives: [String: ServiceObjective]
  private let flowLogLimits: FlowLogLimits
  private let inflatedBytesMax: Int
  private let reviews: DeploymentReviews?
  private let intake = Intake()
  private let state = Mutex(Readiness.notReady("replaying the journal"))

  init(
    engine: Engine, receiver: Receiver, doors: Doors, configuration: Configuration,
    reviews: DeploymentReviews? = nil, clock: @escaping @Sendable () -> Nanos
  ) {
    self.reviews = reviews
    self.engine = engine
    self.doors = doors
    errorsTolerated = configuration.gate.errorsTolerated
    objectives = configuration.objectives
    flowLogLimits = FlowLogLimits(retentionNanos: configuration.store.retention)
    // Not more than half of the room there is for bodies: one that takes all would find it never.
    inflatedBytesMax = min(
      configuration.limits.requestBytes, GatewayBackend.inflatedBytesHighest,
      engine.pipeline.requestBytesMax / 2)
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
    tenant: TenantID, base: Range<Nanos>, current: Range<Nanos>, kinds: Set<SeriesKind>,
    atLeast: TileWidth
  ) async throws -> ComparedWindows {
    try await engine.compared(base, with: current, kinds: kinds, atLeast: atLeast)
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
      engine: engine, request: request, errorsTolerated: errorsTolerated, objectives: objectives
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
  func reserve(bytes: Int) -> Bool { engine.pipeline.reserve(bytes: bytes) }

  func release(bytes: Int) { engine.pipeline.release(bytes: bytes) }

  func metrics() async -> MetricsSnapshot {
    var snapshot = await GatewayMetrics.collect(engine: engine, receiver: receiver)
    snapshot.metrics += doors.metrics
    snapshot.metrics += reviews?.metrics ?? []
    return snapshot
  }

  func take(_ review: DeploymentReview) async throws -> ReviewAdmission {
    guard let reviews else { return .notSetUp }
    return try reviews.add(review)
  }
}

// MARK: Flow logs

extension GatewayBackend {
  /// What a compressed flow log may unpack to, whatever a request of OTLP may.
  static let inflatedBytesHighest = 64 << 20

  /// Reads a flow log and hands it on, batch by batch, as receivers do with spans. Where a later batch
  /// finds no room the earlier ones stay: sent again, they are not counted again.
  func accept(_ post: FlowLogPost) async throws -> FlowLogAnswer {
    guard post.isGzip else { return try await accept(lines: post.body, of: post) }
    // What it says it unpacks to is a hint; what it may is the bound.
    let bytesMax = inflatedBytesMax
    guard reserve(bytes: bytesMax) else { throw GatewayBackend.noRoom }
    defer { release(bytes: bytesMax) }
    let lines: [UInt8]
    do throws(DecodeError) {
      lines = try GatewayBackend.inflated(post.body, bytesMax: bytesMax)
    } catch {
      let kind: QueryProblem.Kind = error.kind == .tooLarge ? .bodyTooLarge : .invalidRequest
      throw QueryProblem(kind, "The body cannot be read: \(error.message).")
    }
    return try await accept(lines: lines, of: post)
  }

  private func accept(lines: [UInt8], of post: FlowLogPost) async throws -> FlowLogAnswer {
    guard intake.begin() else { throw QueryProblem.notReady("stopping") }
    defer { intake.end() }
    var reader = FlowLogReader(
      lines, environment: post.environment, names: engine.names, tenant: post.tenant,
      limits: flowLogLimits, now: clock())
    var accepted = 0
    while let batch = reader.nextBatch() {
      guard case .accepted = await admit(batch) else { throw GatewayBackend.noRoom }
      accepted += batch.count
    }
    let summary = reader.summary
    return FlowLogAnswer(
      accepted: accepted, skipped: summary.skipped,
      skippedReasons: Dictionary(
        uniqueKeysWithValues: summary.skips.map { ($0.key.rawValue, $0.value) }),
      rejectedLines: summary.rejectedLines,
      rejectedReasons: Dictionary(
        uniqueKeysWithValues: summary.reasons.map { ($0.key.rawValue, $0.value) }),
      rejected: summary.rejected.map { .init(line: $0.line, message: $0.message) })
  }

  private func admit(_ batch: SpanBatch) async -> Admission {
    let loop = engine.shards[Int.random(in: engine.shards.indices)].loop
    let pipeline = engine.pipeline
    return await withCheckedContinuation { continuation in
      loop.execute {
        pipeline.accept(batch, from: loop) { continuation.resume(returning: $0) }
      }
    }
  }

  private static let noRoom = QueryProblem.overloaded(
    "The gateway is busy. Send the same again after the delay: lines that were taken already are not "
      + "counted twice.")

  private static func inflated(_ body: [UInt8], bytesMax: Int) throws(DecodeError) -> [UInt8] {
    try unsafe body.withUnsafeBytes { bytes in
      Result { () throws(DecodeError) in try unsafe Gzip.inflate(bytes, bytesMax: bytesMax) }
    }.get()
  }

  /// Takes no more in, and waits for what is being taken: nothing may reach the journal after it closed.
  func closeIntake() async {
    intake.close()
    while intake.isBusy {
      do { try await Task.sleep(for: .milliseconds(5)) } catch { continue }
    }
  }
}

/// Who is handing batches to the pipeline from the query API.
private final class Intake: Sendable {
  private let state = Mutex((isOpen: true, count: 0))

  var isBusy: Bool { state.withLock { $0.count > 0 } }

  func begin() -> Bool {
    state.withLock { state in
      if state.isOpen { state.count += 1 }
      return state.isOpen
    }
  }

  func end() { state.withLock { $0.count -= 1 } }

  func close() { state.withLock { $0.isOpen = false } }
}
