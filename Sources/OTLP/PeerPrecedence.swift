import Model

// Who is on the other side, in one place: the tables below are what docs/graph.md repeats, and a
// test compares the two. Within a table: what a person configured, then logical names, then
// addresses; of one meaning the current name before those it replaced.
// - Source: OpenTelemetry semantic conventions 1.4 to 1.39 (db, messaging, rpc, http, faas, aws, gen_ai);
//   OpenTracing's tags (`peer.*`, `db.*`, `message_bus.destination`, which Azure's SDKs send
//   too); Envoy's tracing tags.

/// How a name is read out of an attribute.
enum PeerRule {
  /// The text as it is.
  case text(AttributeKey)
  /// The same, unless it is a mesh's word for no value.
  case said(AttributeKey)
  /// A host, without the port.
  case host(AttributeKey)
  /// A name or an address, without a number behind it that is a port.
  case address(AttributeKey)
  /// The host of a URL.
  case hostOfURL(AttributeKey)
  /// The host that a connection string leads to.
  case hostOfConnection(AttributeKey)
  /// Who an upstream cluster of Envoy is.
  case cluster(AttributeKey)
  /// What stands before the last `/` of a method's full name.
  case serviceOf(AttributeKey)
  /// What follows the last `/` of a URL, the last `:` of an ARN.
  case lastPart(AttributeKey, StaticString)
  /// The name of a queue that outlives whoever takes from it.
  case lastingQueue(AttributeKey)

  /// What it gives is a host: in names of hosts, upper and lower case are the same.
  var isHost: Bool {
    switch self {
    case .host, .address, .hostOfURL, .hostOfConnection, .said(.requestedServerName): true
    case .text, .said, .cluster, .serviceOf, .lastPart, .lastingQueue: false
    }
  }

  var key: AttributeKey {
    switch self {
    case .text(let key), .said(let key), .host(let key), .address(let key), .hostOfURL(let key),
      .hostOfConnection(let key), .cluster(let key), .serviceOf(let key), .lastPart(let key, _),
      .lastingQueue(let key):
      key
    }
  }
}

enum PeerPrecedence {
  static let database: [PeerRule] = [
    .text(.servicePeerName), .text(.peerService), .address(.serverAddress), .address(.netPeerName),
    .address(.serverSocketDomain), .address(.netSockPeerName), .address(.peerHostname),
    .hostOfConnection(.databaseConnection), .hostOfURL(.urlFull), .hostOfURL(.httpURL),
    .host(.httpHost), .address(.networkPeerAddress), .address(.netPeerIP),
    .address(.serverSocketAddress), .address(.netSockPeerAddress), .address(.peerIPv4),
    .address(.peerIPv6), .text(.databaseNamespace),
    .text(.databaseName), .text(.databaseInstance), .text(.cassandraKeyspace),
    .text(.hbaseNamespace), .text(.databaseSystemName), .text(.databaseSystem),
    .text(.databaseType), .text(.databaseCollection), .text(.mongoDBCollection), .text(.sqlTable),
  ]

  /// The queue or topic, by its own name.
  static let queue: [PeerRule] = [
    .text(.messagingDestinationTemplate), .lastingQueue(.messagingDestinationName),
    .lastingQueue(.messagingDestination), .text(.messagingSourceTemplate),
    .lastingQueue(.messagingSourceName), .text(.messageBusDestination),
    .lastPart(.sqsQueueURL, "/"), .lastPart(.awsQueueURL, "/"), .lastPart(.snsTopicARN, ":"),
  ]

  /// Of spans that take messages, before `queue`: where the message was sent to first, which is
  /// what its sender calls it.
  static let queueSentTo: [PeerRule] = [.text(.messagingDestinationPublishName)]

  /// Where nothing names the queue: the broker.
  static let broker: [PeerRule] = [
    .text(.servicePeerName), .text(.peerService), .address(.serverAddress), .address(.netPeerName),
    .address(.serverSocketDomain), .address(.netSockPeerName), .address(.peerHostname),
    .hostOfConnection(.messagingURL), .address(.networkPeerAddress), .address(.netPeerIP),
    .address(.serverSocketAddress), .address(.netSockPeerAddress), .address(.peerIPv4),
    .address(.peerIPv6), .text(.messagingSystem),
  ]

  static let external: [PeerRule] = [
    .text(.servicePeerName), .text(.peerService), .cluster(.upstreamClusterName),
    .cluster(.upstreamCluster), .text(.functionInvokedName), .address(.serverAddress),
    .address(.netPeerName), .address(.serverSocketDomain), .address(.netSockPeerName),
    .address(.peerHostname), .hostOfURL(.urlFull),
    .hostOfURL(.httpURL), .host(.httpHost), .address(.networkPeerAddress), .address(.netPeerIP),
    .address(.serverSocketAddress), .address(.netSockPeerAddress), .address(.peerIPv4),
    .address(.peerIPv6), .host(.upstreamAddress),
    .host(.peerAddress), .text(.rpcService), .serviceOf(.rpcMethod), .text(.generativeProvider),
    .text(.generativeSystem),
  ]

  /// Where a call went, whatever the peer is called: addresses first, since those are instances'.
  static let host: [PeerRule] = [
    .host(.upstreamAddress), .host(.networkPeerAddress), .host(.serverSocketAddress),
    .host(.netSockPeerAddress),
    .host(.netPeerIP), .host(.peerAddress), .host(.serverAddress), .host(.netPeerName),
    .hostOfURL(.urlFull), .hostOfURL(.httpURL), .host(.httpHost),
  ]

  /// Whom a record of an access log says was called, recorded at the end that called.
  static let accessLogServer: [PeerRule] = [
    .text(.servicePeerName), .text(.peerService), .cluster(.upstreamClusterName),
    .cluster(.upstreamCluster), .address(.serverAddress), .address(.netPeerName),
    .hostOfURL(.urlFull),
    .hostOfURL(.httpURL), .host(.authority), .host(.httpHost), .said(.requestedServerName),
    .host(.upstreamHost), .host(.upstreamAddress), .address(.networkPeerAddress),
    .address(.netPeerIP),
    .address(.serverSocketAddress), .address(.netSockPeerAddress),
  ]

  /// Where that is.
  static let accessLogServerAddress: [PeerRule] = [
    .host(.upstreamHost), .host(.upstreamAddress), .host(.networkPeerAddress),
    .host(.serverSocketAddress), .host(.netSockPeerAddress), .host(.netPeerIP),
  ]

  /// Who called, recorded at the end that was called. Addresses are among them: the address table
  /// knows whose they are.
  static let accessLogClient: [PeerRule] = client + accessLogClientAddress

  /// Where that is.
  static let accessLogClientAddress: [PeerRule] = [
    .host(.downstreamRemoteAddress), .address(.clientAddress), .host(.networkPeerAddress),
    .host(.netSockPeerAddress), .host(.netPeerIP),
  ]

  /// Who called, of a server span without a parent. Addresses are not among them: they are people's.
  static let client: [PeerRule] = [
    .text(.servicePeerName), .text(.peerService), .said(.downstreamCluster),
    .said(.istioSourceService), .said(.istioSourceWorkload),
  ]
}

extension AttributeSlots {
  /// The first name the rules give.
  func name(_ rules: [PeerRule]) -> PeerName? {
    for rule in rules where has(rule.key) {
      if let name = unsafe name(rule) { return unsafe PeerName(text: name, isHost: rule.isHost) }
    }
    return nil
  }

  private func name(_ rule: PeerRule) -> UnsafeRawBufferPointer? {
    guard let text = unsafe self[rule.key].text else { return nil }
    switch rule {
    case .text: return unsafe text
    case .said(let key): return unsafe said(key)
    case .host(.peerAddress):
      if isListener { return nil }
      return unsafe PeerRule.nonEmpty(NetworkAddress.host(of: text))
    case .host: return unsafe PeerRule.nonEmpty(NetworkAddress.host(of: text))
    case .address: return unsafe PeerRule.nonEmpty(NetworkAddress.withoutPort(text))
    case .hostOfURL: return unsafe NetworkAddress.host(ofURL: text)
    case .hostOfConnection: return unsafe ConnectionString.host(of: text)
    case .serviceOf:
      var end: Int?
      while let found = unsafe text.position(of: UInt8(ascii: "/"), from: end.map { $0 + 1 } ?? 0) {
        end = found
      }
      return unsafe end.flatMap { unsafe PeerRule.nonEmpty(text.part(0..<$0)) }
    case .cluster: return unsafe NetworkAddress.nameOf(text)
    case .lastPart(_, let separator):
      var start = 0
      while let found = unsafe text.position(of: separator.utf8Start.pointee, from: start) {
        start = found + 1
      }
      return unsafe PeerRule.nonEmpty(text.part(from: start))
    case .lastingQueue(.messagingSourceName): return unsafe isPassingSource ? nil : text
    case .lastingQueue: return unsafe isPassingQueue ? nil : text
    }
  }

  /// Made for one conversation, or named by a machine: there may be as many as messages.
  private var isPassingQueue: Bool {
    self[.messagingDestinationTemporary].isTrue || self[.messagingDestinationAnonymous].isTrue
      || self[.messagingTemporaryDestination].isTrue
  }

  /// The same of where messages were taken from.
  private var isPassingSource: Bool {
    self[.messagingSourceTemporary].isTrue || self[.messagingSourceAnonymous].isTrue
  }
}

extension PeerRule {
  fileprivate static func nonEmpty(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    unsafe text.isEmpty ? nil : text
  }
}
