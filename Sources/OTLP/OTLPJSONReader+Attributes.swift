import Model

extension OTLPJSONReader {
  /// Reads a list of KeyValue. The key may come after the value.
  mutating func readAttributes(
    _ found: (UnsafeRawBufferPointer, AttributeValue) -> Void
  ) throws(DecodeError) {
    try scanner.beginArray()
    while try scanner.nextElement() {
      if try scanner.null() { continue }
      let (name, value) = try unsafe readAttribute()
      if let name = unsafe name { unsafe found(name, value) }
    }
  }

  /// Reads one KeyValue.
  mutating func readAttribute() throws(DecodeError) -> (UnsafeRawBufferPointer?, AttributeValue) {
    var name: UnsafeRawBufferPointer?
    var value = AttributeValue.empty
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      if try scanner.null() { continue }
      if unsafe key.equals("key") {
        unsafe name = try scanner.string()
      } else if unsafe key.equals("value") {
        value = try anyValue()
      } else {
        try scanner.skipValue()
      }
    }
    return unsafe (name, value)
  }

  /// Reads an AnyValue; of several cases the last one counts.
  private mutating func anyValue() throws(DecodeError) -> AttributeValue {
    var value = AttributeValue.empty
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      if try scanner.null() { continue }
      if unsafe key.equals("stringValue") {
        value = try unsafe .string(scanner.string())
      } else if unsafe key.equals("intValue") {
        value = .int(try signed64())
      } else if unsafe key.equals("doubleValue") {
        value = .double(try double())
      } else if unsafe key.equals("boolValue") {
        value = .bool(try scanner.boolean())
      } else if unsafe key.equals("bytesValue") {
        // No rule reads bytes, so they stay the base64 they came as.
        value = try unsafe .bytes(scanner.string())
      } else if unsafe key.equals("arrayValue") {
        value = try unsafe .array(firstText())
      } else if unsafe key.equals("kvlistValue") {
        keyValueListStart = scanner.position
        try scanner.skipValue()
        value = .keyValueList
      } else {
        try scanner.skipValue()
      }
    }
    return value
  }

  /// Reads an ArrayValue: the first of its elements that is text and not empty.
  private mutating func firstText() throws(DecodeError) -> UnsafeRawBufferPointer? {
    var found: UnsafeRawBufferPointer?
    guard scanner.peek() == .object else {
      try scanner.skipValue()
      return nil
    }
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      guard unsafe key.equals("values"), scanner.peek() == .array else {
        try scanner.skipValue()
        continue
      }
      unsafe found = nil
      try scanner.beginArray()
      while try scanner.nextElement() {
        if unsafe found != nil || scanner.peek() != .object {
          try scanner.skipValue()
        } else {
          unsafe found = try unsafe textElement()
        }
      }
    }
    return unsafe found
  }

  /// Reads an AnyValue of which only text counts.
  private mutating func textElement() throws(DecodeError) -> UnsafeRawBufferPointer? {
    var text: UnsafeRawBufferPointer?
    try scanner.beginObject()
    while let key = try unsafe scanner.nextKey() {
      if unsafe key.equals("stringValue"), scanner.peek() == .string {
        unsafe text = try unsafe scanner.string()
      } else {
        try scanner.skipValue()
      }
    }
    guard let text = unsafe text, unsafe !text.isEmpty else { return nil }
    return unsafe text
  }

  // MARK: Numbers

  /// A 64-bit number, as a number or as a string of one.
  mutating func unsigned64() throws(DecodeError) -> UInt64 {
    let (number, start) = try wholeNumber()
    guard let value = number.unsigned else {
      throw scanner.failure("a number of 64 bits without sign expected", at: start)
    }
    return value
  }

  private mutating func signed64() throws(DecodeError) -> Int64 {
    let (number, start) = try wholeNumber()
    guard let value = number.signed else {
      throw scanner.failure("a number of 64 bits with sign expected", at: start)
    }
    return value
  }

  private mutating func wholeNumber() throws(DecodeError) -> (WholeNumber, Int) {
    let token = scanner.peek()
    let start = scanner.position
    let text: UnsafeRawBufferPointer
    switch token {
    case .string: unsafe text = try scanner.string()
    case .number: unsafe text = try scanner.number()
    case .object:
      throw scanner.failure(
        "a whole number of 64 bits expected, got an object (write it as a decimal string)")
    default: throw scanner.failure("a whole number of 64 bits expected")
    }
    guard let number = unsafe WholeNumber(text) else {
      throw scanner.failure("a whole number of 64 bits expected", at: start)
    }
    return (number, start)
  }

  /// A double; infinite where it is beyond what a double holds. Strings may also be `NaN`,
  /// `Infinity`, `-Infinity`.
  private mutating func double() throws(DecodeError) -> Double {
    let isString = scanner.peek() == .string
    let start = scanner.position
    let bytes = try unsafe isString ? scanner.string() : scanner.number()
    guard bytes.count <= JSONScanner.numberBytesMax,
      let value = unsafe Double(String(decoding: bytes, as: UTF8.self))
    else { throw scanner.failure("a number expected", at: start) }
    return value
  }
}
