public import Access

/// What the receiver asks of those who send; nothing by itself.
public struct ReceiverSecurity: Sendable {
  /// The certificate of the port for OTLP/gRPC; nil where it is spoken in the clear.
  public var grpc: TLSCredentials?
  /// The same of the port for OTLP/HTTP.
  public var http: TLSCredentials?

  public init(grpc: TLSCredentials? = nil, http: TLSCredentials? = nil) {
    self.grpc = grpc
    self.http = http
  }

  /// What both ports speak, by the names of ALPN: either takes both protocols.
  public static let protocols = ["h2", "http/1.1"]
}
