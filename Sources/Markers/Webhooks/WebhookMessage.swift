public import Model

/// What a source sent.
public struct WebhookMessage: Sendable {
  /// By lower-case names.
  public var headers: [String: String]
  public var body: JSONValue
  /// When it came, Unix nanoseconds.
  public var received: Nanos
  public var address = WebhookAddress()

  public init(
    headers: [String: String] = [:], body: JSONValue, received: Nanos,
    address: WebhookAddress = WebhookAddress()
  ) {
    self.headers = headers
    self.body = body
    self.received = received
    self.address = address
  }

  /// Empty where there is none.
  func header(_ name: String) -> String { headers[name] ?? "" }
}

/// What the address a source posts to says: it counts more than what the message says.
public struct WebhookAddress: Equatable, Sendable {
  public var service: String?
  /// Empty for none.
  public var namespace: String?
  public var environment: String?
  /// Of sources that tell of all kinds of work: what the name of a deployment contains.
  public var match: String?

  public init(
    service: String? = nil, namespace: String? = nil, environment: String? = nil,
    match: String? = nil
  ) {
    self.service = service
    self.namespace = namespace
    self.environment = environment
    self.match = match
  }
}

/// What one message, or one event of several in it, means.
enum WebhookFinding {
  case change(MarkerDraft)
  /// It is no change; why, for a person.
  case ignored(String)
  /// It should be one and cannot be read.
  case problem(MarkerProblem)
}

/// A change as a source tells of it.
struct MarkerDraft {
  var kind = MarkerKind.deployment
  /// Empty when the source does not say.
  var service = ""
  var namespace = ""
  var environment = ""
  /// When it began; what the source wrote, and when nothing can be read from it the time it came.
  var time = JSONValue.null
  /// When it was over, for what is.
  var endTime = JSONValue.null
  var state: MarkerState?
  var version = ""
  var previousVersion = ""
  var scaling: Marker.Scaling?
  /// The source's own name for the change: the same for all that is told of it.
  var key: String?
  var url = ""
  /// Empty texts are left out.
  var attributes: [String: JSONValue] = [:]
}

/// What became of a message.
public struct WebhookReading: Equatable, Sendable {
  public var markers: [Marker] = []
  /// Why something in it is no change; each reason once.
  public var ignored: [String] = []
  public var problems: [MarkerProblem] = []

  public init() {}
}
