/// Limits of one HTTP/2 connection.
public struct HTTP2Configuration: Sendable, Equatable {
  /// Streams a client may have open at once.
  public var concurrentStreamsMax = 256
  /// How many body bytes of one stream may be on the way before some are taken.
  public var streamWindowBytes = 1 << 20
  /// The same for all streams of the connection together.
  public var connectionWindowBytes = 8 << 20
  /// Names, values and 32 bytes for each header field of a request. The library announces the
  /// limit but does not enforce it.
  public var headerListBytesMax = 16 << 10
  /// CONTINUATION frames after one HEADERS frame (CVE-2024-28182).
  public var continuationsMax = 8
  /// Entries in one SETTINGS frame.
  public var settingsEntriesMax = 32
  /// Acknowledgements of SETTINGS and PING that may wait to be sent to a client that does not read.
  public var outboundAcknowledgementsMax = 200
  /// RST_STREAM frames a client may send at once, and how many more each second (CVE-2023-44487).
  /// The library's own 33 a second ends connections of clients that only reset what was answered.
  public var resetsBurst: UInt64 = 1000
  public var resetsPerSecond: UInt64 = 100
  /// Streams a client may make this side reset at once by breaking the protocol, and how many more
  /// each second (CVE-2025-8671, which the packaged library does not limit).
  public var faultsBurst = 200
  public var faultsPerSecond = 7
  /// Frames a client may send at once that ask for nothing, how many more each second, and how
  /// many each request allows beside it: clients send a WINDOW_UPDATE or two, and some a PING.
  public var controlFramesBurst = 1000
  public var controlFramesPerSecond = 33
  public var controlFramesPerRequest = 4
  /// Frames that may wait to be sent to a client that does not read.
  public var queuedFramesMax = 5000

  public init() {}
}
