/// Why a connection was ended for the good of all others.
public enum HTTP2Protection: String, Error, Sendable, Equatable, CaseIterable {
  /// The client made this side reset too many streams by frames that break the protocol
  /// (CVE-2025-8671).
  case faults
  /// Too many frames that ask for nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, unknown
  /// ones, CONTINUATION, DATA without data (the family of CVE-2019-9511 to 9518).
  case controlFrames = "control_frames"
  /// Too much waits to be sent to a client that does not read.
  case unread
  /// A header block stood incomplete for too long.
  case incompleteHead = "incomplete_head"
  /// The library ended the connection: bytes that break the protocol, too many resets
  /// (CVE-2023-44487) or CONTINUATION frames (CVE-2024-28182), a frame or a SETTINGS too large.
  case protocolError = "protocol_error"
}

/// Counts what a client does that is of no use, and says when it is too much. Callbacks count;
/// once all bytes that came are read, what was counted is charged.
struct ProtectionMeter {
  private var faultRoom: TokenBucket
  private var controlRoom: TokenBucket
  private let earnedPerRequest: Int
  private var faults = 0
  private var controlFrames = 0
  private var requests = 0
  /// Streams this side resets for reasons of its own: these are no faults of the client's.
  private var ownResets: Set<Int32> = []

  init(_ configuration: HTTP2Configuration) {
    faultRoom = TokenBucket(
      burst: configuration.faultsBurst, perSecond: configuration.faultsPerSecond)
    controlRoom = TokenBucket(
      burst: configuration.controlFramesBurst, perSecond: configuration.controlFramesPerSecond)
    earnedPerRequest = configuration.controlFramesPerRequest
  }

  mutating func requestBegan() { requests &+= 1 }
  mutating func controlFrameCame() { controlFrames &+= 1 }
  mutating func willReset(_ stream: Int32) { ownResets.insert(stream) }

  mutating func resetSent(_ stream: Int32, code: UInt32) {
    // Streams over the limit are no fault: the client may not know the limit yet.
    guard ownResets.remove(stream) == nil, code != HTTP2ErrorCode.refusedStream.rawValue else {
      return
    }
    faults &+= 1
  }

  mutating func streamClosed(_ stream: Int32) {
    if !ownResets.isEmpty { ownResets.remove(stream) }
  }

  /// What was too much of what came since the last time.
  mutating func charge(at nanos: UInt64) -> HTTP2Protection? {
    if requests > 0 { controlRoom.earn(requests &* earnedPerRequest) }
    let (faults, controlFrames) = (self.faults, self.controlFrames)
    (self.faults, self.controlFrames, requests) = (0, 0, 0)
    guard faultRoom.take(faults, at: nanos) else { return .faults }
    return controlRoom.take(controlFrames, at: nanos) ? nil : .controlFrames
  }
}
