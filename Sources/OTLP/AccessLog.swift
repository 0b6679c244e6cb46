import Model

/// What a record of an access log says: who was on the other side, and how it went.
/// - Source: Envoy documentation, "Access logging" (command operators) and "OpenTelemetry Access
///   Log"; the names Istio gives them in JSON (`pilot/pkg/model/log.go`); OpenTelemetry semantic
///   conventions for HTTP.
@safe struct AccessLog {
  /// Recorded at the end that was called; otherwise at the end that called.
  let isInbound: Bool
  /// Who was at the other end; nil where nothing says.
  private(set) var other: PeerNode?
  /// Where the other end is, where it is called by something else.
  private(set) var otherAddress: UnsafeRawBufferPointer?
  /// Where the reporter is, as far as the record tells.
  private(set) var localAddress: UnsafeRawBufferPointer?
  let isFailure: Bool
  /// In both directions.
  let bytes: UInt64

  /// - Parameters:
  ///   - workload: whom a waypoint's record speaks for.
  ///   - ignored: codes with which nothing failed.
  init(
    _ attributes: AttributeSlots, resource: ReportingResource, workload: MeshWorkload? = nil,
    ignored: IgnoredCodes = IgnoredCodes()
  ) {
    isInbound = AccessLog.isInbound(attributes, resource, workload)
    isFailure = AccessLog.isFailure(attributes, ignored)
    bytes = [.bytesReceived, .bytesSent, .requestBodySize, .responseBodySize].reduce(0) {
      $0.saturatingAdding(UInt64(clamping: max(0, attributes[$1].number ?? 0)))
    }
    let names = isInbound ? PeerPrecedence.accessLogClient : PeerPrecedence.accessLogServer
    guard let name = attributes.name(names) else { return }
    other = PeerNode(kind: isInbound ? .client : .external, name: name, attributes)
    let address = attributes.name(
      isInbound
        ? PeerPrecedence.accessLogClientAddress : PeerPrecedence.accessLogServerAddress)
    if let address, unsafe !address.text.equals(Array(name.text)) {
      unsafe otherAddress = unsafe address.text
    }
    let local = attributes[isInbound ? .downstreamLocalAddress : .upstreamLocalAddress]
    if let text = unsafe local.text, unsafe !NetworkAddress.isLocal(text, own: []) {
      unsafe localAddress = NetworkAddress.host(of: text)
    }
  }

  /// Whether a log record is one of an access log: Envoy's outcome of a request, or an outcome in the
  /// words of the semantic conventions beside somebody to whom it happened.
  static func isRecord(_ attributes: AttributeSlots) -> Bool {
    if attributes.has(.responseCode, or: .responseFlags) { return true }
    let hasOutcome =
      attributes.has(.httpResponseStatusCode, or: .httpStatusCode)
      || attributes.has(.bytesReceived, or: .bytesSent)
    guard hasOutcome else { return false }
    return attributes.name(PeerPrecedence.accessLogServer) != nil
      || attributes.name(PeerPrecedence.accessLogClient) != nil
  }

  /// How long the request took, from `duration` in milliseconds; nil where it does not say.
  static func durationNanos(_ attributes: AttributeSlots) -> Nanos? {
    switch attributes[.duration] {
    case .int(let value): return nanos(milliseconds: Double(value))
    case .double(let value): return nanos(milliseconds: value)
    case .string(let text):
      guard text.count <= durationBytesMax else { return nil }
      return unsafe Double(String(decoding: text.trimmed, as: UTF8.self)).flatMap {
        nanos(milliseconds: $0)
      }
    default: return nil
    }
  }

  private static let durationBytesMax = 32
  /// Longer than this no request takes, whatever a sender claims.
  private static let durationNanosMax = Double(Nanos.day)

  private static func nanos(milliseconds: Double) -> Nanos? {
    let nanos = milliseconds * Double(Nanos.millisecond)
    guard nanos >= 0, nanos <= durationNanosMax else { return nil }
    return Nanos(nanos)
  }

  // MARK: Direction

  private static func isInbound(
    _ attributes: AttributeSlots, _ resource: ReportingResource, _ workload: MeshWorkload?
  ) -> Bool {
    if let workload { return workload.isServed }
    if let direction = unsafe attributes[.trafficDirection].text {
      if unsafe direction.equalsIgnoringCase("INBOUND") { return true }
      if unsafe direction.equalsIgnoringCase("OUTBOUND") { return false }
    }
    if attributes.isUpstreamOwnApplication { return true }
    let hasUpstream =
      attributes.has(.upstreamCluster, or: .upstreamClusterName)
      || attributes.has(.upstreamHost, or: .upstreamAddress)
    if hasUpstream { return false }
    // Nobody was asked further: the proxy answered by itself. What comes from its own workload was on
    // the way out.
    if let caller = unsafe attributes[.downstreamRemoteAddress].text {
      return unsafe !NetworkAddress.isLocal(caller, own: resource.ownAddresses)
        && (resource.meshAddress.isEmpty
          || !NetworkAddress.isSame(NetworkAddress.host(of: caller), resource.meshAddress))
    }
    return attributes.has(.clientAddress)
  }

  // MARK: Failure

  /// By the rules for spans of proxies: a code below 500 is an answer, and the server's; with a code in
  /// the list nothing failed, unless something else than the code says so.
  private static func isFailure(_ attributes: AttributeSlots, _ ignored: IgnoredCodes) -> Bool {
    if attributes.isFailureByFlags { return true }
    let http = attributes.number(.responseCode, .httpResponseStatusCode, .httpStatusCode)
    let grpc = attributes.grpcStatus
    let isFailureByHTTP = http.map { $0 >= 500 } ?? false
    let isFailureByRPC = grpc.map { SemanticConventions.serverFailures.contains($0) } ?? false
    if !ignored.isEmpty,
      ignored.cover(http: http, isFailure: isFailureByHTTP, grpc: grpc, isFailure: isFailureByRPC)
    {
      return attributes.namesError(besides: http, grpc)
    }
    return isFailureByHTTP || isFailureByRPC || attributes[.error].isTrue
      || attributes.has(.errorType)
  }
}

extension AttributeSlots {
  /// Of a resource that names no service, the name of the proxy's cluster (`--service-cluster`) is it.
  mutating func nameByProxy() {
    let name = self[.serviceName]
    let isUnknown = unsafe name.text?.hasPrefix("unknown_service") ?? true
    if isUnknown, unsafe self[.proxyCluster].text != nil { set(.serviceName, self[.proxyCluster]) }
  }
}
