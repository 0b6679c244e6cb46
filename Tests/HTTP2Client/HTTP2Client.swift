import CNghttp2

/// One answer as a client sees it.
public struct ClientResponse: Sendable, Equatable {
  public var status: Int?
  public var headers: [String: String] = [:]
  public var trailers: [String: String] = [:]
  public var body: [UInt8] = []
  /// The server ended the stream.
  public var isEnded = false
  /// The code of a reset, or 0 for a clean end; nil while the stream is open.
  public var closeCode: UInt32?
  /// HEADERS frames that came, informational ones left out.
  public var headerBlocks = 0

  public init() {}

  /// Of trailers, or of a Trailers-Only head.
  public var grpcStatus: Int? {
    (trailers["grpc-status"] ?? headers["grpc-status"]).flatMap { Int($0) }
  }
  public var grpcMessage: String? { trailers["grpc-message"] ?? headers["grpc-message"] }
}

/// A client's side of an HTTP/2 connection, without sockets: an implementation that is not ours
/// (libnghttp2's client session) to test the server with.
public final class HTTP2Client {
  private var session: OpaquePointer?
  public private(set) var responses: [Int32: ClientResponse] = [:]
  /// The last stream ids of the GOAWAY frames that came, in order, and their codes.
  public private(set) var goAways: [(lastStream: Int32, code: UInt32)] = []
  public private(set) var pingAnswers = 0
  public private(set) var settings: [Int32: UInt32] = [:]
  /// Bytes of WINDOW_UPDATE frames, by stream (0: the connection).
  public private(set) var windowUpdates: [Int32: Int] = [:]
  private var bodies: [Int32: Body] = [:]

  private struct Body {
    var bytes: [UInt8] = []
    var offset = 0
    var isEnded = false
    var isDeferred = false
  }

  /// - Parameter takesBody: false keeps the server's flow-control windows shut.
  public init(takesBody: Bool = true) {
    var options: OpaquePointer?
    nghttp2_option_new(&options)
    if !takesBody { nghttp2_option_set_no_auto_window_update(options, 1) }
    // Tests send broken requests too.
    nghttp2_option_set_no_http_messaging(options, 1)
    var callbacks: OpaquePointer?
    nghttp2_session_callbacks_new(&callbacks)
    HTTP2Client.register(callbacks)
    nghttp2_session_client_new2(
      &session, callbacks, Unmanaged.passUnretained(self).toOpaque(), options)
    nghttp2_session_callbacks_del(callbacks)
    nghttp2_option_del(options)
    nghttp2_submit_settings(session, 0, nil, 0)
  }

  deinit { nghttp2_session_del(session) }

  /// Begins a request; `body` nil ends it with its head.
  public func request(
    _ headers: [(String, String)], body: [UInt8]? = nil, end: Bool = true
  ) -> Int32 {
    var texts = headers.flatMap { Array($0.0.utf8) + Array($0.1.utf8) }
    var provider = HTTP2Client.provider
    let stream = texts.withUnsafeMutableBufferPointer { texts -> Int32 in
      var position = texts.baseAddress
      let fields = headers.map { name, value in
        let field = nghttp2_nv(
          name: position, value: position?.advanced(by: name.utf8.count),
          namelen: name.utf8.count, valuelen: value.utf8.count, flags: 0)
        position = position?.advanced(by: name.utf8.count + value.utf8.count)
        return field
      }
      if body == nil && end {
        return nghttp2_submit_request(session, nil, fields, fields.count, nil, nil)
      }
      return nghttp2_submit_request(session, nil, fields, fields.count, &provider, nil)
    }
    precondition(stream > 0, "the client session took no request: \(stream)")
    bodies[stream] = Body(bytes: body ?? [], isEnded: end)
    responses[stream] = ClientResponse()
    return stream
  }

  /// A POST with the fields a gRPC or OTLP/HTTP request has.
  public func post(
    _ path: String, contentType: String?, body: [UInt8]? = nil, end: Bool = true,
    headers: [(String, String)] = []
  ) -> Int32 {
    var all = [
      (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"),
    ]
    if let contentType { all.append(("content-type", contentType)) }
    return request(all + headers, body: body, end: end)
  }

  public func append(_ bytes: [UInt8], to stream: Int32, end: Bool = false) {
    bodies[stream]?.bytes.append(contentsOf: bytes)
    if end { bodies[stream]?.isEnded = true }
    if bodies[stream]?.isDeferred == true {
      bodies[stream]?.isDeferred = false
      nghttp2_session_resume_data(session, stream)
    }
  }

  /// How many body bytes of a stream were not sent yet.
  public func unsentBytes(_ stream: Int32) -> Int {
    bodies[stream].map { $0.bytes.count - $0.offset } ?? 0
  }

  public func reset(_ stream: Int32, code: UInt32) {
    nghttp2_submit_rst_stream(session, 0, stream, code)
  }

  public func ping() { nghttp2_submit_ping(session, 0, nil) }

  /// Everything that waits to be sent.
  public func takeOutput() -> [UInt8] {
    var output: [UInt8] = []
    while true {
      var bytes: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(session, &bytes)
      precondition(count >= 0, "the client session cannot send: \(count)")
      guard count > 0 else { return output }
      output.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
    }
  }

  /// False when the server broke the protocol.
  @discardableResult
  public func receive(_ bytes: [UInt8]) -> Bool {
    nghttp2_session_mem_recv(session, bytes, bytes.count) >= 0
  }

  private static var provider: nghttp2_data_provider {
    nghttp2_data_provider(
      source: nghttp2_data_source(),
      read_callback: { _, stream, buffer, room, flags, _, owner in
        let client = HTTP2Client.from(owner)
        guard var body = client.bodies[stream], let buffer, let flags else {
          return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
        }
        let count = min(room, body.bytes.count - body.offset)
        for index in 0..<count { buffer[index] = body.bytes[body.offset + index] }
        body.offset += count
        defer { client.bodies[stream] = body }
        if body.offset == body.bytes.count {
          if body.isEnded {
            flags.pointee = NGHTTP2_DATA_FLAG_EOF.rawValue
          } else if count == 0 {
            body.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
          }
        }
        return count
      })
  }

  private static func from(_ owner: UnsafeMutableRawPointer?) -> HTTP2Client {
    Unmanaged<HTTP2Client>.fromOpaque(owner!).takeUnretainedValue()
  }

  private static func register(_ callbacks: OpaquePointer?) {
    nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, frame, name, nameBytes, value, valueBytes, _, owner in
      let name = String(
        decoding: UnsafeBufferPointer(start: name, count: nameBytes), as: UTF8.self)
      let value = String(
        decoding: UnsafeBufferPointer(start: value, count: valueBytes), as: UTF8.self)
      HTTP2Client.from(owner).headerReceived(frame!.pointee.hd.stream_id, name, value)
      return 0
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
      _, _, stream, bytes, count, owner in
      HTTP2Client.from(owner).responses[stream]?.body.append(
        contentsOf: UnsafeBufferPointer(start: bytes, count: count))
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, owner in
      HTTP2Client.from(owner).frameReceived(frame!.pointee)
      return 0
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, owner in
      HTTP2Client.from(owner).responses[stream]?.closeCode = code
      return 0
    }
  }

  private func headerReceived(_ stream: Int32, _ name: String, _ value: String) {
    if name == ":status" {
      responses[stream]?.status = Int(value)
    } else if responses[stream]?.headerBlocks == 0 {
      responses[stream]?.headers[name] = value
    } else {
      responses[stream]?.trailers[name] = value
    }
  }

  private func frameReceived(_ frame: nghttp2_frame) {
    let stream = frame.hd.stream_id
    let isAcknowledgement = frame.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
    switch UInt32(frame.hd.type) {
    case NGHTTP2_HEADERS.rawValue: responses[stream]?.headerBlocks += 1
    case NGHTTP2_GOAWAY.rawValue:
      goAways.append((frame.goaway.last_stream_id, frame.goaway.error_code))
    case NGHTTP2_PING.rawValue where isAcknowledgement: pingAnswers += 1
    case NGHTTP2_WINDOW_UPDATE.rawValue:
      windowUpdates[stream, default: 0] += Int(frame.window_update.window_size_increment)
    case NGHTTP2_SETTINGS.rawValue where !isAcknowledgement:
      for index in 0..<frame.settings.niv {
        settings[frame.settings.iv[index].settings_id] = frame.settings.iv[index].value
      }
    default: break
    }
    if frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 {
      let type = UInt32(frame.hd.type)
      if type == NGHTTP2_HEADERS.rawValue || type == NGHTTP2_DATA.rawValue {
        responses[stream]?.isEnded = true
      }
    }
  }
}
