/// Writes the protobuf wire format by hand, so that tests can also write what no encoder would.
struct ProtobufBuilder {
  private(set) var bytes: [UInt8] = []

  init(_ build: (inout ProtobufBuilder) -> Void = { _ in }) { build(&self) }

  mutating func raw(_ bytes: [UInt8]) { self.bytes += bytes }

  mutating func tag(_ number: UInt32, _ wireType: UInt8) {
    varint(UInt64(number) << 3 | UInt64(wireType))
  }

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func field(_ number: UInt32, varint value: UInt64) {
    tag(number, 0)
    varint(value)
  }

  mutating func field(_ number: UInt32, fixed64 value: UInt64) {
    tag(number, 1)
    for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
  }

  mutating func field(_ number: UInt32, fixed32 value: UInt32) {
    tag(number, 5)
    for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * shift))) }
  }

  mutating func field(_ number: UInt32, bytes value: [UInt8]) {
    tag(number, 2)
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func field(_ number: UInt32, text: String) { field(number, bytes: Array(text.utf8)) }

  mutating func field(_ number: UInt32, _ build: (inout ProtobufBuilder) -> Void) {
    field(number, bytes: ProtobufBuilder(build).bytes)
  }

  mutating func group(_ number: UInt32, _ build: (inout ProtobufBuilder) -> Void = { _ in }) {
    tag(number, 3)
    build(&self)
    tag(number, 4)
  }
}

// MARK: - OTLP messages

extension ProtobufBuilder {
  /// A KeyValue in field `number`, with an AnyValue built by `value`.
  mutating func attribute(
    _ number: UInt32, _ key: String, _ value: (inout ProtobufBuilder) -> Void
  ) {
    field(number) {
      $0.field(1, text: key)
      $0.field(2, value)
    }
  }

  mutating func attribute(_ number: UInt32, _ key: String, text: String) {
    attribute(number, key) { $0.field(1, text: text) }
  }

  /// A ResourceSpans of one service and one scope; `scope` builds the ScopeSpans.
  mutating func resourceSpans(
    service: String = "checkout", _ scope: (inout ProtobufBuilder) -> Void
  ) {
    field(1) {
      $0.field(1) { $0.attribute(1, "service.name", text: service) }
      $0.field(2, scope)
    }
  }

  /// A span that is accepted as it is; what `more` adds comes after and so overrides.
  mutating func span(
    id: UInt64 = 0x0102_0304_0506_0708, parent: [UInt8]? = nil,
    start: UInt64 = Sample.start, end: UInt64 = Sample.end, name: String = "GET /",
    _ more: (inout ProtobufBuilder) -> Void = { _ in }
  ) {
    field(2) {
      $0.field(1, bytes: Sample.traceBytes)
      $0.field(2, bytes: Sample.bytes(of: id))
      if let parent { $0.field(4, bytes: parent) }
      $0.field(5, text: name)
      $0.field(6, varint: 2)
      $0.field(7, fixed64: start)
      $0.field(8, fixed64: end)
      more(&$0)
    }
  }

  /// The bytes of a request with one span, to which `more` adds.
  static func request(_ more: (inout ProtobufBuilder) -> Void = { _ in }) -> [UInt8] {
    ProtobufBuilder { $0.resourceSpans { $0.span { more(&$0) } } }.bytes
  }
}
