internal import CNghttp2

extension HTTP2Session {
  /// Answers a request completely. Without body and trailers the head ends the stream, which for
  /// gRPC is Trailers-Only. If the client is still sending then, its stream is reset with
  /// `resetCode` after the answer.
  public func respond(
    to stream: Int32, status: Int, headers: [HTTP2Header], body: [UInt8] = [],
    trailers: [HTTP2Header] = [], resetCode: HTTP2ErrorCode = .noError
  ) {
    var rest = OutboundBody()
    rest.bytes = body
    rest.isEnded = true
    rest.trailers = trailers
    rest.resetCode = resetCode
    submit(stream, status: status, headers, rest)
  }

  /// Begins an answer whose body comes in pieces, by `append` and `finish`.
  public func beginResponse(to stream: Int32, status: Int, headers: [HTTP2Header]) {
    submit(stream, status: status, headers, OutboundBody())
  }

  /// Adds bytes to a begun answer; false when there is none (the stream is closed).
  @discardableResult
  public func append(_ bytes: [UInt8], to stream: Int32) -> Bool {
    change(stream) { $0.append(bytes) }
  }

  /// Ends a begun answer.
  public func finish(_ stream: Int32, trailers: [HTTP2Header]) {
    change(stream) {
      $0.isEnded = true
      $0.trailers = trailers
    }
  }

  /// Bytes of begun answers to one stream that wait for the client to make room.
  public func pendingBytes(of stream: Int32) -> Int { outbound[stream]?.remaining ?? 0 }

  /// Ends a stream without an answer.
  public func reset(_ stream: Int32, _ code: HTTP2ErrorCode) {
    outbound[stream] = nil
    meter.willReset(stream)
    unsafe nghttp2_submit_rst_stream(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
  }

  private func submit(
    _ stream: Int32, status: Int, _ headers: [HTTP2Header], _ rest: OutboundBody
  ) {
    let hasMore = !rest.isEnded || !rest.bytes.isEmpty || !rest.trailers.isEmpty
    outbound[stream] = rest
    var provider = unsafe HTTP2Session.bodyProvider
    let code = unsafe scratch.withFields(status: statusText(status), headers) { fields, count in
      hasMore
        ? unsafe nghttp2_submit_response(session, stream, fields, count, &provider)
        : unsafe nghttp2_submit_response(session, stream, fields, count, nil)
    }
    // The stream was closed by the client meanwhile: there is nobody to answer.
    if code != 0 { outbound[stream] = nil }
  }

  private func statusText(_ status: Int) -> String { status == 200 ? "200" : String(status) }

  @discardableResult
  private func change(_ stream: Int32, _ change: (inout OutboundBody) -> Void) -> Bool {
    guard var body = outbound[stream], !body.isEnded else { return false }
    change(&body)
    let mustResume = body.isDeferred
    body.isDeferred = false
    outbound[stream] = body
    if mustResume { unsafe nghttp2_session_resume_data(session, stream) }
    return true
  }

  private static var bodyProvider: nghttp2_data_provider {
    unsafe nghttp2_data_provider(
      source: nghttp2_data_source(),
      read_callback: { _, stream, buffer, room, flags, _, owner in
        guard let owner = unsafe owner, let buffer = unsafe buffer, let flags = unsafe flags else {
          return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
        }
        let target = unsafe UnsafeMutableBufferPointer(start: buffer, count: room)
        let answer = unsafe HTTP2Session.from(owner).readBody(stream, into: target)
        unsafe flags.pointee = answer.flags
        return answer.count
      })
  }

  /// Fills `target` with the next bytes of an answer.
  private func readBody(
    _ stream: Int32, into target: UnsafeMutableBufferPointer<UInt8>
  ) -> (count: Int, flags: UInt32) {
    guard var body = outbound[stream] else {
      return (Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue), 0)
    }
    outbound[stream] = nil  // the only owner writes in place
    defer { outbound[stream] = body }
    let count = min(target.count, body.remaining)
    for index in 0..<count { unsafe target[index] = body.bytes[body.offset + index] }
    body.offset += count
    guard body.remaining == 0 else { return (count, 0) }
    if body.isEnded {
      guard !body.trailers.isEmpty else { return (count, NGHTTP2_DATA_FLAG_EOF.rawValue) }
      submitTrailers(stream, body.trailers)
      let flags = NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
      return (count, flags)
    }
    if count > 0 { return (count, 0) }
    body.isDeferred = true
    return (Int(NGHTTP2_ERR_DEFERRED.rawValue), 0)
  }

  private func submitTrailers(_ stream: Int32, _ trailers: [HTTP2Header]) {
    _ = unsafe scratch.withFields(status: nil, trailers) { fields, count in
      unsafe nghttp2_submit_trailer(session, stream, fields, count)
    }
  }
}
