import Model

/// The fields of the span that is being read, as its sender wrote them.
@safe struct SpanFields {
  var trace: Result<TraceID, RejectionReason> = .failure(.invalidTraceID)
  var id: Result<SpanID, RejectionReason> = .failure(.invalidSpanID)
  var parent: Result<SpanID, RejectionReason> = .success(.none)
  var name = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  var kind: SpanKind = .internal
  var start: Nanos = 0
  var end: Nanos = 0
  var status: Int64 = 0
  /// nil where `tracestate` says nothing.
  var weight: UInt32?
  var links = Links()
  var rejection: RejectionReason?

  /// So many links of a span are followed; those behind are taken for whole, and only counted.
  static let linksReadMax = 128

  /// How many links a span has.
  struct Links {
    var read: UInt64 = 0
    var unread: UInt64 = 0
    var dropped: UInt64 = 0

    var count: UInt16 {
      UInt16(clamping: read.saturatingAdding(unread).saturatingAdding(dropped))
    }

    /// Those of which nobody knows which span they name.
    var unfollowed: UInt64 { unread.saturatingAdding(dropped) }
  }

  /// The fields of a span that can be kept.
  struct Identity {
    var trace: TraceID
    var id: SpanID
    var parent: SpanID
    var start: Nanos
    var end: Nanos
    var endsBeforeStart: Bool
  }

  /// It names no parent.
  var isRoot: Bool { (try? parent.get()) == SpanID.none }

  mutating func setTraceID(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 16 else {
      trace = .failure(.invalidTraceID)
      return
    }
    let high = unsafe UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
    let low = unsafe UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    trace = .success(TraceID(high: high, low: low))
  }

  mutating func setSpanID(_ bytes: UnsafeRawBufferPointer) {
    id =
      unsafe SpanFields.eightBytes(bytes).map { .success(SpanID($0)) } ?? .failure(.invalidSpanID)
  }

  /// Empty, like eight zero bytes (some SDKs send them), is a root.
  mutating func setParentID(_ bytes: UnsafeRawBufferPointer) {
    if unsafe bytes.isEmpty {
      parent = .success(.none)
    } else {
      parent =
        unsafe SpanFields.eightBytes(bytes).map { .success(SpanID($0)) }
        ?? .failure(.invalidParentSpanID)
    }
  }

  private static func eightBytes(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
    guard bytes.count == 8 else { return nil }
    return unsafe UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
  }

  /// What identifies the span and its time, or the reason to leave it out.
  func identity(now: Nanos, limits: DecodeLimits) -> Result<Identity, RejectionReason> {
    if let rejection { return .failure(rejection) }
    let trace: TraceID
    let id: SpanID
    let parent: SpanID
    do {
      trace = try self.trace.get()
      id = try self.id.get()
      parent = try self.parent.get()
    } catch { return .failure(error) }
    if trace.isZero { return .failure(.invalidTraceID) }
    if id.isZero { return .failure(.invalidSpanID) }
    if start == 0 && end == 0 { return .failure(.noTimestamps) }
    let begin = start == 0 ? end : start
    let finish = max(begin, end)
    if let reason = limits.reasonAgainst(end: finish, now: now) { return .failure(reason) }
    return .success(
      Identity(
        trace: trace, id: id, parent: parent, start: begin, end: finish,
        endsBeforeStart: end < begin))
  }
}

extension DecodeLimits {
  /// Why nothing that ended then can be taken; nil where it can.
  func reasonAgainst(end: Nanos, now: Nanos) -> RejectionReason? {
    if end < now.saturatingSubtracting(retentionNanos) { return .endBeforeRetention }
    return end > now.saturatingAdding(aheadNanosMax) ? .endInTheFuture : nil
  }
}
