import Model

extension OTLPJSONReader {
  /// Reads one span. Fields this gateway does not use (events, flags, counts of what else was
  /// dropped) are skipped.
  mutating func readSpan(_ builder: inout SpanBuilder) throws(DecodeError) {
    scanner.texts.removeAll()
    var enums = EnumsByName()
    builder.beginSpan()
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      if try scanner.null() { continue }
      try unsafe readField(key, &builder, &enums)
    }
    if enums.kind || enums.status { builder.rejectSpan(.enumByName) }
    builder.endSpan()
  }

  /// Which enums of the span were sent as names, as far as no number came after.
  private struct EnumsByName {
    var kind = false
    var status = false
  }

  private mutating func readField(
    _ key: UnsafeRawBufferPointer, _ builder: inout SpanBuilder, _ enums: inout EnumsByName
  ) throws(DecodeError) {
    if unsafe key.equals("traceId") {
      try unsafe builder.traceID(JSONHexadecimal.traceID(scanner.string()))
    } else if unsafe key.equals("spanId") {
      try unsafe builder.spanID(JSONHexadecimal.spanID(scanner.string()))
    } else if unsafe key.equals("parentSpanId") {
      try unsafe builder.parentSpanID(JSONHexadecimal.parentID(scanner.string()))
    } else if unsafe key.equals("name") {
      try unsafe builder.name(scanner.string())
    } else if unsafe key.equals("startTimeUnixNano") {
      builder.start(try unsigned64())
    } else if unsafe key.equals("endTimeUnixNano") {
      builder.end(try unsigned64())
    } else if unsafe key.equals("traceState") {
      try unsafe builder.traceState(scanner.string())
    } else if unsafe key.equals("kind") {
      let number = try enumNumber()
      enums.kind = number == nil
      builder.kind(number ?? 0)
    } else if unsafe key.equals("status") {
      try readStatus(&builder, &enums)
    } else if unsafe key.equals("attributes") {
      builder.forgetSpanAttributes()
      try unsafe readAttributes { key, value in unsafe builder.spanAttribute(key: key, value: value)
      }
    } else if unsafe key.equals("links"), scanner.peek() == .array {
      try readLinks(&builder)
    } else if unsafe key.equals("droppedLinksCount") {
      builder.droppedLinks(try unsigned64())
    } else {
      try scanner.skipValue()
    }
  }

  private mutating func readLinks(_ builder: inout SpanBuilder) throws(DecodeError) {
    builder.forgetLinks()
    var count = 0
    try scanner.beginArray()
    while try scanner.nextElement() {
      if try scanner.null() { continue }
      count += 1
      if count <= SpanFields.linksReadMax, scanner.peek() == .object {
        builder.link(try readLink())
      } else {
        try scanner.skipValue()
      }
    }
    builder.unreadLinks(UInt64(max(0, count - SpanFields.linksReadMax)))
  }

  /// Reads one link; an id that is none is 0.
  private mutating func readLink() throws(DecodeError) -> SpanLink {
    var link = SpanLink(trace: TraceID(high: 0, low: 0), span: .none)
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      let isText = scanner.peek() == .string
      if isText, unsafe key.equals("traceId") {
        let text = try unsafe scanner.string()
        if case .success(let id) = unsafe JSONHexadecimal.traceID(text) { link.trace = id }
      } else if isText, unsafe key.equals("spanId") {
        let text = try unsafe scanner.string()
        if case .success(let id) = unsafe JSONHexadecimal.spanID(text) { link.span = id }
      } else {
        try scanner.skipValue()
      }
    }
    return link
  }

  private mutating func readStatus(
    _ builder: inout SpanBuilder, _ enums: inout EnumsByName
  ) throws(DecodeError) {
    var code: Int64? = 0
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      if try scanner.null() { continue }
      if unsafe key.equals("code") { code = try enumNumber() } else { try scanner.skipValue() }
    }
    enums.status = code == nil
    builder.status(code: code ?? 0)
  }

  /// An enum's number; nil when its name was sent.
  private mutating func enumNumber() throws(DecodeError) -> Int64? {
    let token = scanner.peek()
    let start = scanner.position
    switch token {
    case .string:
      _ = try unsafe scanner.string()
      return nil
    case .number:
      guard let value = try unsafe WholeNumber(scanner.number())?.signed else {
        throw scanner.failure("a whole number expected", at: start)
      }
      return value
    default: throw scanner.failure("a number expected")
    }
  }
}
