import COTLP
import CProtobufC
import Model

/// Reads a protobuf request: scan, unpack into the arena, walk the tree into the builder.
///
/// The tree lives until the walk is over; nothing of it leaves this type.
@safe struct ProtobufDecoder: ~Copyable {
  private typealias WireResource = Opentelemetry__Proto__Resource__V1__Resource
  private typealias LogsRequest =
    Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest
  private typealias ResourceLogs = Opentelemetry__Proto__Logs__V1__ResourceLogs
  private typealias WireLogRecord = Opentelemetry__Proto__Logs__V1__LogRecord
  private typealias Request = Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest
  private typealias ResourceSpans = Opentelemetry__Proto__Trace__V1__ResourceSpans
  private typealias ScopeSpans = Opentelemetry__Proto__Trace__V1__ScopeSpans
  private typealias WireSpan = Opentelemetry__Proto__Trace__V1__Span
  private typealias KeyValue = Opentelemetry__Proto__Common__V1__KeyValue
  private typealias KeyValueList = Opentelemetry__Proto__Common__V1__KeyValueList
  private typealias AnyValue = Opentelemetry__Proto__Common__V1__AnyValue

  private let limits: DecodeLimits
  private let arena: Arena
  private var scan: WireScan
  private var logsScan: WireScan

  init(limits: DecodeLimits) {
    self.limits = limits
    arena = Arena(bytesMax: limits.memoryBytesMax)
    scan = WireScan(limits: limits)
    logsScan = WireScan(limits: limits, schema: .logs)
  }

  /// Feeds every span of `body` to the builder, between its `begin` and its `finish`.
  mutating func read(
    _ body: UnsafeRawBufferPointer, into builder: inout SpanBuilder
  ) throws(DecodeError) {
    let summary = unsafe try scan.scan(body)
    defer { arena.reset() }
    guard arena.prepare(bytes: summary.memoryBytes) else { throw memoryError(summary) }
    let tree = unsafe withBytes(of: body, summary) { bytes in
      unsafe opentelemetry__proto__collector__trace__v1__export_trace_service_request__unpack(
        arena.protobufAllocator, bytes.count, bytes.baseAddress)
    }
    guard let request = unsafe tree else { throw unpackError(summary) }
    for index in 0..<(unsafe request.pointee.n_resource_spans) {
      guard let spans = unsafe request.pointee.resource_spans[index] else { continue }
      unsafe walk(spans, into: &builder)
    }
    if summary.legacySpans > 0 {
      builder.reject(spans: summary.legacySpans, .deprecatedInstrumentationLibrarySpans)
    }
  }

  /// Feeds every log record of `body` to the builder, as `read` does spans.
  mutating func readLogs(
    _ body: UnsafeRawBufferPointer, into builder: inout SpanBuilder
  ) throws(DecodeError) {
    let summary = unsafe try logsScan.scan(body)
    defer { arena.reset() }
    guard arena.prepare(bytes: summary.memoryBytes) else { throw memoryError(summary) }
    let tree = unsafe withBytes(of: body, summary) { bytes in
      unsafe opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack(
        arena.protobufAllocator, bytes.count, bytes.baseAddress)
    }
    guard let request = unsafe tree else { throw unpackError(summary) }
    for index in 0..<(unsafe request.pointee.n_resource_logs) {
      guard let logs = unsafe request.pointee.resource_logs[index] else { continue }
      unsafe walk(logs, into: &builder)
    }
  }

  /// Unpacks a body, all of it copied into the arena.
  /// - Returns: the tree; nil when libprotobuf-c refuses.
  private func withBytes<Tree>(
    of body: UnsafeRawBufferPointer, _ summary: WireScan.Summary,
    _ unpack: (UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<Tree>?
  ) -> UnsafeMutablePointer<Tree>? {
    if let cleaned = summary.cleaned {
      return unsafe cleaned.withUnsafeBufferPointer { unsafe unpack($0) }
    }
    return unsafe unpack(
      UnsafeBufferPointer(
        start: body.baseAddress?.assumingMemoryBound(to: UInt8.self), count: body.count))
  }

  private func unpackError(_ summary: WireScan.Summary) -> DecodeError {
    if arena.wasExhausted { return memoryError(summary) }
    return .malformedProtobuf(
      offset: 0, reason: "a message that was sent twice within another and cannot be merged")
  }

  private func memoryError(_ summary: WireScan.Summary) -> DecodeError {
    .memoryTooLarge(
      bytes: max(summary.memoryBytes, limits.memoryBytesMax), bytesMax: limits.memoryBytesMax)
  }
}

extension ProtobufDecoder {
  private func walk(
    _ resourceSpans: UnsafeMutablePointer<ResourceSpans>, into builder: inout SpanBuilder
  ) {
    unsafe walk(resourceSpans.pointee.resource, into: &builder)
    for index in 0..<(unsafe resourceSpans.pointee.n_scope_spans) {
      guard let scope = unsafe resourceSpans.pointee.scope_spans[index] else { continue }
      for index in 0..<(unsafe scope.pointee.n_spans) {
        guard let span = unsafe scope.pointee.spans[index] else { continue }
        unsafe walk(span, into: &builder)
      }
    }
  }

  private func walk(
    _ resource: UnsafeMutablePointer<WireResource>?, into builder: inout SpanBuilder
  ) {
    builder.beginResource()
    if let resource = unsafe resource {
      for index in 0..<(unsafe resource.pointee.n_attributes) {
        guard let attribute = unsafe resource.pointee.attributes[index] else { continue }
        guard let key = unsafe key(of: attribute, &builder) else { continue }
        let value = unsafe value(of: attribute.pointee.value, &builder)
        unsafe builder.resourceAttribute(key: key, value: value)
      }
    }
    builder.endResource()
  }

  private func walk(
    _ resourceLogs: UnsafeMutablePointer<ResourceLogs>, into builder: inout SpanBuilder
  ) {
    unsafe walk(resourceLogs.pointee.resource, into: &builder)
    for index in 0..<(unsafe resourceLogs.pointee.n_scope_logs) {
      guard let scope = unsafe resourceLogs.pointee.scope_logs[index] else { continue }
      for index in 0..<(unsafe scope.pointee.n_log_records) {
        guard let record = unsafe scope.pointee.log_records[index] else { continue }
        unsafe walk(record, into: &builder)
      }
    }
  }

  private func walk(
    _ record: UnsafeMutablePointer<WireLogRecord>, into builder: inout SpanBuilder
  ) {
    builder.beginLogRecord()
    builder.logTime(unsafe record.pointee.time_unix_nano)
    builder.logObservedTime(unsafe record.pointee.observed_time_unix_nano)
    unsafe builder.logTraceID(bytes(record.pointee.trace_id))
    unsafe builder.logSpanID(bytes(record.pointee.span_id))
    if let body = unsafe record.pointee.body {
      if unsafe body.pointee.value_case
        == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_KVLIST_VALUE,
        let list = unsafe body.pointee.kvlist_value
      {
        unsafe walk(members: list, in: .body, into: &builder)
      } else {
        builder.logBody(unsafe value(of: body, &builder))
      }
    }
    for index in 0..<(unsafe record.pointee.n_attributes) {
      unsafe walk(logAttribute: record.pointee.attributes[index], into: &builder)
    }
    builder.endLogRecord()
  }

  /// Goes as deep as the builder asks, which is three levels at most.
  private func walk(
    members list: UnsafeMutablePointer<KeyValueList>, in place: KubernetesObjectReader.Place,
    into builder: inout SpanBuilder
  ) {
    for index in 0..<(unsafe list.pointee.n_values) {
      guard let member = unsafe list.pointee.values[index],
        let key = unsafe key(of: member, &builder)
      else { continue }
      let value = unsafe value(of: member.pointee.value, &builder)
      unsafe builder.logMember(key: key, value: value, in: place)
      guard case .keyValueList = value,
        let inner = unsafe member.pointee.value.pointee.kvlist_value,
        let place = unsafe builder.beginLogMembers(key: key, in: place)
      else { continue }
      unsafe walk(members: inner, in: place, into: &builder)
    }
  }

  private func walk(
    logAttribute attribute: UnsafeMutablePointer<KeyValue>?, into builder: inout SpanBuilder
  ) {
    guard let attribute = unsafe attribute, let key = unsafe key(of: attribute, &builder) else {
      return
    }
    let value = unsafe value(of: attribute.pointee.value, &builder)
    unsafe builder.logAttribute(key: key, value: value)
  }

  private func walk(_ span: UnsafeMutablePointer<WireSpan>, into builder: inout SpanBuilder) {
    builder.beginSpan()
    unsafe builder.traceID(bytes(span.pointee.trace_id))
    unsafe builder.spanID(bytes(span.pointee.span_id))
    unsafe builder.parentSpanID(bytes(span.pointee.parent_span_id))
    unsafe builder.name(bytes(span.pointee.name))
    builder.kind(number(unsafe span.pointee.kind.rawValue))
    builder.start(unsafe span.pointee.start_time_unix_nano)
    builder.end(unsafe span.pointee.end_time_unix_nano)
    unsafe builder.traceState(bytes(span.pointee.trace_state))
    if let status = unsafe span.pointee.status {
      builder.status(code: number(unsafe status.pointee.code.rawValue))
    }
    for index in 0..<(unsafe span.pointee.n_attributes) {
      guard let attribute = unsafe span.pointee.attributes[index] else { continue }
      guard let key = unsafe key(of: attribute, &builder) else { continue }
      let value = unsafe value(of: attribute.pointee.value, &builder)
      unsafe builder.spanAttribute(key: key, value: value)
    }
    unsafe walkLinks(of: span, into: &builder)
    builder.endSpan()
  }

  private func walkLinks(
    of span: UnsafeMutablePointer<WireSpan>, into builder: inout SpanBuilder
  ) {
    let count = unsafe Int(span.pointee.n_links)
    let read = min(count, SpanFields.linksReadMax)
    for index in 0..<read {
      guard let link = unsafe span.pointee.links[index] else { continue }
      let trace = unsafe bytes(link.pointee.trace_id)
      let id = unsafe bytes(link.pointee.span_id)
      if let link = unsafe SpanLink(trace: trace, span: id) { builder.link(link) }
    }
    builder.unreadLinks(UInt64(count - read))
    builder.droppedLinks(UInt64(unsafe span.pointee.dropped_links_count))
  }

  /// nil when the key is an index into a table that only profiles carry.
  private func key(
    of attribute: UnsafeMutablePointer<KeyValue>, _ builder: inout SpanBuilder
  ) -> UnsafeRawBufferPointer? {
    let key = unsafe bytes(attribute.pointee.key)
    guard unsafe attribute.pointee.key_strindex != 0 else { return unsafe key }
    builder.warn(.stringIndexFields)
    return unsafe key.isEmpty ? nil : key
  }

  private func value(
    of value: UnsafeMutablePointer<AnyValue>?, _ builder: inout SpanBuilder
  ) -> AttributeValue {
    guard let value = unsafe value else { return .empty }
    switch unsafe value.pointee.value_case {
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE:
      return unsafe .string(bytes(value.pointee.string_value))
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE:
      return .int(unsafe value.pointee.int_value)
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE:
      return .bool(unsafe value.pointee.bool_value != 0)
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE:
      return .double(unsafe value.pointee.double_value)
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BYTES_VALUE:
      return unsafe .bytes(bytes(value.pointee.bytes_value))
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_ARRAY_VALUE:
      return unsafe .array(firstText(in: value.pointee.array_value))
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_KVLIST_VALUE:
      return .keyValueList
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE_STRINDEX:
      builder.warn(.stringIndexFields)
      return .empty
    default:
      return .empty
    }
  }

  private func firstText(
    in list: UnsafeMutablePointer<Opentelemetry__Proto__Common__V1__ArrayValue>?
  ) -> UnsafeRawBufferPointer? {
    guard let list = unsafe list else { return nil }
    for index in 0..<(unsafe list.pointee.n_values) {
      guard let value = unsafe list.pointee.values[index],
        unsafe value.pointee.value_case
          == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE
      else { continue }
      let text = unsafe bytes(value.pointee.string_value)
      if unsafe !text.isEmpty { return unsafe text }
    }
    return nil
  }

  /// Bytes in the arena.
  @inline(__always)
  private func bytes(_ data: ProtobufCBinaryData) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: data.data, count: data.len)
  }

  /// An enum as it was sent: the generated C holds it unsigned, the wire format is signed.
  @inline(__always)
  private func number(_ rawValue: UInt32) -> Int64 { Int64(Int32(truncatingIfNeeded: rawValue)) }
}
