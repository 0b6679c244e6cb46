public import Access

/// What the receiver asks of those who send; nothing by itself.
public struct ReceiverSecurity: Sendable {
  /// The certificate of the port for OTLP/gRPC; nil where it is spoken in the clear.
  public var grpc: TLSCredentials?
  /// The same of the port for OTLP/HTTP.
  public var http: TLSCredentials?
  /// Who may send; nil where everybody may.
  public var tokens: AccessTokens?

  public init(
    grpc: TLSCredentials? = nil, http: TLSCredentials? = nil, tokens: AccessTokens? = nil
  ) {
    self.grpc = grpc
    self.http = http
    self.tokens = tokens
  }

  /// What both ports speak, by the names of ALPN: either takes both protocols.
  public static let protocols = ["h2", "http/1.1"]
}
