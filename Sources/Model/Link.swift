/// A link of a span: which span it names, in which trace.
public struct SpanLink: Hashable, Sendable {
  public var trace: TraceID
  public var span: SpanID

  public init(trace: TraceID, span: SpanID) {
    self.trace = trace
    self.span = span
  }
}

// What a trace says depends on its own spans alone, and a link leads to another one. So each link is
// told to the trace it names, by a record that travels as a span record does: what holds for spans
// (journal, partitions, duplicates, exactly once after a crash, late arrival, sealing) holds for it by
// the same code. It is derived when its span is decoded, from nothing but that span, so that whoever
// sends the span again derives the same record again.
extension SpanRecord {
  /// The record of a link, for the trace it names.
  /// - Parameters:
  ///   - span: the span that has the link.
  ///   - trace: its trace.
  ///   - isFirst: it is the first of the span's links that are followed.
  public init(
    linkOf span: SpanRecord, in trace: TraceID, to link: SpanLink, isFirst: Bool = false
  ) {
    self.init(linkOf: span, in: trace, named: link.span)
    parent = link.span
    if isFirst, traits.contains(.linkOfSending) { links = 1 }
  }

  /// The record of a span's links that nobody followed, for the span's own trace.
  public init(unreadLinks count: UInt16, of span: SpanRecord, in trace: TraceID) {
    self.init(linkOf: span, in: trace, named: .none)
    links = count
  }

  private init(linkOf span: SpanRecord, in trace: TraceID, named linked: SpanID) {
    let takes = span.takesMessages
    let sends = span.sendsCreatedMessages
    var traits = span.traits.intersection(.error)
    if takes || sends { traits.formUnion(span.traits.intersection([.namesQueue, .messaging])) }
    if takes { traits.insert(.receives) }
    if takes, span.traits.contains(.receives) { traits.insert(.linkOfPoll) }
    if sends { traits.insert(.linkOfSending) }
    self.init(
      id: SpanID(span.id.raw ^ SpanRecord.linkMask(trace, linked)), start: span.start,
      end: span.end, service: span.service, version: span.version, instance: span.instance,
      operation: span.operation, peer: sends || traits.contains(.namesQueue) ? span.peer : .none,
      weight: span.weight, kind: .link, traits: traits, host: SpanRecord.linkOrigin(trace),
      dimensions: span.dimensions)
  }

  /// Of the record of a link: the id of the span that has it, where that is a span of this trace.
  /// Of a link that came from another trace it is the id of no span.
  public func linkingSpan(in trace: TraceID) -> SpanID {
    SpanID(id.raw ^ SpanRecord.linkMask(trace, parent))
  }

  /// Of the record of a link: whether the span that has it is of this trace.
  public func isLink(outOf trace: TraceID) -> Bool { host == SpanRecord.linkOrigin(trace) }

  /// Of the record of a link: how many links it stands for that nobody followed; 0 for one that
  /// names a span.
  public var unreadLinks: UInt16 { kind == .link && parent.isZero ? links : 0 }

  /// Of the record of a link: the span that has it sends, and where what it names was created by nobody
  /// it is a message of its own. One of the span's links is.
  public var standsForSending: Bool {
    traits.contains(.linkOfSending) && !parent.isZero && links > 0
  }

  /// The record of a link for a trace that was sealed before it came: all it can still tell is of whom
  /// other such links tell. They meet in a trace of their own. nil where it tells nothing.
  public func late(for key: TraceKey) -> (record: SpanRecord, key: TraceKey)? {
    guard kind == .link, takesMessages, !parent.isZero, !traits.contains(.linkToSealed) else {
      return nil
    }
    var record = self
    record.traits.insert(.linkToSealed)
    let low = SpanRecord.mixed(key.trace.low)
    let meeting = TraceID(high: SpanRecord.mixed(key.trace.high ^ low), low: low)
    return (record, TraceKey(tenant: key.tenant, trace: meeting))
  }

  /// 32 bits of a trace's id: two traces whose spans link to the same span and share them are taken
  /// for one.
  private static func linkOrigin(_ trace: TraceID) -> UInt32 {
    UInt32(truncatingIfNeeded: mixed(trace.high ^ mixed(trace.low)) >> 32)
  }

  private static func linkMask(_ trace: TraceID, _ linked: SpanID) -> UInt64 {
    mixed(linked.raw ^ mixed(trace.low ^ mixed(trace.high ^ 0x9E37_79B9_7F4A_7C15)))
  }

  /// Spreads what differs in a few bits over all of them.
  /// - Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014), the
  ///   finalizer of SplitMix64.
  private static func mixed(_ value: UInt64) -> UInt64 {
    var value = value &+ 0x9E37_79B9_7F4A_7C15
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

extension [SpanRecord] {
  /// What senders sent.
  public var withoutLinks: [SpanRecord] {
    contains { $0.kind == .link } ? filter { $0.kind != .link } : self
  }
}

extension SpanBatch {
  /// How many spans, or records of traffic, the sender sent: the records of links are derived from
  /// them.
  public var sentCount: Int { spans.count { $0.kind != .link } }
}
