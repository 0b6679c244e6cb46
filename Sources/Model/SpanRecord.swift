/// One span, as every stage after decoding sees it: fixed size, no text, no pointers.
///
/// Whatever a stage needs to know of attributes was read while decoding and stands here as a flag
/// or as the id of a name. Equality is over all fields.
public struct SpanRecord: Hashable, Sendable {
  public var id: SpanID
  /// The parent's id; `SpanID.none` for a root. A record of traffic has none and holds its bytes here
  /// (`trafficBytes`); the record of a link holds the span that is linked.
  public var parent: SpanID
  /// Unix nanoseconds. `end` is never before `start`: decoding sees to it.
  public var start: Nanos
  public var end: Nanos
  /// The node the span was recorded in (a name of kind `.service`); of a record of traffic, the
  /// node that was called (`trafficServer`).
  public var service: NameID
  /// `service.version` of the recording process; `NameID.none` when it said none.
  public var version: NameID
  /// Which instance of the service; `NameID.none` when it said none.
  public var instance: NameID
  /// The span's name, within its service.
  public var operation: NameID
  /// The node on the other side, as the span's attributes name it; `NameID.none` when they do not.
  /// Of a span that calls: whom (a name of kind `.database`, `.messaging` or `.external`), used where
  /// no span of the callee exists. Of a consumer, and of a span that receives: the queue. With the trait
  /// `namesCaller`: who called (`.client`). Of a record of traffic: who called (`trafficClient`).
  public var peer: NameID
  /// The host a failed call went to (a name of kind `.address`), so that the failure can be laid to
  /// an instance that no longer reports; `NameID.none` for calls that worked or did not say.
  public var peerAddress: NameID
  /// How many spans this one stands for after sampling, in 1/256ths (256: itself alone).
  public var weight: UInt32
  public var traits: SpanTraits
  /// How many links to other spans it has: of a span that takes a batch of messages, one a message; of
  /// one that sends, those that were followed. Of the record of a link: how many nobody followed
  /// (`unreadLinks`), or whether it stands for a sending (`standsForSending`).
  public var links: UInt16
  public var kind: SpanKind
  /// Which machine recorded it, as a hash of what its resource calls the host; 0 when it said none. Two
  /// spans with the same one were timed by the same clock. Of the record of a link: from which trace it
  /// comes (`isLink(outOf:)`).
  public var host: UInt32
  /// What else users want told apart (a name of kind `.dimensions`): the cluster, and the attributes
  /// chosen for it; `NameID.none` when it said none.
  public var dimensions: NameID

  public init(
    id: SpanID, parent: SpanID = .none, start: Nanos, end: Nanos, service: NameID,
    version: NameID = .none, instance: NameID = .none, operation: NameID = .none,
    peer: NameID = .none, peerAddress: NameID = .none, weight: UInt32 = SpanRecord.weightOne,
    kind: SpanKind = .internal,
    traits: SpanTraits = [], links: UInt16 = 0, host: UInt32 = 0, dimensions: NameID = .none
  ) {
    self.id = id
    self.parent = parent
    self.start = start
    self.end = end
    self.service = service
    self.version = version
    self.instance = instance
    self.operation = operation
    self.peer = peer
    self.peerAddress = peerAddress
    self.weight = weight
    self.kind = kind
    self.traits = traits
    self.links = links
    self.host = host
    self.dimensions = dimensions
  }

  /// The weight of a span that was not sampled.
  public static let weightOne: UInt32 = 256

  public var durationNanos: Nanos { end.saturatingSubtracting(start) }
  public var isError: Bool { traits.contains(.error) }

  /// Whether it takes messages from a queue. The record of a link: whether the span that has it does.
  public var takesMessages: Bool {
    switch kind {
    case .consumer: true
    case .client, .link: traits.contains(.receives)
    case .internal, .server, .producer, .traffic: false
    }
  }

  /// Whether it puts messages into a queue, made or not.
  public var sendsMessages: Bool {
    if kind == .producer { return true }
    return kind == .client && traits.contains(.messaging)
      && traits.isDisjoint(with: [.receives, .settles])
  }

  /// Whether what another service does below it came through a queue: a client's span that sends names
  /// that; one that names only the broker's system may call a service of that.
  public var sendsThroughQueue: Bool {
    kind == .producer || (sendsMessages && traits.contains(.namesQueue))
  }

  /// Whether it sends messages that other spans may have created.
  public var sendsCreatedMessages: Bool {
    sendsMessages && !(kind == .producer && traits.contains(.creates))
  }
}

/// `Span.SpanKind`; 0 and unknown numbers are read as internal. Two more are ours and no sender's.
/// - Source: opentelemetry/proto/trace/v1/trace.proto, `Span.SpanKind`.
public enum SpanKind: UInt8, Sendable, CaseIterable {
  case `internal` = 1
  case server = 2
  case client = 3
  case producer = 4
  case consumer = 5
  /// No span: a record of traffic, out of an access log or a flow log, alone in a trace of its own.
  case traffic = 6
  /// No span: a link of a span, in the trace of the span it names.
  case link = 7

  /// What a sender of spans calls a kind.
  public init(number: Int64) {
    let kind = UInt8(exactly: number).flatMap(SpanKind.init(rawValue:)) ?? .internal
    self = kind == .traffic || kind == .link ? .internal : kind
  }

  /// Begins work on behalf of somebody else.
  public var isEntry: Bool { self == .server || self == .consumer }
  /// Asks somebody else to work.
  public var isExit: Bool { self == .client || self == .producer }
}

/// What the attributes and the status of a span said, as far as the analysis asks.
public struct SpanTraits: OptionSet, Hashable, Sendable {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The work failed: by status, by HTTP or gRPC code, or by an `error` attribute.
  public static let error = SpanTraits(rawValue: 1 << 0)
  /// Recorded by a proxy on the way, not by the application (Envoy and its kin).
  public static let proxy = SpanTraits(rawValue: 1 << 1)
  /// A proxy's span towards the application it stands in front of, by the name of its upstream.
  public static let upstreamIsOwnApplication = SpanTraits(rawValue: 1 << 2)
  /// The peer's address is on the same host (loopback, or the sender's own).
  public static let peerIsLocalHost = SpanTraits(rawValue: 1 << 3)
  /// The sender claimed an end before the start; both were set to the start.
  public static let endBeforeStart = SpanTraits(rawValue: 1 << 4)
  /// The call goes to a database or a cache.
  public static let database = SpanTraits(rawValue: 1 << 5)
  /// The call goes through a queue or a topic.
  public static let messaging = SpanTraits(rawValue: 1 << 6)
  /// A proxy's span on the way out of its workload (Envoy names such spans `egress …`).
  public static let outboundProxy = SpanTraits(rawValue: 1 << 7)

  /// The peer is a queue or a topic by its own name, not only by the name of its system.
  public static let namesQueue = SpanTraits(rawValue: 1 << 17)
  /// Asks a queue for messages: what comes of it is work of the span's own service. Of the record of
  /// a link: the span that has it takes messages.
  public static let receives = SpanTraits(rawValue: 1 << 18)
  /// Tells a queue what became of messages, which were counted when they were taken.
  public static let settles = SpanTraits(rawValue: 1 << 19)
  /// The peer is who called, and no span of the caller is to be expected.
  public static let namesCaller = SpanTraits(rawValue: 1 << 20)

  /// Creates a message that another span may send.
  public static let creates = SpanTraits(rawValue: 1 << 28)

  /// Of the record of a link: the span that has it asks for messages, on which others may work.
  public static let linkOfPoll = SpanTraits(rawValue: 1 << 29)
  /// Of the record of a link: the span that has it sends messages, which others may have created.
  public static let linkOfSending = SpanTraits(rawValue: 1 << 30)
  /// Of the record of a link: the trace it names was sealed when it came.
  public static let linkToSealed = SpanTraits(rawValue: 1 << 31)

  /// Of a record of traffic: it is one of a flow log; otherwise one of an access log.
  public static let flowLog = SpanTraits(rawValue: 1 << 25)
  /// Of a record of traffic: it was recorded at the end that called, or at the end that was called.
  /// Neither, where that is not known.
  public static let recordedByClient = SpanTraits(rawValue: 1 << 26)
  public static let recordedByServer = SpanTraits(rawValue: 1 << 27)

  /// One of the span's names, of this kind, found no room and is summed under overflow.
  public static func overflow(_ kind: NameKind) -> SpanTraits {
    // The bits behind those of the first nine kinds were given to other traits before there were more.
    SpanTraits(rawValue: 1 << (UInt32(kind.rawValue) + (kind.rawValue <= 9 ? 7 : 11)))
  }

  /// Any of them.
  public static let anyOverflow = NameKind.allCases.reduce(into: SpanTraits()) {
    $0.formUnion(.overflow($1))
  }
}

extension SpanRecord {
  /// Two spans with the same identity are the same span sent twice, or corrected by its sender.
  /// A client and a server span may share an id (Zipkin's custom), so kind and service belong to it.
  public func hasSameIdentity(as other: SpanRecord) -> Bool {
    id == other.id && kind == other.kind && service == other.service
  }

  /// Orders spans by identity, and within one identity by which of the copies is to stay (the
  /// last): the later end, then the later start, then the greater content. A total order, so
  /// that the survivor does not depend on the order of arrival.
  public func precedes(_ other: SpanRecord) -> Bool {
    if id != other.id { return id < other.id }
    if kind != other.kind { return kind.rawValue < other.kind.rawValue }
    if service != other.service { return service < other.service }
    if end != other.end { return end < other.end }
    if start != other.start { return start < other.start }
    return contentPrecedes(other)
  }

  private func contentPrecedes(_ other: SpanRecord) -> Bool {
    if parent != other.parent { return parent < other.parent }
    if version != other.version { return version < other.version }
    if instance != other.instance { return instance < other.instance }
    if operation != other.operation { return operation < other.operation }
    if peer != other.peer { return peer < other.peer }
    if peerAddress != other.peerAddress { return peerAddress < other.peerAddress }
    if weight != other.weight { return weight < other.weight }
    if links != other.links { return links < other.links }
    if host != other.host { return host < other.host }
    if dimensions != other.dimensions { return dimensions < other.dimensions }
    return traits.rawValue < other.traits.rawValue
  }
}

extension [SpanRecord] {
  /// Sorts by identity and keeps of each the copy that is to stay, whatever the order they came in.
  /// - Cost: O(n) when there is nothing to do, O(n log n) otherwise.
  public mutating func removeCopies() {
    if isSortedWithoutCopies { return }
    sort { $0.precedes($1) }
    var kept = 0
    for index in indices {
      let isCopy = kept > 0 && self[kept - 1].hasSameIdentity(as: self[index])
      if !isCopy { kept += 1 }
      self[kept - 1] = self[index]
    }
    removeLast(count - kept)
  }

  private var isSortedWithoutCopies: Bool {
    for index in indices.dropFirst() {
      let before = self[index - 1]
      if before.hasSameIdentity(as: self[index]) || !before.precedes(self[index]) { return false }
    }
    return true
  }
}
