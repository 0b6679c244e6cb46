/// One attribute's value as a decoder saw it. Borrows the request's bytes: text stays readable until
/// `endSpan` (or `endResource`) returned.
@safe enum AttributeValue {
  case string(UnsafeRawBufferPointer)
  case int(Int64)
  case double(Double)
  case bool(Bool)
  case bytes(UnsafeRawBufferPointer)
  /// The first of the elements that are text and not empty.
  case array(UnsafeRawBufferPointer?)
  case keyValueList
  case empty
}

/// Types are not trusted: a status code comes as text from Envoy, as a double from Kong, as an
/// integer from most, and all three mean the same.
extension AttributeValue {
  /// Text that is not empty.
  var text: UnsafeRawBufferPointer? {
    if case .string(let bytes) = self, unsafe !bytes.isEmpty { return unsafe bytes }
    return nil
  }

  /// The same, or the first text of a list: hosts with several addresses send them all.
  var firstText: UnsafeRawBufferPointer? {
    if case .array(let first) = self { return unsafe first }
    return unsafe text
  }

  /// A whole number, whatever it was sent as.
  var number: Int64? {
    switch self {
    case .int(let value): value
    case .double(let value): Int64(exactly: value)
    case .string(let bytes): unsafe WholeNumber(bytes.trimmed)?.signed
    default: nil
    }
  }

  var isTrue: Bool {
    switch self {
    case .bool(let value): value
    case .string(let bytes): unsafe bytes.equalsIgnoringCase("TRUE")
    default: false
    }
  }

  /// Says something: anything but no value and empty text.
  var isPresent: Bool {
    switch self {
    case .empty: false
    case .string(let bytes): unsafe !bytes.isEmpty
    default: true
    }
  }
}
