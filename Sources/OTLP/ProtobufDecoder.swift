import COTLP
import CProtobufC

/// Reads a protobuf request: scan, unpack into the arena, walk the tree into the builder.
///
/// The tree lives until the walk is over; nothing of it leaves this type.
@safe struct ProtobufDecoder: ~Copyable {
  private typealias Request = Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest
  private typealias ResourceSpans = Opentelemetry__Proto__Trace__V1__ResourceSpans
  private typealias ScopeSpans = Opentelemetry__Proto__Trace__V1__ScopeSpans
  private typealias WireSpan = Opentelemetry__Proto__Trace__V1__Span
  private typealias KeyValue = Opentelemetry__Proto__Common__V1__KeyValue
  private typealias AnyValue = Opentelemetry__Proto__Common__V1__AnyValue

  private let limits: DecodeLimits
  private let arena: Arena
  private var scan: WireScan

  init(limits: DecodeLimits) {
    self.limits = limits
    arena = Arena(bytesMax: limits.memoryBytesMax)
    scan = WireScan(limits: limits)
  }

  /// Feeds every span of `body` to the builder, between its `begin` and its `finish`.
  mutating func read(
    _ body: UnsafeRawBufferPointer, into builder: inout SpanBuilder
  ) throws(DecodeError) {
    let summary = unsafe try scan.scan(body)
    defer { arena.reset() }
    guard arena.prepare(bytes: summary.memoryBytes) else { throw memoryError(summary) }
    unsafe try unpack(body, summary, into: &builder)
    if summary.legacySpans > 0 {
      builder.reject(spans: summary.legacySpans, .deprecatedInstrumentationLibrarySpans)
    }
  }

  private func unpack(
    _ body: UnsafeRawBufferPointer, _ summary: WireScan.Summary, into builder: inout SpanBuilder
  ) throws(DecodeError) {
    let bytes = unsafe UnsafeBufferPointer(
      start: body.baseAddress?.assumingMemoryBound(to: UInt8.self), count: body.count)
    let request =
      if let cleaned = summary.cleaned {
        unsafe cleaned.withUnsafeBufferPointer { unsafe unpacked($0) }
      } else {
        unsafe unpacked(bytes)
      }
    guard let request = unsafe request else { throw unpackError(summary) }
    for index in 0..<(unsafe request.pointee.n_resource_spans) {
      guard let spans = unsafe request.pointee.resource_spans[index] else { continue }
      unsafe walk(spans, into: &builder)
    }
  }

  /// The tree, all of it copied into the arena; nil when libprotobuf-c refuses.
  private func unpacked(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<Request>? {
    unsafe opentelemetry__proto__collector__trace__v1__export_trace_service_request__unpack(
      arena.protobufAllocator, bytes.count, bytes.baseAddress)
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
    builder.beginResource()
    if let resource = unsafe resourceSpans.pointee.resource {
      for index in 0..<(unsafe resource.pointee.n_attributes) {
        guard let attribute = unsafe resource.pointee.attributes[index] else { continue }
        guard let key = unsafe key(of: attribute, &builder) else { continue }
        let value = unsafe value(of: attribute, &builder)
        unsafe builder.resourceAttribute(key: key, value: value)
      }
    }
    builder.endResource()
    for index in 0..<(unsafe resourceSpans.pointee.n_scope_spans) {
      guard let scope = unsafe resourceSpans.pointee.scope_spans[index] else { continue }
      for index in 0..<(unsafe scope.pointee.n_spans) {
        guard let span = unsafe scope.pointee.spans[index] else { continue }
        unsafe walk(span, into: &builder)
      }
    }
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
      let value = unsafe value(of: attribute, &builder)
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
      builder.link(
        isWhole: unsafe trace.count == 16 && id.count == 8 && !trace.isZero && !id.isZero)
    }
    builder.unreadLinks(UInt64(count - read))
    builder.droppedLinks(UInt64(unsafe span.pointee.dropped_links_count))
  }

  /// nil when the key is an index into a table that traces do not carry.
  private func key(
    of attribute: UnsafeMutablePointer<KeyValue>, _ builder: inout SpanBuilder
  ) -> UnsafeRawBufferPointer? {
    let key = unsafe bytes(attribute.pointee.key)
    guard unsafe attribute.pointee.key_strindex != 0 else { return unsafe key }
    builder.warn(.stringIndexFields)
    return unsafe key.isEmpty ? nil : key
  }

  private func value(
    of attribute: UnsafeMutablePointer<KeyValue>, _ builder: inout SpanBuilder
  ) -> AttributeValue {
    guard let value = unsafe attribute.pointee.value else { return .empty }
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
