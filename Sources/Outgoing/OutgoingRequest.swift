// The few things the gateway asks of others, each because somebody set it up. What to ask, when and
// of whom is decided by values that know no network; one function sends.

/// One request to somebody else.
public struct OutgoingRequest: Equatable, Sendable {
  public enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
  }

  public var method: Method
  /// In full, `https://…`.
  public var url: String
  public var headers: [String: String]
  public var body: String

  public init(
    _ method: Method, _ url: String, headers: [String: String] = [:], body: String = ""
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }
}

/// What came back.
public struct OutgoingReply: Equatable, Sendable {
  public var status: Int
  public var body: [UInt8]
  /// When to ask again, where it is said.
  public var retryAfterSeconds: Int?

  public init(status: Int, body: [UInt8] = [], retryAfterSeconds: Int? = nil) {
    self.status = status
    self.body = body
    self.retryAfterSeconds = retryAfterSeconds
  }

  public var isSuccess: Bool { (200...299).contains(status) }
}

/// Sends one request and waits for what comes back.
/// - Errors: whatever kept a whole reply from coming.
public typealias Sending = @Sendable (OutgoingRequest) async throws -> OutgoingReply

/// Whether machines are spoken to that only this network can reach: addresses of private networks,
/// of one link, and of this machine itself.
public enum PrivateAddresses: String, Sendable, CaseIterable {
  case refuse, allow
}

/// Why something was not sent, for a person.
public struct OutgoingRefusal: Error, Equatable, CustomStringConvertible {
  public var description: String

  init(_ description: String) { self.description = description }
}
