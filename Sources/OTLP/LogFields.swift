import Model

/// The fields of the log record that is being read.
@safe struct LogFields {
  var time: Nanos = 0
  var observedTime: Nanos = 0
  /// A body that is text; readable until the record ends.
  var textBody: UnsafeRawBufferPointer?
  /// All that the record says, one thing after the other: what tells it from every other.
  var content = ByteWriter()

  mutating func removeAll() {
    time = 0
    observedTime = 0
    unsafe textBody = nil
    content.removeAll()
  }

  /// Unix nanoseconds; 0 where it says none.
  var start: Nanos { time == 0 ? observedTime : time }

  mutating func note(_ bytes: UnsafeRawBufferPointer) {
    content.write(varint: UInt64(bytes.count))
    unsafe content.write(bytes)
  }

  mutating func note(_ value: AttributeValue) {
    switch value {
    case .string(let text): unsafe note(text)
    case .bytes(let bytes): unsafe note(bytes)
    case .array(let first?): unsafe note(first)
    case .int(let number): content.write(signed: number)
    case .double(let number): content.write(fixed: number.bitPattern)
    case .bool(let truth): content.write(truth ? 1 : 0)
    case .array(nil), .keyValueList, .empty: content.write(0)
    }
  }
}
