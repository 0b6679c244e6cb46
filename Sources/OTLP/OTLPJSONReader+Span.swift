import Model

extension OTLPJSONReader {
  /// Reads one span. Fields this gateway does not use (events, links, flags, counts of what was
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
    } else {
      try scanner.skipValue()
    }
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
