import Model

/// What the attributes and the status of one span mean, in the old and the stable names alike.
/// - Source: OpenTelemetry semantic conventions (HTTP, RPC, database, messaging); Envoy access log
///   documentation, "%RESPONSE_FLAGS%"; and what Envoy, Linkerd, NGINX, Kong and Traefik send.
@safe struct SemanticConventions {
  private(set) var traits: SpanTraits = []
  private(set) var peer: PeerNode?
  /// The host a failed call went to.
  private(set) var peerHost: UnsafeRawBufferPointer?

  private let attributes: AttributeSlots
  private let kind: SpanKind

  /// - Parameters:
  ///   - workload: whom a waypoint's span speaks for.
  ///   - chosenPeer: what an attribute users chose says of the other side.
  ///   - ignored: codes with which nothing failed.
  init(
    attributes: AttributeSlots, span: SpanFields, resource: ReportingResource,
    workload: MeshWorkload? = nil, chosenPeer: UnsafeRawBufferPointer? = nil,
    ignored: IgnoredCodes = IgnoredCodes()
  ) {
    self.attributes = attributes
    kind = span.kind
    if resource.isProxy || workload != nil || isFromProxy {
      traits.insert(.proxy)
      if unsafe span.name.equals("egress") || span.name.hasPrefix("egress ") {
        traits.insert(.outboundProxy)
      }
    }
    if workload?.isServed == false { traits.insert(.outboundProxy) }
    if isFailure(status: span.status, ignored) { traits.insert(.error) }
    let leadsToServed = workload?.isServed == true && kind.isExit
    if leadsToServed || attributes.isUpstreamOwnApplication {
      traits.insert(.upstreamIsOwnApplication)
    }
    if peerIsLocal(resource) { traits.insert(.peerIsLocalHost) }
    findPeer(span, unsafe chosenPeer.map { unsafe PeerName(text: $0, isHost: false) })
    if traits.contains(.error), isCall, peer != nil {
      unsafe peerHost = attributes.peerHost
    }
  }

  /// Envoy's spans say `component: proxy`; some builds leave it out but name their upstream and
  /// give response flags.
  private var isFromProxy: Bool {
    if let component = unsafe attributes[.component].text, unsafe component.equals("proxy") {
      return true
    }
    guard attributes.has(.responseFlags) else { return false }
    return attributes.has(.upstreamCluster, or: .upstreamClusterName) || attributes.has(.nodeID)
  }

  // MARK: Failure

  private func isFailure(status: Int64, _ ignored: IgnoredCodes) -> Bool {
    if status == 1 { return false }
    if !ignored.isEmpty, hasCode(in: ignored) { return isFailureBesidesCodes(status: status) }
    return status == 2 || isFailureByAttributes
  }

  /// The span's code is in the list, and it has none of another protocol that is a failure by itself.
  private func hasCode(in ignored: IgnoredCodes) -> Bool {
    ignored.cover(
      http: httpCode, isFailure: isFailureByHTTP, grpc: rpcCode, isFailure: isFailureByRPC)
  }

  /// Something says that the span failed and is not its code once more: that the upstream was not
  /// reached, or an error with a name of its own. The status and `error` say no more than the code.
  private func isFailureBesidesCodes(status: Int64) -> Bool {
    if isFailureByFlags { return true }
    guard status == 2 || kind == .client || kind == .server else { return false }
    return attributes.namesError(besides: httpCode, rpcCode)
  }

  private var httpCode: Int64? { attributes.number(.httpResponseStatusCode, .httpStatusCode) }

  private var rpcCode: Int64? { attributes.grpcStatus }

  private var isFailureByFlags: Bool { attributes.isFailureByFlags }

  private var isFailureByAttributes: Bool {
    if attributes[.error].isTrue || isFailureByHTTP || isFailureByRPC || isFailureByFlags {
      return true
    }
    return attributes.has(.errorType) && (kind == .client || kind == .server)
  }

  /// A proxy's client span with 404 is a call that worked: only the application can say whether it
  /// wanted that answer.
  private var isFailureByHTTP: Bool {
    guard let code = httpCode else { return false }
    return code >= 500 || code >= 400 && kind == .client && !traits.contains(.proxy)
  }

  private var isFailureByRPC: Bool {
    guard let code = rpcCode else { return false }
    if kind.isExit && !traits.contains(.proxy) { return code != 0 }
    return SemanticConventions.serverFailures.contains(code)
  }

  /// UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS: the server's
  /// doing. The others answer the client's mistake.
  /// - Source: semantic conventions for gRPC, "grpc-status" of server spans.
  static let serverFailures: Set<Int64> = [2, 4, 12, 13, 14, 15]

  // MARK: The other side

  /// The span is about a call to somebody else: by its kind, or because it is a proxy's listener for
  /// what its workload sends out, which Envoy may report as kind SERVER.
  private var isCall: Bool { kind.isExit || traits.contains(.outboundProxy) }

  /// The upstream's address is the other side's in every span; the rest name the other side only
  /// in spans of who calls (in a server's span they name the caller, or itself).
  private func peerIsLocal(_ resource: ReportingResource) -> Bool {
    if isLocal(.upstreamAddress, resource) { return true }
    guard kind.isExit else { return false }
    for key in SemanticConventions.peerAddresses where isLocal(key, resource) { return true }
    return !attributes.isListener && isLocal(.peerAddress, resource)
  }

  private func isLocal(_ key: AttributeKey, _ resource: ReportingResource) -> Bool {
    guard let text = unsafe attributes[key].text else { return false }
    return unsafe NetworkAddress.isLocal(text, own: resource.ownAddresses)
      || !resource.meshAddress.isEmpty
        && NetworkAddress.isSame(NetworkAddress.host(of: text), resource.meshAddress)
  }

  private static let peerAddresses: [AttributeKey] = [
    .networkPeerAddress, .serverAddress, .netPeerName, .netPeerIP, .serverSocketAddress,
    .netSockPeerAddress,
  ]

  /// Whether the span's links are messages: only spans that take some have one for each.
  var countsLinks: Bool { kind == .consumer || traits.contains(.receives) }

  /// - Parameter chosen: what goes before the precedence of attributes.
  private mutating func findPeer(_ span: SpanFields, _ chosen: PeerName?) {
    let isNamedQueue = chosen != nil && (kind == .producer || kind == .consumer)
    if isCall, attributes.isDatabase {
      traits.insert(.database)
      setPeer(.database, chosen ?? attributes.name(PeerPrecedence.database))
    } else if isCall || kind == .consumer, attributes.isMessaging || isNamedQueue {
      traits.insert(.messaging)
      findQueue(chosen)
    } else if isCall, !traits.contains(.upstreamIsOwnApplication) {
      setPeer(.external, chosen ?? attributes.name(PeerPrecedence.external))
    } else if kind == .server, span.isRoot {
      setPeer(.client, attributes.name(PeerPrecedence.client))
      if peer != nil { traits.insert(.namesCaller) }
    }
  }

  /// The queue messages are sent to or taken from.
  private mutating func findQueue(_ chosen: PeerName?) {
    let operation =
      unsafe attributes[.messagingOperationType].text
      ?? attributes[.messagingOperation].text
    if let operation = unsafe operation {
      let mayReceive = kind == .client || kind == .consumer
      if unsafe mayReceive && operation.equals("receive") { traits.insert(.receives) }
      if unsafe kind == .client && operation.equals("settle") { traits.insert(.settles) }
      if unsafe kind == .producer && operation.equals("create") { traits.insert(.creates) }
    }
    let takes = kind == .consumer || traits.contains(.receives)
    let queue =
      chosen ?? (takes ? attributes.name(PeerPrecedence.queueSentTo) : nil)
      ?? attributes.name(PeerPrecedence.queue)
    if let queue {
      traits.insert(.namesQueue)
      setPeer(.messaging, queue)
    } else if !takes {
      setPeer(.messaging, attributes.name(PeerPrecedence.broker))
    }
  }

  private mutating func setPeer(_ kind: NameKind, _ name: PeerName?) {
    guard let name else { return }
    peer = PeerNode(kind: kind, name: name, attributes)
  }
}
