import Model

extension OTLPJSONReader {
  /// Reads one log record. Severity, flags and counts are skipped.
  mutating func readLogRecord(_ builder: inout SpanBuilder) throws(DecodeError) {
    scanner.texts.removeAll()
    builder.beginLogRecord()
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      if try scanner.null() { continue }
      if unsafe key.equals("timeUnixNano") {
        builder.logTime(try unsigned64())
      } else if unsafe key.equals("observedTimeUnixNano") {
        builder.logObservedTime(try unsigned64())
      } else if unsafe key.equals("traceId") {
        try unsafe builder.logTraceID(scanner.string())
      } else if unsafe key.equals("spanId") {
        try unsafe builder.logSpanID(scanner.string())
      } else if unsafe key.equals("body") {
        try readLogBody(&builder)
      } else if unsafe key.equals("attributes") {
        try unsafe readAttributes { key, value in
          unsafe builder.logAttribute(key: key, value: value)
        }
      } else {
        try scanner.skipValue()
      }
    }
    builder.endLogRecord()
  }

  /// Reads an AnyValue: a list of keys and values counts as attributes.
  private mutating func readLogBody(_ builder: inout SpanBuilder) throws(DecodeError) {
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      if try scanner.null() { continue }
      if unsafe key.equals("stringValue") {
        builder.logBody(try unsafe .string(scanner.string()))
      } else if unsafe key.equals("kvlistValue"), scanner.peek() == .object {
        try readLogMembers(in: .body, &builder)
      } else {
        try scanner.skipValue()
      }
    }
  }

  /// Reads a KeyValueList, as deep as the builder asks, which is three levels at most.
  private mutating func readLogMembers(
    in place: KubernetesObjectReader.Place, _ builder: inout SpanBuilder
  ) throws(DecodeError) {
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      if try scanner.null() { continue }
      if unsafe key.equals("values") {
        try readLogMemberList(in: place, &builder)
      } else {
        try scanner.skipValue()
      }
    }
  }

  private mutating func readLogMemberList(
    in place: KubernetesObjectReader.Place, _ builder: inout SpanBuilder
  ) throws(DecodeError) {
    try scanner.beginArray()
    while try scanner.nextElement() {
      if try scanner.null() { continue }
      let (name, value) = try unsafe readAttribute()
      guard let name = unsafe name else { continue }
      unsafe builder.logMember(key: name, value: value, in: place)
      guard case .keyValueList = value, let list = keyValueListStart,
        let inner = unsafe builder.beginLogMembers(key: name, in: place)
      else { continue }
      // It was read over, because the key may come after the value.
      let end = scanner.beginRevisit(list)
      if scanner.peek() == .object { try readLogMembers(in: inner, &builder) }
      scanner.endRevisit(end)
    }
  }
}
