import Access
import Graph

/// A refusal, as users read it.
/// - Source: RFC 9457, `application/problem+json`.
public struct QueryProblem: Error, Sendable, Equatable {
  /// What kind of refusal: the one table of status codes of this module.
  public enum Kind: String, Sendable, CaseIterable {
    case invalidRequest = "invalid-request"
    case ambiguousService = "ambiguous-service"
    case unknownService = "unknown-service"
    case unknownVersion = "unknown-version"
    case unknownMarker = "unknown-marker"
    case unknownVerdict = "unknown-verdict"
    case unknownTrace = "unknown-trace"
    case unknownPath = "unknown-path"
    case badSignature = "bad-signature"
    case missingToken = "missing-token"
    case unknownToken = "unknown-token"
    case missingScope = "missing-scope"
    case methodNotAllowed = "method-not-allowed"
    case bodyTooLarge = "body-too-large"
    case queryTooLong = "query-too-long"
    case notReady = "not-ready"
    case internalError = "internal-error"

    public var status: Int {
      switch self {
      case .invalidRequest, .ambiguousService: 400
      case .unknownService, .unknownVersion, .unknownMarker, .unknownVerdict, .unknownTrace,
        .unknownPath:
        404
      case .badSignature, .missingToken, .unknownToken: 401
      case .missingScope: 403
      case .methodNotAllowed: 405
      case .bodyTooLarge: 413
      case .queryTooLong: 414
      case .notReady: 503
      case .internalError: 500
      }
    }

    public var title: String {
      switch self {
      case .invalidRequest: "The request cannot be understood"
      case .ambiguousService: "The name stands for several services"
      case .unknownService: "No such service in the range"
      case .unknownVersion: "No such version in the range"
      case .unknownMarker: "No such marker"
      case .unknownVerdict: "No such verdict"
      case .unknownTrace: "The trace is not kept"
      case .unknownPath: "There is nothing at this path"
      case .badSignature: "The signature is missing or wrong"
      case .missingToken: "A token is needed"
      case .unknownToken: "The token is not known"
      case .missingScope: "The token does not allow this"
      case .methodNotAllowed: "The path does not take this method"
      case .bodyTooLarge: "The body is too large"
      case .queryTooLong: "The query is too long"
      case .notReady: "Not ready"
      case .internalError: "The gateway could not answer"
      }
    }
  }

  /// What is wrong with one parameter, or one field of the body.
  public struct FieldError: Sendable, Equatable {
    public var field: String
    public var message: String

    public init(_ field: String, _ message: String) {
      self.field = field
      self.message = message
    }
  }

  public var kind: Kind
  /// What happened and what to do.
  public var detail: String
  public var errors: [FieldError]
  /// For `methodNotAllowed`: what the path does take.
  public var allowedMethods: [String] = []
  /// For refused tokens: the value of `WWW-Authenticate`.
  var challenge: String?
  /// For `notReady`: when to ask again.
  public var retryAfterSeconds: Int?

  public init(_ kind: Kind, _ detail: String, errors: [FieldError] = []) {
    self.kind = kind
    self.detail = detail
    self.errors = errors
  }

  public static func notReady(_ reason: String) -> QueryProblem {
    var problem = QueryProblem(
      .notReady, "The gateway is not ready yet: \(reason). Ask again in a moment.")
    problem.retryAfterSeconds = 1
    return problem
  }

  /// Not for this client.
  static func notAllowed(_ refusal: AccessRefusal, needed: AccessScope) -> QueryProblem {
    let kind: Kind =
      switch refusal {
      case .missing: .missingToken
      case .unknown: .unknownToken
      case .scope: .missingScope
      }
    var problem = QueryProblem(kind, refusal.message(needed).capitalizedSentence)
    problem.challenge = refusal.challenge(needed)
    return problem
  }

  /// The question is fine and cannot be answered just now.
  public static func overloaded(_ detail: String) -> QueryProblem {
    var problem = QueryProblem(.notReady, detail)
    problem.retryAfterSeconds = 5
    return problem
  }

  /// - Parameters: the names of the parameters that name the service and the version.
  init(_ error: GraphError, service: String = "service", version: String = "version") {
    let kind: Kind =
      switch error {
      case .ambiguous, .ambiguousEnvironment: .ambiguousService
      case .unknownService, .unknownOperation, .noEntryPoint: .unknownService
      case .unknownVersion: .unknownVersion
      }
    let field =
      switch error {
      case .ambiguousEnvironment: "environment"
      case .unknownVersion: version
      case .unknownOperation: "operation"
      case .ambiguous, .unknownService, .noEntryPoint: service
      }
    self.init(kind, error.message, errors: [FieldError(field, error.message)])
  }

  /// The problem document.
  var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.member("type", "urn:spangate:problem:\(kind.rawValue)")
      json.member("title", kind.title)
      json.member("status", kind.status)
      json.member("detail", detail)
      guard !errors.isEmpty else { return }
      json.key("errors")
      json.array(errors) { json, error in
        json.object {
          $0.member("field", error.field)
          $0.member("message", error.message)
        }
      }
    }
    return json
  }
}

extension String {
  /// As a sentence of its own.
  fileprivate var capitalizedSentence: String { prefix(1).uppercased() + dropFirst() + "." }
}
