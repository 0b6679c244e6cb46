import Model

/// The ports of a gateway, by their sections of the configuration.
enum ListenerName: String, Sendable, CaseIterable {
  case grpc = "receiver.grpc"
  case http = "receiver.http"
  case query

  /// As logs and metrics call it.
  var port: String {
    switch self {
    case .grpc: "grpc"
    case .http: "http"
    case .query: "query"
    }
  }

  /// Its section about TLS.
  var tlsSection: String { "\(rawValue).tls" }
}

extension Configuration {
  func address(of listener: ListenerName) -> ListenAddress {
    switch listener {
    case .grpc: receiver.grpc.address
    case .http: receiver.http.address
    case .query: query.address
    }
  }

  subscript(tls listener: ListenerName) -> TLSSection {
    get {
      switch listener {
      case .grpc: receiver.grpc.tls
      case .http: receiver.http.tls
      case .query: query.tls
      }
    }
    set {
      switch listener {
      case .grpc: receiver.grpc.tls = newValue
      case .http: receiver.http.tls = newValue
      case .query: query.tls = newValue
      }
    }
  }
}

extension ListenAddress {
  /// Whether nobody but this machine can reach it. A name is taken for one that others reach.
  var isLoopback: Bool {
    if host.lowercased() == "localhost" { return true }
    guard let address = IPAddress(host.utf8)?.text else { return false }
    return address == "::1" || address.hasPrefix("127.")
  }
}
