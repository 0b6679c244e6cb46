import Model

// The spans each service would send.
extension Simulator {
  mutating func emitServer(_ frame: Int32) {
    let request = frames[frame]
    let service = services[request.operation.service]
    let instance = service.instances[Int(request.instance)]
    emit(
      SpanRecord(
        id: request.span, parent: request.parent, start: nanos(request.begin), end: nanos(now),
        service: service.name, version: instance.versionName, instance: instance.name,
        operation: operationNames[request.operation.service][request.operation.operation],
        kind: request.isConsumer ? .consumer : .server, traits: request.failed ? .error : []),
      trace: request.trace)
  }

  mutating func emitClient(_ call: Call, failed: Bool) {
    let caller = frames[call.caller]
    guard system.services[caller.operation.service].kind == .traced else { return }
    let target = call.description.target
    let callee = services[target.service]
    let isDatabase = system.services[target.service].kind == .database
    var traits: SpanTraits = failed ? .error : []
    if isDatabase { traits.insert(.database) }
    var span = record(caller, call.span, from: call.begin, kind: .client, traits: traits)
    span.operation = operationNames[target.service][target.operation]
    span.peer = callee.peer
    if failed { span.peerAddress = call.address }
    emit(span, trace: caller.trace)
  }

  mutating func emitProducer(_ frame: Int32, _ call: CallDescription, span: SpanID) {
    let caller = frames[frame]
    guard system.services[caller.operation.service].kind == .traced else { return }
    var record = record(
      caller, span, from: now, kind: .producer, traits: [.messaging, .namesQueue])
    record.operation = names.scoped(
      "publish \(call.queue)", .operation, to: services[caller.operation.service].name)
    record.peer = names.peer(call.queue, .messaging)
    emit(record, trace: caller.trace)
  }

  private func record(
    _ caller: Frame, _ span: SpanID, from begin: Double, kind: SpanKind, traits: SpanTraits
  ) -> SpanRecord {
    let service = services[caller.operation.service]
    let instance = service.instances[Int(caller.instance)]
    return SpanRecord(
      id: span, parent: caller.span, start: nanos(begin), end: nanos(now), service: service.name,
      version: instance.versionName, instance: instance.name, operation: .none, kind: kind,
      traits: traits)
  }

  private mutating func emit(_ span: SpanRecord, trace: Int32) {
    traces[trace].spans.append(span)
  }
}
