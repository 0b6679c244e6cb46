public import Graph
public import Impact
public import Markers
public import Model

/// What the routes ask of the gateway.
public protocol QueryBackend: Sendable {
  /// Everything known of `[from, to)`, from store and open traces, the range widened to whole
  /// windows and echoed in the answer.
  /// - Errors: `QueryProblem` is passed on as it is; anything else is logged and becomes a 500.
  /// - Parameter kinds: The kinds of series wanted: the fewer, the faster.
  func graphInput(
    tenant: TenantID, from: Nanos, to: Nanos, kinds: Set<SeriesKind>
  ) async throws -> GraphInput
  /// Two stretches window by window, for what compares how they vary.
  /// - Parameter atLeast: how wide the windows are at least.
  func compared(
    tenant: TenantID, base: Range<Nanos>, current: Range<Nanos>, kinds: Set<SeriesKind>,
    atLeast: TileWidth
  ) async throws -> ComparedWindows
  /// Closes every open trace; returns when the next `graphInput` shows them all.
  func flush() async throws
  /// Takes the lines of a flow log; returns when they are durable.
  /// - Errors: `QueryProblem` when it cannot be read as a whole, or there is no room just now.
  func accept(_ post: FlowLogPost) async throws -> FlowLogAnswer
  /// Room for so many bytes of a large body; false where there is none.
  func reserve(bytes: Int) -> Bool
  /// Gives room back.
  func release(bytes: Int)
  /// Keeps markers, or finds those that stand for them already; all of them or none.
  func insert(_ markers: [Marker]) async throws -> [MarkerInsertion]
  /// The newest first.
  func markers(_ filter: MarkerFilter) async throws -> [Marker]
  /// By its id, or the id of one it stands for; nil when there is none.
  func marker(_ id: MarkerID, tenant: TenantID) async throws -> Marker?
  /// Returns whether there was one.
  func deleteMarker(_ id: MarkerID, tenant: TenantID) async throws -> Bool
  /// Finds out what a question to the gate is about and reads what was seen of it.
  func gate(_ request: GateRequest) async throws -> GateReport
  /// Keeps a verdict; returns the id under which it stands.
  func keep(_ verdict: StoredVerdict) async throws -> VerdictID
  func verdict(_ id: VerdictID, tenant: TenantID) async throws -> StoredVerdict?
  /// The newest first.
  func verdicts(_ filter: VerdictFilter) async throws -> [StoredVerdict]
  /// Takes a job of GitHub that waits for the gate; returns when that is kept.
  func take(_ review: DeploymentReview) async throws -> ReviewAdmission
  /// A trace that still grows, or is kept as an example; nil for any other.
  func trace(_ id: TraceID, tenant: TenantID) async throws -> TraceView?
  /// What `/metrics` shows.
  func metrics() async -> MetricsSnapshot
  /// Whether queries can be answered already.
  var readiness: Readiness { get }
  /// The present, Unix nanoseconds.
  var now: Nanos { get }
}

/// What becomes of a job that waits for the gate.
public enum ReviewAdmission: Sendable, Equatable {
  /// It is answered by and by.
  case added
  /// It waits already.
  case known
  /// There is no room just now.
  case full
  /// GitHub would not wait there for an answer to it; where it would, for a person.
  case foreign(String)
  /// Nobody set up that GitHub is answered.
  case notSetUp
}

/// Whether the gateway is ready to receive and to answer.
public enum Readiness: Sendable, Equatable {
  case ready
  /// With the reason, for a person: `replaying the journal, 3 of 8 segments`.
  case notReady(String)
}
