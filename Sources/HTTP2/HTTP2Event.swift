/// What happened on a connection, in the order it did.
public enum HTTP2Event: Sendable, Equatable {
  /// The head of a request is complete; `ended` when it has no body.
  case requestReceived(stream: Int32, RequestHead, ended: Bool)
  /// The request's header list is over the limit; the fields were thrown away.
  case headersTooLarge(stream: Int32)
  /// Body bytes: a range of what the last `HTTP2Session.receive` was given.
  case bodyReceived(stream: Int32, Range<Int>)
  /// The request is complete.
  case requestEnded(stream: Int32)
  /// The stream is gone, by a code of `HTTP2ErrorCode` (0: both sides had ended).
  case streamClosed(stream: Int32, code: UInt32)
  /// The connection is over for the good of all others; what is still to be sent says so. Once.
  case ended(HTTP2Protection)
  /// The client has read what was sent before the ping.
  case pingAcknowledged
}
