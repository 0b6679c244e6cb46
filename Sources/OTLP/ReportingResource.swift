import Model

/// Who reports the spans that follow, as far as reading a span asks.
struct ReportingResource {
  var service: NameID = .none
  var version: NameID = .none
  var instance: NameID = .none
  /// Which of the names above are summed under overflow.
  var overflow: SpanTraits = []
  /// The environment's part of a node's text, cleaned.
  var environment: [UInt8] = []
  /// The process is a proxy, whatever its spans say.
  var isProxy = false
  /// The addresses the sender says it has itself.
  var ownAddresses: [[UInt8]] = []

  /// The batch lists the names above already.
  var isListed = false

  init() {}

  /// All but the names, which the builder interns.
  init(_ attributes: AttributeSlots) {
    isProxy = unsafe attributes[.serviceName].text?.equals("linkerd-proxy") ?? false
    for key in [AttributeKey.hostIP, .podIP] {
      if let text = unsafe attributes[key].firstText { unsafe ownAddresses.append(Array(text)) }
    }
  }
}
