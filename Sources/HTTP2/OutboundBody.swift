internal import CNghttp2

/// What is still to be sent of one response after its head.
struct OutboundBody {
  var bytes: [UInt8] = []
  /// How many of `bytes` were sent.
  var offset = 0
  /// No more bytes will be added.
  var isEnded = false
  var trailers: [HTTP2Header] = []
  /// The library found nothing to send and waits to be told of more.
  var isDeferred = false
  /// With which code the rest of an unfinished request is called off, once all was sent.
  var resetCode = HTTP2ErrorCode.noError

  var remaining: Int { bytes.count - offset }

  mutating func append(_ more: [UInt8]) {
    if remaining == 0 {
      bytes = more
      offset = 0
    } else {
      bytes.append(contentsOf: more)
    }
  }
}

/// Turns header lists into what the library takes: all texts in one reused buffer.
@safe struct HeaderScratch {
  private var text: [UInt8] = []
  private var fields: [nghttp2_nv] = unsafe []

  /// The pointers are valid during `body` only; the library copies.
  mutating func withFields<Result>(
    status: String?, _ headers: [HTTP2Header],
    _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
  ) -> Result {
    text.removeAll(keepingCapacity: true)
    unsafe fields.removeAll(keepingCapacity: true)
    if let status { add(HTTP2Header(":status", status)) }
    for header in headers { add(header) }
    return unsafe text.withUnsafeMutableBufferPointer { texts in
      var position = texts.baseAddress
      for index in unsafe fields.indices {
        unsafe fields[index].name = position
        unsafe position = position?.advanced(by: fields[index].namelen)
        unsafe fields[index].value = position
        unsafe position = position?.advanced(by: fields[index].valuelen)
      }
      return unsafe fields.withUnsafeBufferPointer { unsafe body($0.baseAddress, $0.count) }
    }
  }

  private mutating func add(_ header: HTTP2Header) {
    text.append(contentsOf: header.name.utf8)
    text.append(contentsOf: header.value.utf8)
    unsafe fields.append(
      nghttp2_nv(
        name: nil, value: nil, namelen: header.name.utf8.count,
        valuelen: header.value.utf8.count, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
  }
}
