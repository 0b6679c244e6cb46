internal import Model

/// Turns payloads back into records. Every value is checked: the bytes may come from a damaged
/// disk.
struct RecordDecoder {
  private var reader: ByteReader

  static func decode(_ type: UInt8, _ payload: ArraySlice<UInt8>) throws(MalformedBytes)
    -> JournalRecord
  {
    var decoder = RecordDecoder(reader: ByteReader(payload))
    let record: JournalRecord
    switch RecordType(rawValue: type) {
    case .batch: record = try decoder.decodeBatch()
    case .seal: record = try decoder.decodeSeal()
    case .none: throw MalformedBytes()
    }
    guard decoder.reader.isAtEnd else { throw MalformedBytes() }
    return record
  }

  /// The sequence number alone, which a batch's payload begins with.
  static func sequence(of payload: ArraySlice<UInt8>) throws(MalformedBytes) -> UInt64 {
    var reader = ByteReader(payload)
    return try reader.readFixed64()
  }

  private mutating func decodeBatch() throws(MalformedBytes) -> JournalRecord {
    let sequence = try reader.readFixed64()
    var batch = SpanBatch(tenant: try decodeTenant())
    let base = try reader.readFixed64()
    let spansCount = try reader.readCount()
    batch.spans.reserveCapacity(spansCount)
    batch.traces.reserveCapacity(spansCount)
    for _ in 0..<spansCount { try decodeSpan(into: &batch, base: base) }
    let namesCount = try reader.readCount()
    let listedCount = try reader.readVarint()
    guard listedCount <= UInt64(namesCount) else { throw MalformedBytes() }
    var names: [NameID] = []
    names.reserveCapacity(namesCount)
    for _ in 0..<namesCount { names.append(NameID(try reader.readFixed64())) }
    batch.names = Array(names.prefix(Int(listedCount)))
    for position in batch.spans.indices {
      try RecordDecoder.resolve(&batch.spans[position], names)
    }
    return .batch(sequence: sequence, batch, names: try decodeDefinitions(names))
  }

  /// Names stand as their numbers until the list of names behind the spans is read.
  private mutating func decodeSpan(into batch: inout SpanBatch, base: Nanos) throws(MalformedBytes)
  {
    let flags = SpanFlags(rawValue: try reader.readByte())
    guard let kind = flags.kind else { throw MalformedBytes() }
    let trace = try decodeTrace(flags, after: batch.traces.last)
    let id = try decodeSpanID()
    let parent = flags.contains(.parent) ? try decodeSpanID() : .none
    let start = base &+ UInt64(bitPattern: try reader.readSigned())
    let end = start &+ (try reader.readVarint())
    var span = SpanRecord(
      id: id, parent: parent, start: start, end: end, service: .none, kind: kind)
    if flags.contains(.weight) { span.weight = try decodeSmall() }
    let field = TraitsField(rawValue: flags.contains(.traits) ? try reader.readVarint() : 0)
    guard let traits = field.traits else { throw MalformedBytes() }
    span.traits = traits
    if flags.contains(.sameProcess) {
      let last = batch.spans.last
      span.service = last?.service ?? .none
      span.version = last?.version ?? .none
      span.instance = last?.instance ?? .none
      span.host = last?.host ?? 0
      span.dimensions = last?.dimensions ?? .none
    } else {
      span.service = NameID(try reader.readVarint())
      span.version = NameID(try reader.readVarint())
      span.instance = NameID(try reader.readVarint())
      if field.hasHost { span.host = try reader.readFixed32() }
      if field.hasDimensions { span.dimensions = NameID(try reader.readVarint()) }
    }
    span.operation = NameID(try reader.readVarint())
    span.peer = NameID(try reader.readVarint())
    if field.hasAddress { span.peerAddress = NameID(try reader.readVarint()) }
    if field.hasLinks { span.links = try decodeSmall() }
    batch.append(span, trace: trace)
  }

  private static func resolve(_ span: inout SpanRecord, _ names: [NameID]) throws(MalformedBytes) {
    span.service = try resolve(span.service, names)
    span.version = try resolve(span.version, names)
    span.instance = try resolve(span.instance, names)
    span.operation = try resolve(span.operation, names)
    span.peer = try resolve(span.peer, names)
    span.peerAddress = try resolve(span.peerAddress, names)
    span.dimensions = try resolve(span.dimensions, names)
  }

  private static func resolve(_ number: NameID, _ names: [NameID]) throws(MalformedBytes) -> NameID
  {
    if number.isNone { return .none }
    guard number.raw <= UInt64(names.count) else { throw MalformedBytes() }
    return names[Int(number.raw) - 1]
  }

  private mutating func decodeDefinitions(_ names: [NameID]) throws(MalformedBytes) -> [Name] {
    var definitions: [Name] = []
    for _ in 0..<(try reader.readCount()) {
      let id = try RecordDecoder.resolve(NameID(try reader.readVarint()), names)
      let tenant = try decodeTenant()
      guard let kind = NameKind(rawValue: try reader.readByte()) else { throw MalformedBytes() }
      let scope = NameID(try reader.readFixed64())
      var name = Name(tenant: tenant, kind: kind, scope: scope, text: try reader.readText())
      // The id is that of the bytes that were sent; in the text they may stand repaired.
      name.id = id
      definitions.append(name)
    }
    return definitions
  }

  private mutating func decodeSeal() throws(MalformedBytes) -> JournalRecord {
    let checkpoint = try reader.readFixed64()
    let count = try reader.readCount()
    var traces: [TraceKey] = []
    traces.reserveCapacity(count)
    for _ in 0..<count {
      let tenant = try decodeTenant()
      traces.append(TraceKey(tenant: tenant, trace: try decodeTraceID()))
    }
    return .seal(checkpoint: checkpoint, traces)
  }

  private mutating func decodeTrace(
    _ flags: SpanFlags, after last: TraceID?
  ) throws(MalformedBytes) -> TraceID {
    guard flags.contains(.sameTrace) else { return try decodeTraceID() }
    guard let last else { throw MalformedBytes() }
    return last
  }

  private mutating func decodeTraceID() throws(MalformedBytes) -> TraceID {
    let high = try reader.readFixed64().byteSwapped
    return TraceID(high: high, low: try reader.readFixed64().byteSwapped)
  }

  private mutating func decodeSpanID() throws(MalformedBytes) -> SpanID {
    SpanID(try reader.readFixed64().byteSwapped)
  }

  private mutating func decodeTenant() throws(MalformedBytes) -> TenantID {
    TenantID(try decodeSmall())
  }

  private mutating func decodeSmall<Value: FixedWidthInteger>() throws(MalformedBytes) -> Value {
    guard let value = Value(exactly: try reader.readVarint()) else { throw MalformedBytes() }
    return value
  }
}
