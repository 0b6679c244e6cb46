import Model

// Links end in the same batch as the spans that have them, each as a record for the trace it names.
extension SpanBuilder {
  /// Appends the records of a span's links.
  /// - Parameter unread: how many more it has, of which nobody knows which spans they name.
  mutating func appendLinks(of span: SpanRecord, in trace: TraceID, unread: UInt64) {
    guard !links.isEmpty || unread > 0, !span.traits.contains(.settles) else { return }
    var unread = unread
    var isFirst = true
    for link in links where !isItself(link, span, trace) {
      guard linkRecords < limits.linksPerRequestMax else {
        unread = unread.saturatingAdding(1)
        continue
      }
      append(
        SpanRecord(linkOf: span, in: trace, to: link, isFirst: isFirst), trace: link.trace)
      isFirst = false
    }
    guard unread > 0 else { return }
    append(
      SpanRecord(unreadLinks: UInt16(clamping: unread), of: span, in: trace), trace: trace)
  }

  /// How many of a span's links get a record.
  func followedLinks(of span: SpanRecord, in trace: TraceID) -> UInt16 {
    let named = links.count { !isItself($0, span, trace) }
    return UInt16(clamping: min(named, max(0, limits.linksPerRequestMax - linkRecords)))
  }

  private func isItself(_ link: SpanLink, _ span: SpanRecord, _ trace: TraceID) -> Bool {
    link.span == span.id && link.trace == trace
  }

  private mutating func append(_ record: SpanRecord, trace: TraceID) {
    batch.append(record, trace: trace)
    linkRecords += 1
  }
}

extension SpanLink {
  /// nil where one of the ids has another length than it must have.
  init?(trace: UnsafeRawBufferPointer, span: UnsafeRawBufferPointer) {
    guard trace.count == 16, span.count == 8 else { return nil }
    let high = unsafe UInt64(bigEndian: trace.loadUnaligned(as: UInt64.self))
    let low = unsafe UInt64(bigEndian: trace.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    let id = unsafe UInt64(bigEndian: span.loadUnaligned(as: UInt64.self))
    self.init(trace: TraceID(high: high, low: low), span: SpanID(id))
  }
}
