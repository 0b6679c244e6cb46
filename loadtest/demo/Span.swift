import Model

/// Who reports a span.
struct Resource: Hashable {
  var service: String
  var version: String
  var instance: Int
}

/// One span, with what a shop needs of OTLP.
struct Span {
  enum Kind: Int {
    case server = 2
    case client, producer, consumer
  }

  var resource: Resource
  var trace: TraceID
  var id: SpanID
  var parent: SpanID
  var name: String
  var kind: Kind
  var start: Nanos
  var end: Nanos
  var failed: Bool
  var attributes: [(key: String, value: String)]
}
