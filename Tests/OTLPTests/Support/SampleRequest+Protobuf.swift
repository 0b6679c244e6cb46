import Model

@testable import OTLP

extension SampleRequest {
  /// This request as protobuf.
  var protobuf: [UInt8] {
    ProtobufBuilder { request in
      request.field(1) { resourceSpans in
        resourceSpans.field(1) { message in
          for (key, value) in resource { message.attribute(1, key) { value.write(to: &$0) } }
        }
        resourceSpans.field(2) { scope in
          for span in spans { scope.field(2) { span.write(to: &$0) } }
        }
      }
    }.bytes
  }
}

extension SampleSpan {
  fileprivate func write(to message: inout ProtobufBuilder) {
    message.field(1, bytes: KeptBytes.bytes(hexadecimal: trace))
    message.field(2, bytes: KeptBytes.bytes(hexadecimal: id))
    message.field(3, text: traceState)
    message.field(4, bytes: KeptBytes.bytes(hexadecimal: parent))
    message.field(5, text: name)
    message.field(6, varint: UInt64(bitPattern: kind))
    message.field(7, fixed64: start)
    message.field(8, fixed64: end)
    for (key, value) in attributes { message.attribute(9, key) { value.write(to: &$0) } }
    for link in links {
      message.field(13) {
        $0.field(1, bytes: KeptBytes.bytes(hexadecimal: link.trace))
        $0.field(2, bytes: KeptBytes.bytes(hexadecimal: link.span))
      }
    }
    message.field(14, varint: UInt64(droppedLinks))
    message.field(15) { $0.field(3, varint: UInt64(bitPattern: status)) }
  }
}

extension SampleValue {
  func write(to message: inout ProtobufBuilder) {
    switch self {
    case .string(let text): message.field(1, text: text)
    case .bool(let truth): message.field(2, varint: truth ? 1 : 0)
    case .int(let number): message.field(3, varint: UInt64(bitPattern: number))
    case .double(let number): message.field(4, fixed64: number.bitPattern)
    case .array: message.field(5) { $0.field(1) { $0.field(1, text: "a") } }
    case .keyValueList: message.field(6) { _ in }
    case .members(let members):
      message.field(6) { list in
        for (key, value) in members { list.attribute(1, key) { value.write(to: &$0) } }
      }
    case .empty: break
    }
  }
}
