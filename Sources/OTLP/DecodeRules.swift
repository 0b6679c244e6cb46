/// What of a span's attributes means what, as far as users choose it.
public struct DecodeRules: Sendable, Equatable {
  public var ignoredCodes = IgnoredCodes()
  /// Attributes of spans that are asked before all others who is on the other side, in this order.
  public var peerAttributes: [String] = []
  /// Attributes of resources and spans by which requests are told apart, besides the cluster.
  public var dimensionAttributes: [String] = []
  /// What is secret in the texts of names.
  public var redaction = Redaction()

  /// How many attributes may be chosen to tell requests apart.
  public static let dimensionAttributesMax = 8
  /// How many attributes may be chosen to name the other side.
  public static let peerAttributesMax = 16
  /// Bytes of the key of an attribute that is chosen.
  public static let keyBytesMax = 128

  public init() {}
}

/// Response codes with which a request did not fail, whatever its span says.
public struct IgnoredCodes: Sendable, Equatable {
  public var http: [ClosedRange<Int>] = []
  public var grpc: Set<RPCCode> = []

  public init() {}

  public var isEmpty: Bool { http.isEmpty && grpc.isEmpty }

  /// Whether a code is in the lists and there is none of the other protocol that is a failure and in neither.
  func cover(
    http: Int64?, isFailure isFailureByHTTP: Bool, grpc: Int64?, isFailure isFailureByRPC: Bool
  ) -> Bool {
    let ignoresHTTP = http.map { contains(http: $0) } ?? false
    let ignoresRPC = grpc.map { contains(grpc: $0) } ?? false
    guard ignoresHTTP || ignoresRPC else { return false }
    return (ignoresHTTP || !isFailureByHTTP) && (ignoresRPC || !isFailureByRPC)
  }

  private func contains(http code: Int64) -> Bool {
    guard let code = Int(exactly: code) else { return false }
    return http.contains { $0.contains(code) }
  }

  private func contains(grpc code: Int64) -> Bool {
    Int(exactly: code).flatMap(RPCCode.init(rawValue:)).map(grpc.contains) ?? false
  }
}
