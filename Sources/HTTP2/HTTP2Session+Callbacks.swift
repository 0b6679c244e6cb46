internal import CNghttp2

extension HTTP2Session {
  static func from(_ owner: UnsafeMutableRawPointer) -> HTTP2Session {
    unsafe Unmanaged<HTTP2Session>.fromOpaque(owner).takeUnretainedValue()
  }

  /// Each callback finds its session, appends at most one event, and returns.
  static func register(_ callbacks: OpaquePointer?) {
    unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, owner in
      guard let owner = unsafe owner, let header = unsafe header?.pointee else { return 0 }
      unsafe HTTP2Session.from(owner).frameBegan(header)
      return 0
    }
    unsafe nghttp2_session_callbacks_set_unpack_extension_callback(callbacks) { _, _, _, owner in
      guard let owner = unsafe owner else { return NGHTTP2_ERR_CANCEL.rawValue }
      unsafe HTTP2Session.from(owner).meter.controlFrameCame()
      return NGHTTP2_ERR_CANCEL.rawValue
    }
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, owner in
      guard let owner = unsafe owner, let frame = unsafe frame?.pointee else { return 0 }
      let isTrailers = unsafe frame.headers.cat != NGHTTP2_HCAT_REQUEST
      unsafe HTTP2Session.from(owner).head.begin(trailers: isTrailers)
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, _, name, nameBytes, value, valueBytes, _, owner in
      guard let owner = unsafe owner else { return 0 }
      let names = unsafe UnsafeBufferPointer(start: name, count: nameBytes)
      let values = unsafe UnsafeBufferPointer(start: value, count: valueBytes)
      unsafe HTTP2Session.from(owner).head.add(
        Span(_unsafeElements: names), Span(_unsafeElements: values))
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, owner in
      guard let owner = unsafe owner, let frame = unsafe frame else { return 0 }
      unsafe HTTP2Session.from(owner).frameReceived(frame)
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
      _, _, stream, bytes, count, owner in
      guard let owner = unsafe owner, let bytes = unsafe bytes else { return 0 }
      return unsafe HTTP2Session.from(owner).bodyReceived(stream, UnsafeRawPointer(bytes), count)
    }
    unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, owner in
      guard let owner = unsafe owner, let frame = unsafe frame else { return 0 }
      unsafe HTTP2Session.from(owner).frameSent(frame.pointee)
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
      _, stream, code, owner in
      guard let owner = unsafe owner else { return 0 }
      let session = unsafe HTTP2Session.from(owner)
      session.outbound[stream] = nil
      session.meter.streamClosed(stream)
      session.events.append(.streamClosed(stream: stream, code: code))
      return 0
    }
  }

  private func frameBegan(_ header: nghttp2_frame_hd) {
    switch UInt32(header.type) {
    case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue, NGHTTP2_RST_STREAM.rawValue: break
    // Unknown types are counted where they are passed over.
    case let type: if type <= NGHTTP2_CONTINUATION.rawValue { meter.controlFrameCame() }
    }
  }

  private func frameReceived(_ frame: UnsafePointer<nghttp2_frame>) {
    let header = unsafe frame.pointee.hd
    let isEnd = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    switch UInt32(header.type) {
    case NGHTTP2_HEADERS.rawValue: head.end()
    // Padding alone is no data either.
    case NGHTTP2_DATA.rawValue where unsafe !isEnd && header.length <= frame.pointee.data.padlen:
      meter.controlFrameCame()
    default: break
    }
    switch UInt32(header.type) {
    case NGHTTP2_HEADERS.rawValue where unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST:
      meter.requestBegan()
      if head.isTooLarge {
        events.append(.headersTooLarge(stream: header.stream_id))
      } else {
        events.append(.requestReceived(stream: header.stream_id, head.current, ended: isEnd))
      }
    case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
      if isEnd { events.append(.requestEnded(stream: header.stream_id)) }
    case NGHTTP2_PING.rawValue where header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0:
      events.append(.pingAcknowledged)
    default: break
    }
  }

  private func bodyReceived(_ stream: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int32 {
    // The library hands out parts of the input itself. Were that ever to change, ending the
    // connection is better than reading the wrong bytes.
    guard let base = unsafe inputBase, unsafe bytes >= base else {
      return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
    }
    let start = unsafe bytes - base
    guard start + count <= inputBytes else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
    events.append(.bodyReceived(stream: stream, start..<start + count))
    return 0
  }

  private func frameSent(_ frame: nghttp2_frame) {
    let header = unsafe frame.hd
    switch UInt32(header.type) {
    case NGHTTP2_RST_STREAM.rawValue:
      meter.resetSent(header.stream_id, code: unsafe frame.rst_stream.error_code)
    case NGHTTP2_GOAWAY.rawValue where unsafe frame.goaway.error_code != 0: note(.protocolError)
    default: callOffRest(header)
    }
  }

  /// A complete answer to an incomplete request calls off the rest of it (RFC 9113 section 8.1).
  private func callOffRest(_ header: nghttp2_frame_hd) {
    let type = UInt32(header.type)
    guard type == NGHTTP2_HEADERS.rawValue || type == NGHTTP2_DATA.rawValue,
      header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
      unsafe nghttp2_session_get_stream_remote_close(session, header.stream_id) == 0
    else { return }
    let code = outbound[header.stream_id]?.resetCode ?? .noError
    meter.willReset(header.stream_id)
    unsafe nghttp2_submit_rst_stream(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), header.stream_id, code.rawValue)
  }
}
