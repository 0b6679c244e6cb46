internal import Model

/// Turns batches and seals into payloads. Keeps its tables from record to record.
///
/// Names are numbered within each record, which then lists their ids: a record can be decoded
/// although an earlier one is damaged, and a name costs a byte or two a span instead of eight.
struct RecordEncoder: Sendable {
  /// The most bytes a span takes: flags 1, ids 32, times 20, weight 5, traits 6, links 3, host 4,
  /// names 7 × 5.
  static let spanBytesMax = 106
  /// Sequence, tenant, first start, count of spans, count of names, count of listed names.
  static let batchBytesMax = 8 + 5 + 8 + 10 + 10 + 10

  private var index = NameIndex()
  /// Names whose texts the segment holds, and those whose texts the group adds to it.
  private var held: Set<NameID> = []
  private var added: Set<NameID> = []

  mutating func groupCommitted() {
    held.formUnion(added)
    added.removeAll(keepingCapacity: true)
  }

  mutating func groupDropped() { added.removeAll() }
  mutating func segmentEnded() { held.removeAll() }

  /// - Parameter define: The name in full; asked for names whose texts the segment does not hold.
  mutating func encode(
    _ batch: borrowing SpanBatch, sequence: UInt64, into group: inout GroupBuffer,
    define: (NameID) -> Name?
  ) {
    index.removeAll()
    for name in batch.names { _ = index.number(of: name) }
    let listedCount = index.names.count
    let spans = batch.spans
    let traces = batch.traces
    let tenant = batch.tenant
    let base = spans.first?.start ?? 0
    let room = RecordEncoder.batchBytesMax + spans.count * RecordEncoder.spanBytesMax
    group.fill(bytesMax: room) { cursor in
      cursor.put(fixed: sequence)
      cursor.put(varint: UInt64(tenant.raw))
      cursor.put(fixed: base)
      cursor.put(varint: UInt64(spans.count))
      encodeSpans(spans, traces, base: base, &cursor)
    }
    encodeNames(listedCount: listedCount, into: &group, define: define)
  }

  private mutating func encodeSpans(
    _ spans: [SpanRecord], _ traces: [TraceID], base: Nanos, _ cursor: inout ByteCursor
  ) {
    var process = Process()
    var trace: TraceID?
    for position in spans.indices {
      let span = spans[position]
      let isSameProcess = process.recorded(span)
      if !isSameProcess { process = Process(of: span) }
      var flags = SpanFlags(kind: span.kind)
      if traces[position] == trace { flags.insert(.sameTrace) }
      if isSameProcess { flags.insert(.sameProcess) }
      if !span.parent.isZero { flags.insert(.parent) }
      if span.weight != SpanRecord.weightOne { flags.insert(.weight) }
      let field = TraitsField(span, isSameProcess: isSameProcess)
      let traits = field.rawValue
      if traits != 0 { flags.insert(.traits) }
      trace = traces[position]
      cursor.put(flags.rawValue)
      if !flags.contains(.sameTrace) { cursor.put(trace: traces[position]) }
      cursor.put(fixed: span.id.raw.byteSwapped)
      if flags.contains(.parent) { cursor.put(fixed: span.parent.raw.byteSwapped) }
      cursor.put(signed: Int64(bitPattern: span.start &- base))
      cursor.put(varint: span.end &- span.start)
      if flags.contains(.weight) { cursor.put(varint: UInt64(span.weight)) }
      if flags.contains(.traits) { cursor.put(varint: traits) }
      if !isSameProcess {
        put(span.service, &cursor)
        put(span.version, &cursor)
        put(span.instance, &cursor)
        if field.hasHost { cursor.put(fixed: span.host) }
        if field.hasDimensions { put(span.dimensions, &cursor) }
      }
      put(span.operation, &cursor)
      put(span.peer, &cursor)
      if !span.peerAddress.isNone { put(span.peerAddress, &cursor) }
      if span.links != 0 { cursor.put(varint: UInt64(span.links)) }
    }
  }

  @inline(__always)
  private mutating func put(_ name: NameID, _ cursor: inout ByteCursor) {
    cursor.put(varint: UInt64(index.number(of: name)))
  }

  private mutating func encodeNames(
    listedCount: Int, into group: inout GroupBuffer, define: (NameID) -> Name?
  ) {
    let definitions = self.definitions(define)
    let texts = definitions.reduce(0) { $0 + $1.name.text.utf8.count + 5 + 5 + 1 + 8 + 10 }
    group.fill(bytesMax: 30 + index.names.count * 8 + texts) { cursor in
      cursor.put(varint: UInt64(index.names.count))
      cursor.put(varint: UInt64(listedCount))
      for name in index.names { cursor.put(fixed: name.raw) }
      cursor.put(varint: UInt64(definitions.count))
      for (number, name) in definitions {
        cursor.put(varint: number)
        cursor.put(varint: UInt64(name.tenant.raw))
        cursor.put(name.kind.rawValue)
        cursor.put(fixed: name.scope.raw)
        cursor.put(varint: UInt64(name.text.utf8.count))
        for byte in name.text.utf8 { cursor.put(byte) }
      }
    }
  }

  private mutating func definitions(
    _ define: (NameID) -> Name?
  ) -> [(number: UInt64, name: Name)] {
    var definitions: [(number: UInt64, name: Name)] = []
    for (position, id) in index.names.enumerated()
    where !held.contains(id) && !added.contains(id) {
      guard let name = define(id) else { continue }
      definitions.append((UInt64(position + 1), name))
      added.insert(id)
    }
    return definitions
  }

  func encodeSeal(checkpoint: UInt64, traces: [TraceKey], into group: inout GroupBuffer) {
    group.fill(bytesMax: 8 + 10 + traces.count * (5 + 16)) { cursor in
      cursor.put(fixed: checkpoint)
      cursor.put(varint: UInt64(traces.count))
      for key in traces {
        cursor.put(varint: UInt64(key.tenant.raw))
        cursor.put(trace: key.trace)
      }
    }
  }
}

extension ByteCursor {
  /// Ids stand as they are printed: the first byte first.
  @inline(__always)
  mutating func put(trace: TraceID) {
    put(fixed: trace.high.byteSwapped)
    put(fixed: trace.low.byteSwapped)
  }
}

/// Who recorded a span. Spans of one resource follow each other, so it is written once for many.
struct Process: Equatable {
  var service = NameID.none
  var version = NameID.none
  var instance = NameID.none
  var host: UInt32 = 0
  var dimensions = NameID.none

  init() {}

  init(of span: SpanRecord) {
    service = span.service
    version = span.version
    instance = span.instance
    host = span.host
    dimensions = span.dimensions
  }

  @inline(__always)
  func recorded(_ span: SpanRecord) -> Bool {
    service == span.service && version == span.version && instance == span.instance
      && host == span.host && dimensions == span.dimensions
  }
}

/// What a span's record holds, and its kind in bits 4 to 6.
struct SpanFlags: OptionSet {
  var rawValue: UInt8

  static let sameTrace = SpanFlags(rawValue: 1 << 0)
  static let parent = SpanFlags(rawValue: 1 << 1)
  static let weight = SpanFlags(rawValue: 1 << 2)
  static let sameProcess = SpanFlags(rawValue: 1 << 3)
  static let traits = SpanFlags(rawValue: 1 << 7)

  init(rawValue: UInt8) { self.rawValue = rawValue }
  init(kind: SpanKind) { rawValue = kind.rawValue << 4 }

  var kind: SpanKind? { SpanKind(rawValue: rawValue >> 4 & 7) }
}

/// A span's traits as its record holds them, with what follows the names: traits 0 to 15 in bits 0
/// to 15, then two marks, then the traits that came later, then the marks of what stands with a process.
struct TraitsField {
  var rawValue: UInt64

  private static let addressFollows: UInt64 = 1 << 16
  private static let linksFollow: UInt64 = 1 << 17
  private static let markBits: UInt64 = 2
  private static let hostFollows: UInt64 = 1 << 34
  private static let dimensionsFollow: UInt64 = 1 << 35
  private static let laterMarks = hostFollows | dimensionsFollow

  init(rawValue: UInt64) { self.rawValue = rawValue }

  init(_ span: SpanRecord, isSameProcess: Bool) {
    let traits = UInt64(span.traits.rawValue)
    rawValue = traits & 0xFFFF | (traits & ~0xFFFF) << TraitsField.markBits
    if !span.peerAddress.isNone { rawValue |= TraitsField.addressFollows }
    if span.links != 0 { rawValue |= TraitsField.linksFollow }
    guard !isSameProcess else { return }
    if span.host != 0 { rawValue |= TraitsField.hostFollows }
    if !span.dimensions.isNone { rawValue |= TraitsField.dimensionsFollow }
  }

  var hasAddress: Bool { rawValue & TraitsField.addressFollows != 0 }
  var hasLinks: Bool { rawValue & TraitsField.linksFollow != 0 }
  var hasHost: Bool { rawValue & TraitsField.hostFollows != 0 }
  var hasDimensions: Bool { rawValue & TraitsField.dimensionsFollow != 0 }

  /// nil when there are more than `SpanTraits` has room for.
  var traits: SpanTraits? {
    let later = (rawValue & ~TraitsField.laterMarks) >> TraitsField.markBits & ~0xFFFF
    return UInt32(exactly: rawValue & 0xFFFF | later).map(SpanTraits.init(rawValue:))
  }
}
