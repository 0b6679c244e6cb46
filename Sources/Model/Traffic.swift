/// Which log tells of traffic that no span tells of.
public enum TrafficSource: UInt8, Sendable, CaseIterable {
  /// A proxy's or a server's log of requests: a record is a call.
  case accessLog = 1
  /// A network's log of flows: a record is what passed between two addresses in a while.
  case flowLog = 2

  public var label: String {
    switch self {
    case .accessLog: "access_log"
    case .flowLog: "flow_log"
    }
  }
}

/// At which end of a call it was recorded. Where both ends keep a log each call is told twice, so
/// they are summed apart and never together.
public enum TrafficEnd: UInt8, Sendable, CaseIterable {
  case unknown = 0
  case client = 1
  case server = 2
}

/// What a series of traffic sums: the number is part of the store's format.
public struct TrafficKind: Hashable, Sendable {
  public var source: TrafficSource
  public var end: TrafficEnd

  public init(_ source: TrafficSource, recordedBy end: TrafficEnd) {
    self.source = source
    self.end = end
  }

  /// Never 0.
  public var number: UInt64 { UInt64(source.rawValue) | UInt64(end.rawValue) << 8 }

  /// nil for what is no number of a kind.
  public init?(number: UInt64) {
    guard number >> 16 == 0,
      let source = TrafficSource(rawValue: UInt8(truncatingIfNeeded: number)),
      let end = TrafficEnd(rawValue: UInt8(truncatingIfNeeded: number >> 8))
    else { return nil }
    self.init(source, recordedBy: end)
  }
}

// A record of traffic travels as a span record, so that what holds for spans (journal, partitions,
// duplicates, exactly once after a crash, late arrival, sealing) holds for it by the same code. It is
// alone in a trace whose id is a hash of what it says.
extension SpanRecord {
  /// - Parameters:
  ///   - trace: the id of the record's own trace.
  ///   - client: who called; `NameID.none` when the record does not say. The same for `server`.
  ///   - clientAddress: where who called is, a name of kind `.address`; `NameID.none` when that is not
  ///     known, or is what it is called by. The same for `serverAddress`.
  ///   - traits: among them `.error`, and `.endBeforeStart` where it says no duration.
  public init(
    trafficIn trace: TraceID, _ kind: TrafficKind, from client: NameID, to server: NameID,
    start: Nanos, end: Nanos, bytes: UInt64, clientAddress: NameID = .none,
    serverAddress: NameID = .none, traits: SpanTraits = []
  ) {
    self.init(
      id: SpanID(trace.low | 1), parent: SpanID(bytes), start: start, end: end, service: server,
      instance: clientAddress, operation: .none, peer: client, peerAddress: serverAddress,
      kind: .traffic, traits: traits)
    if kind.source == .flowLog { self.traits.insert(.flowLog) }
    if kind.end == .client { self.traits.insert(.recordedByClient) }
    if kind.end == .server { self.traits.insert(.recordedByServer) }
  }

  public var trafficClient: NameID { peer }
  public var trafficServer: NameID { service }
  /// The addresses of the two (names of kind `.address`), where they are called by something else.
  public var trafficClientAddress: NameID { instance }
  public var trafficServerAddress: NameID { peerAddress }
  /// Bytes in both directions.
  public var trafficBytes: UInt64 { parent.raw }

  public var trafficKind: TrafficKind {
    let end: TrafficEnd =
      if traits.contains(.recordedByClient) {
        .client
      } else if traits.contains(.recordedByServer) {
        .server
      } else {
        .unknown
      }
    return TrafficKind(traits.contains(.flowLog) ? .flowLog : .accessLog, recordedBy: end)
  }
}

extension TraceID {
  /// The id of the trace a record of traffic is alone in: the same record, sent again, has the
  /// same. Never zero.
  /// - Parameter content: all that the record says.
  public init(ofRecord content: Span<UInt8>, tenant: TenantID, source: TrafficSource) {
    let key = UInt64(tenant.raw) << 8 | UInt64(source.rawValue)
    var high = SipHash(key0: key, key1: 0)
    var low = SipHash(key0: key, key1: 1)
    self.init(high: high.finish(over: content), low: low.finish(over: content) | 1)
  }

  /// The id of the record's trace where so many equal ones stood before it.
  fileprivate func repeated(_ times: UInt64) -> TraceID {
    var writer = ByteWriter()
    writer.write(fixed: high)
    writer.write(fixed: low)
    var nextHigh = SipHash(key0: times, key1: 0)
    var nextLow = SipHash(key0: times, key1: 1)
    return TraceID(
      high: nextHigh.finish(over: writer.bytes.span),
      low: nextLow.finish(over: writer.bytes.span) | 1)
  }
}

extension SpanBatch {
  /// Gives each of several equal records of traffic a trace of its own: of what was sent together, two
  /// equal ones are two. Sent together again, they have the same ids again.
  /// - Parameter counts: how often each record was in batches before this one that were sent with it.
  public mutating func tellEqualRecordsApart(_ counts: inout [TraceID: UInt64]) {
    for index in spans.indices where spans[index].kind == .traffic {
      let first = traces[index]
      let times = counts[first, default: 0]
      counts[first] = times &+ 1
      guard times > 0 else { continue }
      traces[index] = first.repeated(times)
      spans[index].id = SpanID(traces[index].low | 1)
    }
  }
}
