// HTTP/2 without sockets: bytes go in, events come out; responses go in, bytes come out.
//
// libnghttp2 does the framing, HPACK, flow control and the stream state machine; this module wraps
// one server session of it. Two rules make the wrapping safe. Callbacks only append to a buffer of
// events and never call back into the session, because the library is not re-entrant; the owner
// drains the events after the call returned. And the session belongs to one event loop: nothing
// here is Sendable. Body bytes are not copied: an event names the range of the input they stand in.
//
// Not used: swift-nio-http2, which allocates a channel for every stream.

import CNghttp2

/// The server's side of one HTTP/2 connection.
/// - Shape: `receive` bytes, drain `nextEvent`, `respond`, `writeOutput`; then the same again.
/// - Source: RFC 9113; nghttp2.h 1.52.
@safe public final class HTTP2Session {
  let configuration: HTTP2Configuration
  var session: OpaquePointer?
  var events: [HTTP2Event] = []
  private var eventIndex = 0
  /// Header blocks never interleave, so one builder serves all streams.
  var head: RequestHeadBuilder
  var outbound: [Int32: OutboundBody] = [:]
  var meter: ProtectionMeter
  private var protection: HTTP2Protection?
  /// Where the bytes of the running `receive` begin; events name ranges from here.
  var inputBase: UnsafeRawPointer?
  var inputBytes = 0
  var scratch = HeaderScratch()

  /// - Errors: `outOfMemory` when the library cannot allocate a session.
  public init(configuration: HTTP2Configuration = HTTP2Configuration()) throws(HTTP2Error) {
    self.configuration = configuration
    head = RequestHeadBuilder(listBytesMax: configuration.headerListBytesMax)
    meter = ProtectionMeter(configuration)
    unsafe session = try HTTP2Session.makeSession(configuration)
    unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
    try announceSettings()
  }

  deinit { unsafe nghttp2_session_del(session) }

  /// Takes bytes that arrived. Events stand ready afterwards; ranges in them are valid until the
  /// next call.
  /// - Parameter nanos: a clock that never goes back, by which limits of frames a second are kept.
  /// - Errors: the connection cannot go on; what `writeOutput` still gives (a GOAWAY) is to be
  ///   sent, then the connection closed.
  public func receive(_ bytes: RawSpan, at nanos: UInt64) throws(HTTP2Error) {
    // Once the library has ended a connection it is given no more: a malformed frame after that
    // made versions of it abort (CVE-2026-27135).
    guard protection == nil, unsafe nghttp2_session_want_read(session) != 0 else { return }
    try read(bytes)
    if let protection = meter.charge(at: nanos) { try end(protection) }
    if unsafe nghttp2_session_get_outbound_queue_size(session) > configuration.queuedFramesMax {
      try end(.unread)
    }
  }

  /// Ends the connection: nothing more is read, and the client is told to calm down.
  /// - Errors: always, with the reason.
  private func end(_ protection: HTTP2Protection) throws(HTTP2Error) {
    note(protection)
    unsafe nghttp2_session_terminate_session(session, HTTP2ErrorCode.enhanceYourCalm.rawValue)
    throw .protected(protection)
  }

  /// Says once why the connection is over.
  func note(_ protection: HTTP2Protection) {
    guard self.protection == nil else { return }
    self.protection = protection
    events.append(.ended(protection))
  }

  private func read(_ bytes: RawSpan) throws(HTTP2Error) {
    let code = unsafe bytes.withUnsafeBytes { input -> Int in
      guard let base = input.baseAddress else { return 0 }
      unsafe inputBase = base
      inputBytes = input.count
      defer { unsafe inputBase = nil }
      return unsafe nghttp2_session_mem_recv(
        session, base.assumingMemoryBound(to: UInt8.self), input.count)
    }
    guard code >= 0 else {
      let error = HTTP2Error(code: Int32(truncatingIfNeeded: code))
      if error == .flooded { note(.unread) }
      throw error
    }
  }

  /// The next thing that happened, in order; nil when all were taken.
  public func nextEvent() -> HTTP2Event? {
    guard eventIndex < events.count else {
      events.removeAll(keepingCapacity: true)
      eventIndex = 0
      return nil
    }
    defer { eventIndex += 1 }
    return events[eventIndex]
  }

  /// Hands over what is to be sent, frame by frame, until nothing is left or `write` returns false
  /// (its bytes were taken; more is to be asked for later).
  /// - Errors: the library failed; the connection is to be closed.
  public func writeOutput(_ write: (RawSpan) -> Bool) throws(HTTP2Error) {
    while true {
      var bytes: UnsafePointer<UInt8>?
      let count = unsafe nghttp2_session_mem_send(session, &bytes)
      guard count >= 0 else { throw HTTP2Error(code: Int32(truncatingIfNeeded: count)) }
      guard count > 0, let start = unsafe bytes else { return }
      let output = unsafe UnsafeRawBufferPointer(start: start, count: count)
      guard write(unsafe RawSpan(_unsafeBytes: output)) else { return }
    }
  }

  /// Gives back flow-control room for body bytes that were taken, to the stream and the connection.
  public func consume(stream: Int32, bytes: Int) {
    // An unknown stream (closed meanwhile) gives room back to the connection alone.
    unsafe nghttp2_session_consume(session, stream, bytes)
  }

  /// Nothing is left to read or write: the connection can be closed.
  public var isFinished: Bool {
    unsafe nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
  }

  /// How many header blocks have begun, while the last of them is incomplete; nil otherwise.
  public var incompleteHead: Int? { head.isOpen ? head.blocks : nil }

  /// Something is waiting to be sent.
  public var wantsToWrite: Bool { unsafe nghttp2_session_want_write(session) != 0 }

  /// First step of a graceful end: tells the client to open no more streams, and asks for a sign
  /// (`HTTP2Event.pingAcknowledged`) that it has read so.
  public func announceShutdown() {
    unsafe nghttp2_submit_shutdown_notice(session)
    unsafe nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
  }

  /// Second step: names the last stream that will be answered. `isFinished` once all are.
  public func shutDown() {
    let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
    unsafe nghttp2_submit_goaway(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, HTTP2ErrorCode.noError.rawValue, nil, 0)
  }
}

extension HTTP2Session {
  private static func makeSession(
    _ configuration: HTTP2Configuration
  ) throws(HTTP2Error) -> OpaquePointer {
    var options: OpaquePointer?
    var callbacks: OpaquePointer?
    defer {
      unsafe nghttp2_option_del(options)
      unsafe nghttp2_session_callbacks_del(callbacks)
    }
    guard unsafe nghttp2_option_new(&options) == 0,
      unsafe nghttp2_session_callbacks_new(&callbacks) == 0
    else { throw .outOfMemory }
    unsafe nghttp2_option_set_no_auto_window_update(options, 1)
    unsafe nghttp2_option_set_no_closed_streams(options, 1)
    unsafe nghttp2_option_set_max_settings(options, configuration.settingsEntriesMax)
    unsafe nghttp2_option_set_max_outbound_ack(options, configuration.outboundAcknowledgementsMax)
    unsafe nghttp2_option_set_max_continuations(options, configuration.continuationsMax)
    unsafe nghttp2_option_set_stream_reset_rate_limit(
      options, configuration.resetsBurst, configuration.resetsPerSecond)
    // Frames of types nobody knows are passed over, but counted. Smaller numbers are HTTP/2's own.
    for type in UInt8(10)...UInt8.max {
      unsafe nghttp2_option_set_user_recv_extension_type(options, type)
    }
    unsafe register(callbacks)
    var session: OpaquePointer?
    guard unsafe nghttp2_session_server_new2(&session, callbacks, nil, options) == 0,
      let made = unsafe session
    else { throw .outOfMemory }
    return unsafe made
  }

  private func announceSettings() throws(HTTP2Error) {
    let settings = [
      setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, configuration.concurrentStreamsMax),
      setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, configuration.streamWindowBytes),
      setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, configuration.headerListBytesMax),
    ]
    let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
    var code = unsafe nghttp2_submit_settings(session, none, settings, settings.count)
    if code == 0 {
      code = unsafe nghttp2_session_set_local_window_size(
        session, none, 0, Int32(clamping: configuration.connectionWindowBytes))
    }
    guard code == 0 else { throw HTTP2Error(code: code) }
  }

  private func setting(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
    nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
  }
}

@available(*, unavailable) extension HTTP2Session: Sendable {}
