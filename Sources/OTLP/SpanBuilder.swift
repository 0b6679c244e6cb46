import Model

// Both decoders feed this builder the same calls, so that protobuf and JSON mean the same. What a
// call brings is only noted; the record is made in `endSpan`, when the order in which a sender wrote
// the fields no longer matters. Attributes are kept as pointers into the request until then, and
// only those that some rule reads.

/// Turns what a decoder reads into span records.
///
/// Calls in order: `begin` · for each ResourceSpans: `beginResource`, `resourceAttribute`…,
/// `endResource`, for each span: `beginSpan`, span fields and `spanAttribute`… in any order,
/// `endSpan` · `finish`. Of a request of logs the same, with `beginLogRecord` to `endLogRecord`.
@safe struct SpanBuilder: ~Copyable {
  let limits: DecodeLimits
  let ignoredCodes: IgnoredCodes
  private let table: NameTable
  private let keys = AttributeKeyTable()

  // The request.
  private(set) var signal = OTLPSignal.traces
  private(set) var tenant: TenantID = .standard
  private(set) var now: Nanos = 0
  var batch = SpanBatch()
  var tally = RejectionTally()
  var ignored: [IgnoredLog: Int] = [:]
  var events: [KubernetesEventRecord] = []

  // Names.
  private var cache = NameCache()
  private var name: NameText
  /// Kinds of names that found no room since this was emptied.
  var overflow: SpanTraits = []

  // The resource.
  private var resourceAttributes = AttributeSlots()
  var resource = ReportingResource()

  // The span.
  var spanAttributes = AttributeSlots()
  private var span = SpanFields()
  /// Spans it links to, as far as they are read.
  var links: [SpanLink] = []
  /// Records of links in the batch.
  var linkRecords = 0
  /// Those that may name the other side.
  private var chosenPeers: ChosenAttributes

  // What requests are told apart by, besides who took them.
  private var dimensions: DimensionReader

  // The log record, whose attributes stand where a span's do.
  var log = LogFields()
  var eventReader = KubernetesEventReader()

  init(names: NameTable, limits: DecodeLimits, rules: DecodeRules = DecodeRules()) {
    table = names
    self.limits = limits
    ignoredCodes = rules.ignoredCodes
    chosenPeers = ChosenAttributes(rules.peerAttributes)
    name = NameText(rules.redaction)
    dimensions = DimensionReader(chosen: rules.dimensionAttributes, rules.redaction)
  }

  /// How many spans of this request are in the batch.
  var acceptedSpans: Int { batch.count - linkRecords }

  // MARK: The request

  mutating func begin(_ signal: OTLPSignal = .traces, tenant: TenantID, now: Nanos) {
    self.signal = signal
    self.tenant = tenant
    self.now = now
    batch = SpanBatch(tenant: tenant)
    linkRecords = 0
    tally = RejectionTally(signal)
    ignored = [:]
    events = []
    cache.beginBatch(now: now)
  }

  /// Spans that never became spans.
  mutating func reject(spans: Int, _ reason: RejectionReason) { tally.reject(reason, spans: spans) }

  /// Accepted, but worth saying.
  mutating func warn(_ warning: DecodeWarning) { tally.warn(warning) }

  mutating func finish() -> DecodedRequest {
    if cache.forgotInBatch { removeRepeatedNames() }
    if signal == .logs {
      var counts: [TraceID: UInt64] = [:]
      batch.tellEqualRecordsApart(&counts)
    }
    let request = DecodedRequest(
      batch: batch, rejections: tally.rejections(limits: limits), ignored: ignored,
      events: events)
    batch = SpanBatch()
    events = []
    return request
  }

  private mutating func removeRepeatedNames() {
    var seen: Set<NameID> = []
    batch.names = batch.names.filter { seen.insert($0).inserted }
  }

  // MARK: The resource

  mutating func beginResource() {
    resourceAttributes.removeAll()
    dimensions.beginResource()
    eventReader.beginResource()
  }

  mutating func resourceAttribute(key: UnsafeRawBufferPointer, value: AttributeValue) {
    unsafe dimensions.noteOfResource(key, value)
    if signal == .logs { unsafe eventReader.noteOfResource(key, value) }
    if let key = unsafe keys.find(key) { resourceAttributes.set(key, value) }
  }

  mutating func endResource() {
    if signal == .logs {
      resourceAttributes.nameByProxy()
      eventReader.endResource()
    }
    identify(resourceAttributes)
    if signal == .logs, let id = unsafe resourceAttributes[.proxyNode].text,
      let node = unsafe MeshNode(nodeID: id)
    {
      // Nothing of the record before may speak for this proxy.
      spanAttributes.removeAll()
      identify(node)
      unsafe resource.meshKey = Array(node.key)
      resource.meshKind = node.kind
    }
  }

  /// The attribute a key names; nil where no rule reads it.
  func attribute(_ key: UnsafeRawBufferPointer) -> AttributeKey? { unsafe keys.find(key) }

  // MARK: The span

  mutating func beginSpan() {
    span = SpanFields()
    links.removeAll(keepingCapacity: true)
    forgetSpanAttributes()
  }

  mutating func traceID(_ bytes: UnsafeRawBufferPointer) { unsafe span.setTraceID(bytes) }
  mutating func spanID(_ bytes: UnsafeRawBufferPointer) { unsafe span.setSpanID(bytes) }
  mutating func parentSpanID(_ bytes: UnsafeRawBufferPointer) { unsafe span.setParentID(bytes) }

  /// The same for ids a decoder read by itself; a reason where it could not.
  mutating func traceID(_ id: Result<TraceID, RejectionReason>) { span.trace = id }
  mutating func spanID(_ id: Result<SpanID, RejectionReason>) { span.id = id }
  mutating func parentSpanID(_ id: Result<SpanID, RejectionReason>) { span.parent = id }

  mutating func name(_ bytes: UnsafeRawBufferPointer) { unsafe span.name = bytes }
  mutating func kind(_ number: Int64) { span.kind = SpanKind(number: number) }
  mutating func start(_ nanos: UInt64) { span.start = nanos }
  mutating func end(_ nanos: UInt64) { span.end = nanos }
  mutating func status(code: Int64) { span.status = code }

  mutating func traceState(_ bytes: UnsafeRawBufferPointer) {
    span.weight = unsafe SamplingThreshold.weightSaid(in: bytes)
  }

  mutating func spanAttribute(key: UnsafeRawBufferPointer, value: AttributeValue) {
    unsafe chosenPeers.note(key, value)
    unsafe dimensions.noteOfSpan(key, value)
    if let key = unsafe keys.find(key) { spanAttributes.set(key, value) }
  }

  /// A link that says to which span it leads; one of 0 names none, and the same again says nothing.
  mutating func link(_ link: SpanLink) {
    guard !link.trace.isZero, !link.span.isZero, !links.contains(link) else { return }
    span.links.read &+= 1
    links.append(link)
  }
  /// Links beyond `SpanFields.linksReadMax`, which nobody looked at.
  mutating func unreadLinks(_ count: UInt64) { span.links.unread = count }
  /// Links that the sender had and did not send.
  mutating func droppedLinks(_ count: UInt64) { span.links.dropped = count }

  /// Forgets the span's links: a document gave the list a second time.
  mutating func forgetLinks() {
    links.removeAll(keepingCapacity: true)
    span.links.read = 0
    span.links.unread = 0
  }

  /// Forgets the span's attributes: a document gave the list a second time.
  mutating func forgetSpanAttributes() {
    spanAttributes.removeAll()
    chosenPeers.removeAll()
    dimensions.beginSpan()
  }

  /// A decoder found the span unreadable by itself; `endSpan` still follows. The first reason stays.
  mutating func rejectSpan(_ reason: RejectionReason) {
    if span.rejection == nil { span.rejection = reason }
  }

  mutating func endSpan() {
    switch span.identity(now: now, limits: limits) {
    case .failure(let reason): tally.reject(reason)
    case .success(let identity): append(identity)
    }
  }

  private mutating func append(_ identity: SpanFields.Identity) {
    let node = MeshNode(spanAttributes)
    let workload = node?.kind == .waypoint ? MeshWorkload(spanAttributes) : nil
    let reporter = reporter(node, workload)
    let meaning = unsafe SemanticConventions(
      attributes: spanAttributes, span: span, resource: resource, workload: workload,
      chosenPeer: chosenPeers.firstText, ignored: ignoredCodes)
    overflow = reporter.overflow
    let dimensions = dimensionsOfSpan()
    let operation = operation(of: reporter.service)
    let peer = peer(meaning.peer)
    let peerAddress = unsafe address(meaning.peerHost)
    var traits = meaning.traits.union(overflow)
    let weight =
      span.weight ?? SamplingThreshold.weight(probability: spanAttributes[.samplingProbability])
      ?? SpanRecord.weightOne
    let links = meaning.countsLinks ? span.links.count : 0
    if identity.endsBeforeStart { traits.insert(.endBeforeStart) }
    list(reporter)
    var record = SpanRecord(
      id: identity.id, parent: identity.parent, start: identity.start, end: identity.end,
      service: reporter.service, version: reporter.version, instance: reporter.instance,
      operation: operation, peer: peer, peerAddress: peerAddress, weight: weight,
      kind: span.kind, traits: traits, links: links, host: resource.host,
      dimensions: dimensions)
    if record.sendsCreatedMessages {
      record.links = followedLinks(of: record, in: identity.trace)
    }
    batch.append(record, trace: identity.trace)
    appendLinks(of: record, in: identity.trace, unread: span.links.unfollowed)
  }

  // MARK: Names

  private mutating func operation(of service: NameID) -> NameID {
    name.removeAll()
    unsafe spanAttributes.appendOperation(of: span.name, to: &name)
    guard !name.bytes.isEmpty else { return .none }
    return used(intern(.operation, scope: service))
  }

  mutating func peer(_ peer: PeerNode?) -> NameID {
    guard let peer else { return .none }
    name.removeAll()
    name.append(resource.environment)
    name.appendSeparator()
    if let namespace = unsafe peer.namespace { unsafe name.append(namespace) }
    name.appendSeparator()
    if peer.name.isHost {
      unsafe name.appendHost(peer.name.text)
    } else {
      unsafe name.appendAddress(peer.name.text)
    }
    return used(intern(peer.kind, scope: .none))
  }

  mutating func address(_ host: UnsafeRawBufferPointer?) -> NameID {
    guard let host = unsafe host else { return .none }
    name.removeAll()
    unsafe name.appendHost(host)
    return name.bytes.isEmpty ? .none : used(intern(.address, scope: .none))
  }

  /// Reads who reports out of the attributes of its resource.
  private mutating func identify(_ attributes: AttributeSlots) {
    resource = ReportingResource(attributes)
    overflow = []
    name.removeAll()
    name.append(attributes.first(.environmentName, .environment))
    resource.environment = name.bytes
    name.appendSeparator()
    let workload = ReportingResource.linkerdWorkload(attributes)
    name.append(
      workload == nil
        ? attributes[.serviceNamespace] : attributes.first(.serviceNamespace, .linkerdNamespace))
    name.appendSeparator()
    let empty = name.bytes.count
    name.append(workload ?? attributes[.serviceName])
    if name.bytes.count == empty { name.append("unknown_service") }
    resource.reporter.service = intern(.service, scope: .none)
    resource.reporter.version = version(attributes)
    resource.reporter.instance = instance(attributes)
    resource.reporter.overflow = overflow
    resource.host = host(attributes)
    identifyDimensions()
  }

  private mutating func identifyDimensions() {
    overflow = []
    dimensions.endResource(into: &name)
    resource.dimensions = internDimensions()
    resource.dimensionsOverflow = overflow
  }

  private mutating func dimensionsOfSpan() -> NameID {
    if unsafe dimensions.endSpan(meshCluster: spanAttributes.meshCluster, into: &name) {
      return used(internDimensions())
    }
    overflow.formUnion(resource.dimensionsOverflow)
    return used(resource.dimensions)
  }

  private mutating func internDimensions() -> NameID {
    name.bytes.isEmpty ? .none : intern(.dimensions, scope: .none)
  }

  /// 32 bits of a hash are enough: two hosts of one trace that share it are not told apart, and are
  /// left as they were sent.
  private mutating func host(_ attributes: AttributeSlots) -> UInt32 {
    for key in ReportingResource.hostKeys where attributes.has(key) {
      name.removeAll()
      if let text = unsafe attributes[key].firstText {
        unsafe name.appendAddress(text)
      } else {
        name.append(attributes[key])
      }
      guard !name.bytes.isEmpty else { continue }
      let id = Name.id(tenant: tenant, kind: .address, scope: .none, text: name.bytes.span)
      return max(1, UInt32(truncatingIfNeeded: id.raw))
    }
    return 0
  }

  /// Whom the span speaks for: its resource, or the workload a proxy of a mesh serves.
  mutating func reporter(_ node: MeshNode?, _ workload: MeshWorkload?) -> Reporter {
    if let workload {
      overflow = []
      var reporter = Reporter()
      unsafe reporter.service = service(workload.name, namespace: workload.namespace)
      reporter.overflow = overflow
      return reporter
    }
    guard let node else {
      return resource.meshKind == nil ? resource.reporter : resource.meshReporter
    }
    if unsafe !node.key.equals(resource.meshKey) {
      identify(node)
      unsafe resource.meshKey = Array(node.key)
    }
    return resource.meshReporter
  }

  /// Reads who reports out of the identity of a proxy: its namespace is the workload's, which Istio
  /// appends to the service's name.
  private mutating func identify(_ node: MeshNode) {
    overflow = []
    unsafe resource.meshAddress = NetworkAddress.canonical(node.address)
    let sentName = resource.serviceName
    let sentNamespace = resource.serviceNamespace
    var reporter = Reporter()
    reporter.service = unsafe sentName.withUnsafeBytes { sentName in
      let name = unsafe node.workload(sentName, canonical: spanAttributes.said(.istioService))
      return unsafe sentNamespace.withUnsafeBytes { sent in
        unsafe service(name, namespace: sent.isEmpty ? node.namespace : sent)
      }
    }
    if let version = table.name(resource.reporter.version) {
      name.removeAll()
      name.append(Array(version.text.utf8))
      reporter.version = intern(.version, scope: reporter.service)
    }
    name.removeAll()
    unsafe name.append(node.pod)
    if !name.bytes.isEmpty {
      name.appendSeparator()
      unsafe name.appendAddress(node.address)
      reporter.instance = intern(.instance, scope: reporter.service)
    }
    reporter.overflow = overflow
    resource.meshReporter = reporter
  }

  private mutating func service(
    _ text: UnsafeRawBufferPointer, namespace: UnsafeRawBufferPointer
  ) -> NameID {
    name.removeAll()
    name.append(resource.environment)
    name.appendSeparator()
    unsafe name.append(namespace)
    name.appendSeparator()
    unsafe name.append(text)
    return intern(.service, scope: .none)
  }

  /// An instance with its address (`InstanceIdentity`).
  private mutating func instance(_ attributes: AttributeSlots) -> NameID {
    name.removeAll()
    name.append(attributes.first(.serviceInstanceID, .hostName, .podName, .containerID))
    let address = unsafe attributes[.podIP].firstText ?? attributes[.hostIP].firstText
    // One that only says where it is, is called by that.
    if name.bytes.isEmpty, let address = unsafe address { unsafe name.appendHost(address) }
    guard !name.bytes.isEmpty else { return .none }
    if let address = unsafe address {
      name.appendSeparator()
      unsafe name.appendHost(address)
    }
    return intern(.instance, scope: resource.reporter.service)
  }

  /// What the process says of itself; else the tag of its image, else what tells its pods from those
  /// of another template.
  private mutating func version(_ attributes: AttributeSlots) -> NameID {
    name.removeAll()
    if attributes.has(.serviceVersion) {
      name.append(attributes[.serviceVersion])
    } else if let tag = unsafe ReportingResource.imageTag(attributes), !resource.isProxy {
      unsafe name.append(tag)
    } else {
      name.append(attributes[.replicaSetName])
    }
    return name.bytes.isEmpty ? .none : intern(.version, scope: resource.reporter.service)
  }

  /// The id of the text in `name`, through the cache.
  private mutating func intern(_ kind: NameKind, scope: NameID) -> NameID {
    for _ in 0..<name.repairs { tally.warn(.invalidText) }
    let id = Name.id(tenant: tenant, kind: kind, scope: scope, text: name.bytes.span)
    let interned = cache.interned(id) ?? internInTable(id, kind, scope: scope)
    if interned != id { overflow.insert(.overflow(kind)) }
    return interned
  }

  private mutating func internInTable(_ id: NameID, _ kind: NameKind, scope: NameID) -> NameID {
    let interned = table.intern(
      tenant: tenant, kind: kind, scope: scope, text: name.bytes.span, now: now)
    cache.insert(id, interned: interned)
    return interned
  }

  private mutating func list(_ reporter: Reporter) {
    if reporter == resource.listed { return }
    use(reporter.service)
    use(reporter.version)
    use(reporter.instance)
    resource.listed = reporter
  }

  private mutating func used(_ id: NameID) -> NameID {
    use(id)
    return id
  }

  /// Lists a name with the batch. A name the cache forgot since it was interned (a resource's)
  /// counts as new; `finish` then removes what was listed twice.
  mutating func use(_ id: NameID) {
    guard !id.isNone else { return }
    if cache.interned(id) == nil { cache.insert(id, interned: id) }
    if cache.noteUse(of: id) { batch.names.append(id) }
  }
}

// MARK: Taking back

extension SpanBuilder {
  /// A place in the request to return to.
  struct Mark {
    fileprivate var records: Int
    fileprivate var linkRecords: Int
    fileprivate var tally: RejectionTally
    fileprivate var ignored: [IgnoredLog: Int]
    fileprivate var events: Int
  }

  var mark: Mark {
    Mark(
      records: batch.count, linkRecords: linkRecords, tally: tally, ignored: ignored,
      events: events.count)
  }

  /// Takes back all spans since the mark: a document gave the same key a second time, and the last
  /// one counts. Names used only by those spans stay listed, which does no harm.
  mutating func rewind(to mark: Mark) {
    batch.spans.removeLast(batch.spans.count - mark.records)
    batch.traces.removeLast(batch.traces.count - mark.records)
    linkRecords = mark.linkRecords
    tally = mark.tally
    ignored = mark.ignored
    events.removeLast(events.count - mark.events)
  }
}
