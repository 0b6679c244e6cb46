/// What a token allows.
public enum AccessScope: String, Sendable, CaseIterable {
  /// Sending spans, logs and flow logs.
  case ingest
  /// Asking: graph, gate, markers, metrics and all else that changes nothing.
  case query
  /// Announcing and deleting what changed.
  case markers
  /// What those do who run the gateway.
  case admin
}

/// Why a request is not allowed.
public enum AccessRefusal: String, Sendable, CaseIterable {
  /// It shows no token.
  case missing
  /// It shows one nobody here knows, or something else than a token.
  case unknown
  /// Its token is for something else.
  case scope

  /// What a challenge says about it; nothing where no token was shown.
  /// - Source: RFC 6750 section 3.1.
  var errorCode: String? {
    switch self {
    case .missing: nil
    case .unknown: "invalid_token"
    case .scope: "insufficient_scope"
    }
  }

  /// The value of `WWW-Authenticate`.
  public func challenge(_ needed: AccessScope) -> String {
    guard let errorCode else { return #"Bearer realm="spangate""# }
    let scope = self == .scope ? #", scope="\#(needed.rawValue)""# : ""
    return #"Bearer realm="spangate", error="\#(errorCode)"\#(scope)"#
  }

  /// What happened and what to do, for a person.
  public func message(_ needed: AccessScope) -> String {
    switch self {
    case .missing:
      "this needs a token with the scope \(needed.rawValue); send it as Authorization: Bearer TOKEN"
    case .unknown:
      "the token is not known here; it may have been taken back, or be one of another gateway"
    case .scope:
      "the token does not have the scope \(needed.rawValue), which this needs; use another one"
    }
  }
}
