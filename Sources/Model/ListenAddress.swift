/// A place to listen at: a host name or an address, and a port (0 picks a free one).
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// Without the brackets an IPv6 address is written in. `127.0.0.1` keeps to this machine;
  /// `0.0.0.0` and `::` take every interface.
  public var host: String
  public var port: Int

  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// `host:port`, or `[address]:port` for IPv6.
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
