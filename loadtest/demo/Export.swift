import Foundation
import Model

/// Collects traces into requests of at most `spansMax` spans, one JSON document a line.
struct Export {
  static let spansMax = 500

  private let write: (Data) -> Void
  private var groups: [Resource: [String]] = [:]
  private var count = 0

  init(write: @escaping (Data) -> Void) { self.write = write }

  /// Takes a trace; one is never cut.
  mutating func add(_ trace: [Span]) {
    if count + trace.count > Export.spansMax { finish() }
    for span in trace { groups[span.resource, default: []].append(Export.json(span)) }
    count += trace.count
  }

  /// Writes what was collected since the last line.
  mutating func finish() {
    guard count > 0 else { return }
    // Dictionaries have no order of their own.
    let resources = groups.sorted { Export.name($0.key) < Export.name($1.key) }.map {
      #"{"resource":{"attributes":[\#(Export.attributes(of: $0.key))]},"scopeSpans":[{"spans":["#
        + $0.value.joined(separator: ",") + "]}]}"
    }
    write(Data((#"{"resourceSpans":["# + resources.joined(separator: ",") + "]}\n").utf8))
    groups.removeAll(keepingCapacity: true)
    count = 0
  }

  private static func name(_ resource: Resource) -> String {
    "\(resource.service)-\(resource.version)-\(resource.instance)"
  }

  private static func attributes(of resource: Resource) -> String {
    [
      ("service.name", resource.service), ("service.namespace", "shop"),
      ("service.version", resource.version), ("service.instance.id", name(resource)),
      ("deployment.environment.name", "demo"),
    ].map(attribute).joined(separator: ",")
  }

  /// Nothing in the shop has a name that JSON would have to escape.
  private static func attribute(_ key: String, _ value: String) -> String {
    #"{"key":"\#(key)","value":{"stringValue":"\#(value)"}}"#
  }

  private static func json(_ span: Span) -> String {
    let parent = span.parent.isZero ? "" : #""parentSpanId":"\#(span.parent)","#
    let status = span.failed ? #","status":{"code":2}"# : ""
    let attributes = span.attributes.map(attribute).joined(separator: ",")
    return #"{"traceId":"\#(span.trace)","spanId":"\#(span.id)",\#(parent)"name":"\#(span.name)","#
      + #""kind":\#(span.kind.rawValue),"startTimeUnixNano":"\#(span.start)","#
      + #""endTimeUnixNano":"\#(span.end)","attributes":[\#(attributes)]\#(status)}"#
  }
}
