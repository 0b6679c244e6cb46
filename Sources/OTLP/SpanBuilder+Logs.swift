import Model

// Log records end in the same batch as spans: one of an access log becomes a record of traffic, one of
// an event of Kubernetes is handed on beside the batch, and any other is passed over and counted.
// Whoever reads more out of logs begins at `endLogRecord`.
extension SpanBuilder {
  mutating func beginLogRecord() {
    log.removeAll()
    spanAttributes.removeAll()
    eventReader.beginRecord()
  }

  mutating func logTime(_ nanos: UInt64) { log.time = nanos }
  mutating func logObservedTime(_ nanos: UInt64) { log.observedTime = nanos }
  mutating func logTraceID(_ bytes: UnsafeRawBufferPointer) { unsafe log.note(bytes) }
  mutating func logSpanID(_ bytes: UnsafeRawBufferPointer) { unsafe log.note(bytes) }

  /// A body that is no list of keys and values; the members of one that is count as attributes.
  mutating func logBody(_ value: AttributeValue) {
    unsafe log.textBody = value.text
    log.note(value)
  }

  mutating func logAttribute(key: UnsafeRawBufferPointer, value: AttributeValue) {
    unsafe log.note(key)
    log.note(value)
    unsafe eventReader.noteOfRecord(key, value)
    guard let key = unsafe attribute(key), !value.isEnvoysWordForNone else { return }
    spanAttributes.set(key, value)
  }

  /// A member of a body that is a list of keys and values, or of a list in it.
  mutating func logMember(
    key: UnsafeRawBufferPointer, value: AttributeValue, in place: KubernetesObjectReader.Place
  ) {
    if place == .body { unsafe logAttribute(key: key, value: value) }
    unsafe eventReader.object.note(key, value, in: place)
  }

  /// The place of a list of keys and values among such members; nil where its members are not read.
  mutating func beginLogMembers(
    key: UnsafeRawBufferPointer, in place: KubernetesObjectReader.Place
  ) -> KubernetesObjectReader.Place? {
    unsafe eventReader.object.begin(key, in: place)
  }

  mutating func endLogRecord() {
    guard AccessLog.isRecord(spanAttributes) else {
      return endOtherRecord()
    }
    let duration = AccessLog.durationNanos(spanAttributes)
    let start = log.start
    let end = start.saturatingAdding(duration ?? 0)
    if start == 0 { return tally.reject(.noTimestamps) }
    if let reason = limits.reasonAgainst(end: end, now: now) { return tally.reject(reason) }
    append(start: start, end: end, isTimed: duration != nil)
  }

  private mutating func endOtherRecord() {
    if let event = unsafe eventReader.event(message: log.textBody, time: log.start) {
      guard events.count < KubernetesEventRecord.perRequestMax else {
        ignored[.eventBeyondLimit, default: 0] &+= 1
        return
      }
      events.append(event)
    } else if eventReader.isOfObject {
      ignored[.object, default: 0] &+= 1
    } else {
      ignored[unsafe log.textBody != nil ? .text : .unrecognized, default: 0] &+= 1
    }
  }

  private mutating func append(start: Nanos, end: Nanos, isTimed: Bool) {
    let node = resource.meshKind == nil ? MeshNode(spanAttributes) : nil
    let isWaypoint = (resource.meshKind ?? node?.kind) == .waypoint
    let workload = isWaypoint ? MeshWorkload(spanAttributes) : nil
    let reporter = reporter(node, workload)
    let record = AccessLog(
      spanAttributes, resource: resource, workload: workload, ignored: ignoredCodes)
    overflow = reporter.overflow.intersection(.overflow(.service))
    let other = peer(record.other)
    let otherAddress = unsafe address(record.otherAddress)
    let ownAddress = ownAddress(record)
    use(reporter.service)
    var traits = overflow
    if record.isFailure { traits.insert(.error) }
    if !isTimed { traits.insert(.endBeforeStart) }
    // The same record of two reporters is two records.
    log.content.write(fixed: reporter.service.raw)
    log.content.write(fixed: ownAddress.raw)
    log.content.write(fixed: start)
    let trace = TraceID(
      ofRecord: log.content.bytes.span, tenant: tenant, source: .accessLog)
    let isInbound = record.isInbound
    batch.append(
      SpanRecord(
        trafficIn: trace, TrafficKind(.accessLog, recordedBy: isInbound ? .server : .client),
        from: isInbound ? other : reporter.service, to: isInbound ? reporter.service : other,
        start: start, end: end, bytes: record.bytes,
        clientAddress: isInbound ? otherAddress : ownAddress,
        serverAddress: isInbound ? ownAddress : otherAddress, traits: traits),
      trace: trace)
  }

  /// Where the reporter is: what its resource says, the id of its proxy, or what the record says.
  private mutating func ownAddress(_ record: AccessLog) -> NameID {
    let stated = resource.ownAddresses.last ?? resource.meshAddress
    guard stated.isEmpty else {
      return unsafe stated.withUnsafeBytes { unsafe address($0) }
    }
    return unsafe address(record.localAddress)
  }
}

extension AttributeValue {
  /// What Envoy writes where it has no value.
  fileprivate var isEnvoysWordForNone: Bool { unsafe text?.equals("-") ?? false }
}
