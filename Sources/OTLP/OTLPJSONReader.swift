import Model

// OTLP/JSON is proto3 JSON with three exceptions: ids are hexadecimal, enums are numbers, and keys are
// lowerCamelCase only. The reader walks the bytes once and calls the builder as it goes; the order
// of keys is free, so where a resource comes after its spans the spans are revisited. A key given
// twice counts with its last value.

/// Reads an OTLP/JSON request, of traces or logs, into a builder.
/// - Source: OTLP specification, "JSON Protobuf Encoding"; the proto3 JSON mapping.
struct OTLPJSONReader: ~Copyable {
  var scanner: JSONScanner
  private let limits: DecodeLimits
  private let signal: OTLPSignal
  /// How many spans were read, kept or not. Goes back with the builder.
  private var spanCount = 0
  /// Where the last value that is a list of keys and values begins.
  var keyValueListStart: Int?

  private init(
    _ body: UnsafeRawBufferPointer, _ signal: OTLPSignal, limits: DecodeLimits
  ) {
    scanner = unsafe JSONScanner(body, depthMax: limits.depthMax)
    self.limits = limits
    self.signal = signal
  }

  /// Reads one document. The builder has begun its request; the caller finishes it.
  /// - Errors: `DecodeError.malformedJSON`, `.tooDeep`, `.tooManySpans`: the whole request is refused.
  static func read(
    _ body: UnsafeRawBufferPointer, into builder: inout SpanBuilder, limits: DecodeLimits
  ) throws(DecodeError) {
    var reader = unsafe OTLPJSONReader(body, builder.signal, limits: limits)
    try reader.readRequest(&builder)
    try reader.scanner.finishDocument()
  }

  /// The longest unknown key a warning names whole.
  private static let keyBytesShown = 64

  private mutating func readRequest(_ builder: inout SpanBuilder) throws(DecodeError) {
    let beginning = builder.mark
    var unknown: [String] = []
    var hasKnownKey = false
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      if unsafe key.equals(signal.topLevelKey) {
        hasKnownKey = true
        if try scanner.null() { continue }
        rewind(&builder, to: beginning, spanCount: 0)
        try readList(&builder) { reader, builder throws(DecodeError) in
          try reader.readResourceSpans(&builder)
        }
      } else {
        if unknown.count < RejectionTally.unknownKeysMax {
          let shown = unsafe key.part(0..<min(key.count, OTLPJSONReader.keyBytesShown))
          unsafe unknown.append(String(decoding: shown, as: UTF8.self))
        }
        try scanner.skipValue()
      }
    }
    guard !hasKnownKey else { return }
    for key in unknown { builder.warn(.unknownTopLevelKey(key)) }
  }

  // MARK: ResourceSpans

  private mutating func readResourceSpans(_ builder: inout SpanBuilder) throws(DecodeError) {
    let beginning = builder.mark
    let spansBefore = spanCount
    var hasResource = false
    var scopeSpansAt: Int?
    var isRead = false
    var deprecatedSpans = 0
    readNoResource(&builder)
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      if try scanner.null() { continue }
      if unsafe key.equals("resource") {
        hasResource = true
        // Spans that were read already belonged to another resource: read them again at the end.
        isRead = false
        try readResource(&builder)
      } else if unsafe key.equals(signal.scopesKey) {
        rewind(&builder, to: beginning, spanCount: spansBefore)
        scopeSpansAt = scanner.position
        isRead = hasResource
        if isRead { try readScopeSpansList(&builder) } else { try scanner.skipValue() }
      } else if signal == .traces, unsafe key.equals("instrumentationLibrarySpans") {
        deprecatedSpans = try countDeprecatedSpans()
      } else {
        try scanner.skipValue()
      }
    }
    if let scopeSpansAt, !isRead {
      rewind(&builder, to: beginning, spanCount: spansBefore)
      let here = scanner.beginRevisit(scopeSpansAt)
      try readScopeSpansList(&builder)
      scanner.endRevisit(here)
    }
    builder.reject(spans: deprecatedSpans, .deprecatedInstrumentationLibrarySpans)
  }

  private mutating func readScopeSpansList(_ builder: inout SpanBuilder) throws(DecodeError) {
    try readList(&builder) { reader, builder throws(DecodeError) in
      try reader.readScopeSpans(&builder)
    }
  }

  private mutating func readScopeSpans(_ builder: inout SpanBuilder) throws(DecodeError) {
    let beginning = builder.mark
    let spansBefore = spanCount
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      guard unsafe key.equals(signal.recordsKey) else {
        try scanner.skipValue()
        continue
      }
      if try scanner.null() { continue }
      rewind(&builder, to: beginning, spanCount: spansBefore)
      try readList(&builder) { reader, builder throws(DecodeError) in
        try reader.countSpan()
        switch reader.signal {
        case .traces: try reader.readSpan(&builder)
        case .logs: try reader.readLogRecord(&builder)
        }
      }
    }
  }

  private mutating func countSpan() throws(DecodeError) {
    spanCount += 1
    if spanCount > limits.spansPerRequestMax {
      throw .tooManySpans(countMax: limits.spansPerRequestMax)
    }
  }

  private mutating func rewind(
    _ builder: inout SpanBuilder, to mark: SpanBuilder.Mark, spanCount: Int
  ) {
    builder.rewind(to: mark)
    self.spanCount = spanCount
  }

  // MARK: Resource

  /// Spans may come without a resource.
  private mutating func readNoResource(_ builder: inout SpanBuilder) {
    builder.beginResource()
    builder.endResource()
  }

  private mutating func readResource(_ builder: inout SpanBuilder) throws(DecodeError) {
    scanner.texts.removeAll()
    builder.beginResource()
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      if unsafe key.equals("attributes") {
        if try scanner.null() { continue }
        builder.beginResource()
        try unsafe readAttributes { key, value in
          unsafe builder.resourceAttribute(key: key, value: value)
        }
      } else {
        try scanner.skipValue()
      }
    }
    builder.endResource()
  }

  // MARK: Deprecated layout

  /// Spans under the name scopes had before OTLP 0.15 are counted, so that their loss is said.
  private mutating func countDeprecatedSpans() throws(DecodeError) -> Int {
    var count = 0
    try scanner.beginArray()
    while try scanner.nextElement() {
      if try scanner.null() { continue }
      try scanner.beginObject()
      while let key = try unsafe scanner.nextKey() {
        if unsafe key.equals("spans"), scanner.peek() == .array {
          count += try countElements()
        } else {
          try scanner.skipValue()
        }
      }
    }
    return count
  }

  private mutating func countElements() throws(DecodeError) -> Int {
    var count = 0
    try scanner.beginArray()
    while try scanner.nextElement() {
      try scanner.skipValue()
      count += 1
    }
    return count
  }

  // MARK: Lists

  /// Reads an array, with `read` for each element that is not null.
  private mutating func readList(
    _ builder: inout SpanBuilder,
    _ read: (inout OTLPJSONReader, inout SpanBuilder) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    try scanner.beginArray()
    while try scanner.nextElement() {
      if try scanner.null() { continue }
      try read(&self, &builder)
    }
  }
}
