import Model

/// Who a span's attributes say it called.
@safe struct PeerNode {
  var kind: NameKind
  var name: UnsafeRawBufferPointer
  /// What `service.peer.namespace` says beside `service.peer.name`.
  var namespace: UnsafeRawBufferPointer?
}

extension AttributeSlots {
  var isDatabase: Bool {
    has(.databaseSystem, or: .databaseSystemName) || has(.databaseType, or: .databaseCollection)
  }

  var isMessaging: Bool {
    has(.messagingSystem) || has(.messagingDestinationName, or: .messagingDestination)
      || has(.messageBusDestination) || has(.sqsQueueURL, or: .snsTopicARN)
  }

  /// The host that a call went to, whatever the peer is called.
  var peerHost: UnsafeRawBufferPointer? { unsafe name(PeerPrecedence.host) }

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

  /// The first of the keys that holds a status of gRPC, as a number or by its name.
  func grpcStatus(_ keys: AttributeKey...) -> Int64? {
    for key in keys where has(key) {
      if let number = self[key].number { return number }
      if let text = unsafe self[key].text, let code = unsafe GRPCStatusName.code(text) {
        return code
      }
    }
    return nil
  }
}
