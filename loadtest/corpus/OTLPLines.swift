internal import Model

/// Writes simulated traces as OTLP/JSON, a request a line.
/// - Source: opentelemetry-proto 1.x, `ExportTraceServiceRequest` in its JSON encoding: ids in
///   hexadecimal, 64-bit numbers as text.
public struct OTLPLines: Sendable {
  private let names: [NameID: Name]

  public init(names: SimulatedNames) { self.names = names.all }

  /// One request with the spans of a trace, by the process that sent them.
  public func line(_ trace: SimulatedTrace) -> String {
    var processes: [(resource: String, spans: [String])] = []
    var places: [String: Int] = [:]
    for span in trace.spans {
      let resource = resource(of: span)
      let place = places[resource] ?? processes.count
      if place == processes.count {
        places[resource] = place
        processes.append((resource, []))
      }
      processes[place].spans.append(json(span, trace.id))
    }
    let resources = processes.map {
      #"{"resource":{"attributes":[\#($0.resource)]},"scopeSpans":[{"spans":["#
        + $0.spans.joined(separator: ",") + "]}]}"
    }
    return #"{"resourceSpans":["# + resources.joined(separator: ",") + "]}"
  }

  private func resource(of span: SpanRecord) -> String {
    let service = names[span.service].map { NodeIdentity(text: $0.text) }
    let instance = names[span.instance].map { InstanceIdentity(text: $0.text) }
    return [
      ("service.name", service?.name ?? ""), ("service.version", names[span.version]?.text ?? ""),
      ("service.instance.id", instance?.instance ?? ""), ("k8s.pod.ip", instance?.address ?? ""),
    ].map(OTLPLines.attribute).joined(separator: ",")
  }

  private func json(_ span: SpanRecord, _ trace: TraceID) -> String {
    let parent = span.parent.isZero ? "" : #""parentSpanId":"\#(span.parent)","#
    let status = span.isError ? #","status":{"code":2}"# : ""
    let operation = names[span.operation]?.text ?? span.kind.text
    return #"{"traceId":"\#(trace)","spanId":"\#(span.id)",\#(parent)"name":"\#(operation)","#
      + #""kind":\#(span.kind.rawValue),"startTimeUnixNano":"\#(span.start)","#
      + #""endTimeUnixNano":"\#(span.end)","attributes":[\#(attributes(of: span))]\#(status)}"#
  }

  private func attributes(of span: SpanRecord) -> String {
    var attributes: [(String, String)] = []
    let peer = names[span.peer].map { NodeIdentity(text: $0.text).name } ?? ""
    if span.traits.contains(.database) {
      attributes += [("db.system.name", "postgresql"), ("server.address", peer)]
    } else if span.traits.contains(.messaging) {
      attributes += [("messaging.system", "kafka"), ("messaging.destination.name", peer)]
    } else if !peer.isEmpty {
      attributes.append(("service.peer.name", peer))
    }
    if let address = names[span.peerAddress]?.text {
      attributes.append(("network.peer.address", address))
    }
    return attributes.map(OTLPLines.attribute).joined(separator: ",")
  }

  /// Nothing in a simulated system has a name that JSON would have to escape.
  private static func attribute(_ key: String, _ value: String) -> String {
    #"{"key":"\#(key)","value":{"stringValue":"\#(value)"}}"#
  }
}

extension SpanKind {
  fileprivate var text: String { "\(self)" }
}
