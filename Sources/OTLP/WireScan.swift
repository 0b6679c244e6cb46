/// Looks through a request before libprotobuf-c does, which trusts what it reads: it recurses as
/// deep as the sender nests (12 KB can overflow a stack) and allocates whatever the sender asks for
/// (2 MB of empty spans become 240 MB).
///
/// One pass over the wire format with a stack of its own. A request that passes is well-formed,
/// nests no deeper and takes no more memory than allowed, and unpacks.
/// - Shape: a body → what it holds and costs, or why it is refused.   - Cost: O(bytes).
@safe struct WireScan: ~Copyable {
  /// What is in a request.
  struct Summary: Equatable {
    /// Spans, or log records.
    var spans = 0
    /// Spans in the field that senders from before 2022 used. Nobody unpacks them.
    var legacySpans = 0
    /// What unpacking will take from the arena.
    var memoryBytes = 0
    /// A sub-message that should be there once came again. Merging the two takes memory beyond
    /// `memoryBytes`, and libprotobuf-c cannot merge two empty values.
    var mergesMessages = false
    /// The body with every group disguised as an unknown field, where there is a group;
    /// libprotobuf-c refuses a whole message for one.
    var cleaned: [UInt8]?
  }

  /// A message being read.
  private struct Level {
    var row: WireSchema.Row
    var end: Int
    var membersCount = 0
    /// At this many members the unpacker begins another slab of `slabMembers × 2`.
    var slabMembers = WireScan.slabMembersFirst
    var membersMax = WireScan.slabMembersFirst
    /// By field number, which fields to be merged were seen.
    var seen: UInt32 = 0
  }

  private let schema: WireSchema
  private let limits: DecodeLimits
  private let levelsMax: Int
  private var levels: [Level] = []
  private var summary = Summary()

  /// What the unpacker notes of each member of a message, and how many fit on its stack. What does
  /// not goes into slabs, each twice the one before.
  /// - Source: libprotobuf-c 1.4, protobuf-c.c, `ScannedMember` and `protobuf_c_message_unpack`.
  private static let memberNoteBytes = 32
  private static let slabMembersFirst = 16
  /// - Source: protobuf-c.h, `ProtobufCMessageUnknownField`.
  private static let unknownFieldBytes = 24
  /// The unpacker takes about a kilobyte of stack a level; no configuration may ask for more.
  private static let levelsHighest = 256

  init(limits: DecodeLimits, schema: WireSchema = .request) {
    self.schema = schema
    self.limits = limits
    levelsMax = min(max(limits.depthMax, 1), WireScan.levelsHighest)
    levels.reserveCapacity(levelsMax)
  }

  mutating func scan(_ body: UnsafeRawBufferPointer) throws(DecodeError) -> Summary {
    summary = Summary()
    levels.removeAll(keepingCapacity: true)
    var reader = unsafe WireReader(body)
    try enter(WireSchema.requestRow, &reader, length: body.count)
    while !levels.isEmpty {
      if reader.isAtEnd {
        leave(&reader)
      } else {
        unsafe try scanField(&reader, body)
      }
    }
    try checkLimits()
    return summary
  }

  private func checkLimits() throws(DecodeError) {
    guard summary.spans <= limits.spansPerRequestMax else {
      throw .tooManySpans(countMax: limits.spansPerRequestMax)
    }
    guard summary.memoryBytes <= limits.memoryBytesMax else {
      throw .memoryTooLarge(bytes: summary.memoryBytes, bytesMax: limits.memoryBytesMax)
    }
  }

  private mutating func enter(
    _ row: WireSchema.Row, _ reader: inout WireReader, length: Int
  ) throws(DecodeError) {
    guard levels.count < levelsMax else { throw .tooDeep(levelsMax: levelsMax) }
    let end = reader.position + length
    levels.append(Level(row: row, end: end))
    reader.end = end
    summary.memoryBytes += Arena.rounded(schema.messages[row].bytes)
    if row == schema.spanRow { summary.spans += 1 }
  }

  private mutating func leave(_ reader: inout WireReader) {
    levels.removeLast()
    if let outer = levels.last { reader.end = outer.end }
  }

  @inline(__always)
  private mutating func scanField(
    _ reader: inout WireReader, _ body: UnsafeRawBufferPointer
  ) throws(DecodeError) {
    let tagStart = reader.position
    let (number, type) = try reader.readTag()
    let current = levels.count - 1
    let row = levels[current].row
    let field = schema.field(number, of: row)
    countMember(current)
    guard field.isKnown else {
      return unsafe try scanUnknown(number, type, from: tagStart, &reader, body)
    }
    guard type == field.wireType else {
      throw reader.malformed(
        "field \(number) of \(schema.messages[row].name) with wire type \(type.rawValue)")
    }
    summary.memoryBytes += Int(field.elementBytes)
    guard type == .lengthDelimited else {
      return try reader.skipValue(type, number: number, levelsLeft: 0)
    }
    let length = try reader.readLength()
    guard field.isMessage else {
      summary.memoryBytes += Arena.rounded(length)
      return try reader.skip(bytes: length)
    }
    if field.isMerged { noteMerge(number, current) }
    try enter(Int(field.child), &reader, length: length)
  }

  @inline(__always)
  private mutating func countMember(_ current: Int) {
    levels[current].membersCount += 1
    guard levels[current].membersCount > levels[current].membersMax else { return }
    levels[current].slabMembers *= 2
    levels[current].membersMax += levels[current].slabMembers
    summary.memoryBytes += levels[current].slabMembers * WireScan.memberNoteBytes
  }

  private mutating func noteMerge(_ number: UInt32, _ current: Int) {
    let bit: UInt32 = 1 << number
    if levels[current].seen & bit != 0 { summary.mergesMessages = true }
    levels[current].seen |= bit
  }

  private mutating func scanUnknown(
    _ number: UInt32, _ type: WireType, from tagStart: Int, _ reader: inout WireReader,
    _ body: UnsafeRawBufferPointer
  ) throws(DecodeError) {
    let start = reader.position
    let isLegacy =
      number == WireSchema.legacyField && type == .lengthDelimited
      && levels[levels.count - 1].row == schema.resourceSpansRow
    if isLegacy {
      try countLegacySpans(&reader)
    } else {
      try reader.skipValue(type, number: number, levelsLeft: levelsMax - levels.count)
    }
    if type == .groupStart {
      unsafe disguiseGroup(tag: tagStart, value: start..<reader.position, body)
    }
    summary.memoryBytes +=
      WireScan.unknownFieldBytes + Arena.rounded(reader.position - start)
  }

  /// Counts the spans of one InstrumentationLibrarySpans without looking into them.
  private mutating func countLegacySpans(_ reader: inout WireReader) throws(DecodeError) {
    let outerEnd = reader.end
    reader.end = try reader.readLength() + reader.position
    while !reader.isAtEnd {
      let (number, type) = try reader.readTag()
      if number == WireSchema.legacySpansField, type == .lengthDelimited {
        summary.legacySpans += 1
      }
      try reader.skipValue(type, number: number, levelsLeft: levelsMax - levels.count)
    }
    reader.end = outerEnd
  }

  /// Rewrites a group, in a copy of the body, to a length-delimited field of the same number and
  /// size: no length around it changes, and the unpacker takes it for a field it need not know.
  private mutating func disguiseGroup(
    tag: Int, value: Range<Int>, _ body: UnsafeRawBufferPointer
  ) {
    var bytes = unsafe summary.cleaned.take() ?? [UInt8](body)
    bytes[tag] = bytes[tag] & ~7 | WireType.lengthDelimited.rawValue
    // The end tag alone takes a byte, so there is always room for a length; a long one is padded
    // to the five bytes a length may have.
    let isShort = value.count <= 0x80
    let lengthBytes = isShort ? 1 : 5
    var length = value.count - lengthBytes
    for index in 0..<lengthBytes {
      let isLast = index == lengthBytes - 1
      bytes[value.lowerBound + index] =
        UInt8(truncatingIfNeeded: length & 0x7F) | (isLast ? 0 : 0x80)
      length >>= 7
    }
    summary.cleaned = bytes
  }
}
