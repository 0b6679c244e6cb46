import Access
import Hummingbird
import Model

/// One thing the API can be asked.
struct Route: Sendable {
  var method: HTTPRequest.Method
  /// With `{name}` for segments that vary.
  var path: String
  var summary: String
  var parameters: [QueryParameter] = []
  /// Parameters that other routes take and this one cannot, each with the reason.
  var declined: [String: String] = [:]
  /// The types of its answers; the first is the usual one.
  var answers: [AnswerType]
  /// The schema of its JSON answer, by its name in the OpenAPI document.
  var schema: String?
  /// The JSON answer is a list of what `schema` describes.
  var answersList = false
  /// The schema of the body it takes; nil for a route that needs none.
  var body: String?
  var bodyType = AnswerType.json
  /// How large that body may be.
  var bodyLimit: any KeyPath<QueryConfiguration, Int> & Sendable = \.bodyBytesMax
  /// Room for the body is reserved before it is read: it may be large.
  var reservesBody = false
  /// What a token has to allow, where tokens are known; nil for what everybody may ask.
  var needs: AccessScope? = .query
  /// Whether its messages are checked in another way, so that they need no token.
  var isSigned: @Sendable (_ segments: [String: String], QueryConfiguration) -> Bool = { _, _ in
    false
  }
  /// The statuses of its answers when all is well; the first is the usual one.
  var successes: [(status: Int, summary: String)] = [(200, "Success.")]
  var handle: @Sendable (Call) async throws -> Answer

  /// Under the API's own prefix unknown parameters are errors; elsewhere other tools ask, with
  /// parameters of their own.
  var isStrict: Bool {
    path.hasPrefix("/api/v1/") && !Route.prefixesOfOthers.contains { path.hasPrefix($0) }
  }

  /// Where other tools speak in their own shapes.
  private static let prefixesOfOthers = [
    WebhookRoutes.prefix, FlaggerRoutes.prefix, KayentaRoutes.prefix,
  ]

  /// What is asked about spans is not answered before the gateway is ready.
  var needsReadiness: Bool { path.hasPrefix("/api/") }

  /// The values of the segments in braces, decoded; nil when the path is another.
  func match(_ segments: [Substring]) -> [String: String]? {
    let pattern = path.split(separator: "/", omittingEmptySubsequences: false)
    guard pattern.count == segments.count else { return nil }
    var values: [String: String] = [:]
    for (wanted, segment) in zip(pattern, segments) {
      if wanted.first == "{" {
        guard !segment.isEmpty, let value = PercentEncoding.decode(segment.utf8) else { return nil }
        values[String(wanted.dropFirst().dropLast())] = value
      } else if wanted != segment {
        return nil
      }
    }
    return values
  }
}

/// What a route is handed.
struct Call: Sendable {
  var backend: any QueryBackend
  var configuration: QueryConfiguration
  var tenant: TenantID
  var segments: [String: String]
  var parameters: ParameterReader
  /// By lower-case names; one that came several times has all its values, divided by commas.
  var headers: [String: String] = [:]
  /// Empty for a route that needs none.
  var body: [UInt8] = []

  /// What the asking side says it can read; empty when it says nothing.
  var accept: String { headers["accept", default: ""] }
  var contentEncoding: String? { headers["content-encoding"] }
}

/// What a route answers.
struct Answer: Sendable {
  var type: AnswerType
  var body: [UInt8]
  var status = 200

  init(_ type: AnswerType, _ body: [UInt8], status: Int = 200) {
    self.type = type
    self.body = body
    self.status = status
  }

  init(_ type: AnswerType, _ text: String) { self.init(type, Array(text.utf8)) }
}

/// The types of answers there are.
enum AnswerType: String, Sendable {
  case json = "application/json"
  case problem = "application/problem+json"
  case text = "text/plain; charset=utf-8"
  case dot = "text/vnd.graphviz; charset=utf-8"
  case mermaid = "text/vnd.mermaid; charset=utf-8"
  case markdown = "text/markdown; charset=utf-8"
  case graphML = "application/graphml+xml"
  case metrics = "text/plain; version=0.0.4; charset=utf-8"
  case openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
}

extension AnswerType {
  /// Without parameters.
  var mediaType: String { String(rawValue.prefix { $0 != ";" }) }
}

/// One parameter of a route: what the OpenAPI document says of it.
struct QueryParameter: Sendable {
  enum Shape: Sendable {
    case text
    case time
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case choice([String])
  }

  var name: String
  var shape: Shape
  var summary: String
  var isRequired = false
}
