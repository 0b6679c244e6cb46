public import HTTP2
public import Model
public import OTLP

/// Where the receiver listens, with the ports that were picked.
public struct BoundAddresses: Sendable, Equatable {
  public var grpc: ListenAddress
  public var http: ListenAddress

  public init(grpc: ListenAddress, http: ListenAddress) {
    self.grpc = grpc
    self.http = http
  }
}

/// How the receiver listens and what it allows. Each field has a default that works.
public struct ReceiverConfiguration: Sendable, Equatable {
  /// Where OTLP/gRPC is expected. Each listener serves both protocols.
  public var grpcAddress = ListenAddress(host: "127.0.0.1", port: 4317)
  /// Where OTLP/HTTP is expected.
  public var httpAddress = ListenAddress(host: "127.0.0.1", port: 4318)
  /// The path OTLP/HTTP posts to. `/` is taken too, with an OTLP content type: exporters whose
  /// endpoint was set for traces alone use it as it is.
  public var tracesPath = "/v1/traces"
  /// The path OTLP/HTTP posts logs to.
  public var logsPath = "/v1/logs"
  /// Limits of one request, its size after decompression among them.
  public var decodeLimits = DecodeLimits()
  /// What of a span's attributes means what.
  public var decodeRules = DecodeRules()
  /// Limits of one HTTP/2 connection.
  public var http2 = HTTP2Configuration()

  /// Connections open at once; one more is closed as soon as it comes.
  public var connectionsMax = 16_384
  /// Fields of an HTTP/1.1 request head, together.
  public var headBytesMax = 16 << 10
  /// A new connection must bring its first complete head within this time.
  public var headTimeoutNanos: Nanos = .minute
  /// Within each such time a body must make progress (`bodyProgressBytesMin`) or be complete.
  public var bodyTimeoutNanos: Nanos = .minute
  /// What counts as progress: a byte now and then does not.
  public var bodyProgressBytesMin = 64 << 10
  /// How long an HTTP/1.1 connection may wait for its next request.
  public var idleTimeoutNanos: Nanos = .minute
  /// How long an HTTP/2 connection may stand without a stream.
  public var http2IdleTimeoutNanos: Nanos = 10 * .minute
  /// How long a client may leave answers unread.
  public var writeTimeoutNanos: Nanos = 30 * .second

  /// Protobuf bodies up to this size are decoded on the event loop, larger ones and JSON by workers.
  public var loopDecodeBytesMax = 256 << 10
  /// Threads that decode what is too large for an event loop.
  public var workerThreads = 2
  /// Bodies that may wait for a worker; more are refused as overload.
  public var workerQueueMax = 256
  /// Answers shorter than this are never compressed.
  public var compressedAnswerBytesMin = 200
  /// Which web pages may send; none unless told.
  public var crossOrigin = CrossOriginPolicy()

  public init() {}
}
