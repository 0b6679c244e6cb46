import Model

/// A name that an attribute gives to the other side.
@safe struct PeerName {
  let text: UnsafeRawBufferPointer
  let isHost: Bool
}

/// Who a span's attributes say it called.
@safe struct PeerNode {
  let kind: NameKind
  let name: PeerName
  let namespace: UnsafeRawBufferPointer?

  init(kind: NameKind, name: PeerName, _ attributes: AttributeSlots) {
    self.kind = kind
    self.name = name
    unsafe namespace = attributes.namespace(beside: name.text)
  }
}

extension AttributeSlots {
  /// Any attribute of a database makes a call one to a database, because older instrumentations and those
  /// written by hand leave the system out.
  var isDatabase: Bool { hasAny(of: AttributeSlots.databaseKeys) }

  static let databaseKeys = AttributeKeySet(
    .databaseSystemName, .databaseSystem, .databaseType, .databaseNamespace, .databaseName,
    .databaseInstance, .cassandraKeyspace, .hbaseNamespace, .databaseCollection,
    .mongoDBCollection, .sqlTable, .databaseOperationName, .databaseOperation,
    .databaseQueryText, .databaseStatement, .databaseConnection)

  var isMessaging: Bool { hasAny(of: AttributeSlots.messagingKeys) }

  static let messagingKeys = AttributeKeySet(
    .messagingSystem, .messagingDestinationName, .messagingDestination, .messagingSourceName,
    .messageBusDestination, .sqsQueueURL, .snsTopicARN)

  /// The host that a call went to, whatever the peer is called.
  var peerHost: UnsafeRawBufferPointer? { unsafe name(PeerPrecedence.host)?.text }

  /// The namespace that stands beside the attribute that a name is out of: of the conventions' own name
  /// for the other side, and of the workload that called through a waypoint.
  func namespace(beside name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    if unsafe isText(.servicePeerName, name) { return unsafe self[.servicePeerNamespace].text }
    let isSource =
      unsafe isText(.istioSourceService, name) || isText(.istioSourceWorkload, name)
    return unsafe isSource ? said(.istioSourceNamespace) : nil
  }

  private func isText(_ key: AttributeKey, _ name: UnsafeRawBufferPointer) -> Bool {
    guard let text = unsafe self[key].text else { return false }
    return unsafe text.baseAddress == name.baseAddress
  }

  /// The upstream is the application the proxy stands in front of, by its name: Istio's inbound
  /// clusters, and what the published sidecar configurations call it.
  var isUpstreamOwnApplication: Bool {
    for key in [AttributeKey.upstreamClusterName, .upstreamCluster] {
      guard let name = unsafe self[key].text else { continue }
      for prefix: StaticString in ["inbound|", "InboundPassthrough", "local_app", "local_service"]
      where unsafe name.hasPrefix(prefix) {
        return true
      }
    }
    return false
  }

  /// A span of one of Envoy's listeners. Its `peer.address` is who called the listener; in the spans
  /// of its router, which have neither attribute, the same key is who was called.
  var isListener: Bool { has(.nodeID, or: .downstreamCluster) }
}

extension AttributeSlots {
  /// The first of the keys that holds anything.
  func first(_ keys: AttributeKey...) -> AttributeValue {
    for key in keys where has(key) { return self[key] }
    return .empty
  }

  /// The first of the keys that holds a whole number.
  func number(_ keys: AttributeKey...) -> Int64? {
    for key in keys where has(key) {
      if let number = self[key].number { return number }
    }
    return nil
  }

  /// The status of gRPC, as a number or by its name.
  var grpcStatus: Int64? {
    for key in [AttributeKey.rpcResponseStatusCode, .rpcGRPCStatusCode, .grpcStatusCode]
    where has(key) {
      if let number = self[key].number { return number }
      if let text = unsafe self[key].text, let code = unsafe GRPCStatusName.code(text) {
        return code
      }
    }
    return nil
  }

  /// Envoy says that the upstream failed or was not reached.
  var isFailureByFlags: Bool {
    guard let flags = unsafe self[.responseFlags].text else { return false }
    return unsafe EnvoyResponseFlags.nameFailure(flags)
  }

  /// `error.type` has a name of its own and does not repeat one of these codes.
  func namesError(besides http: Int64?, _ grpc: Int64?) -> Bool {
    guard let type = unsafe self[.errorType].text, unsafe !type.equals("_OTHER") else {
      return false
    }
    let number = unsafe self[.errorType].number ?? GRPCStatusName.code(type)
    return number == nil || number != http && number != grpc
  }
}
