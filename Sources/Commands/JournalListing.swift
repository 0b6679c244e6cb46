import Graph
import Journal
import Model

/// Journal records as lines.
struct JournalListing {
  private let format: PlainFormat
  /// Those of all records so far: a record refers to names of earlier ones.
  private var names: [NameID: Name] = [:]

  init(_ format: PlainFormat) { self.format = format }

  var header: String {
    format == .json
      ? ""
      : row([
        "SEQUENCE", "TRACE", "SPAN", "PARENT", "KIND", "START", "TIME", "SERVICE", "OPERATION",
      ]) + "\n"
  }

  /// The lines of one record, each with its line feed.
  mutating func lines(of record: JournalRecord) -> String {
    switch record {
    case .batch(let sequence, let batch, let names):
      for name in names { self.names[name.id] = name }
      return batch.spans.indices.reduce(into: "") { text, index in
        text += line(batch.spans[index], batch.traces[index], batch.tenant, sequence) + "\n"
      }
    case .seal(let checkpoint, let traces):
      return seal(checkpoint, traces) + "\n"
    }
  }

  static func text(of summary: JournalReadSummary) -> String {
    var text = [
      Figure.count(summary.segments, "segment"),
      Figure.count(summary.batches, "batch", plural: "batches"),
      Figure.count(summary.spans, "span"), Figure.count(summary.seals, "seal"),
    ].joined(separator: ", ")
    if summary.skippedRecords > 0 {
      text +=
        "; \(Figure.count(summary.skippedRecords, "damaged record")) passed over"
        + " (\(Figure.count(summary.skippedBytes, "byte")))"
    }
    if summary.tornBytes > 0 {
      text += "; \(Figure.count(summary.tornBytes, "byte")) of an unfinished group"
    }
    return text
  }

  private func line(
    _ span: SpanRecord, _ trace: TraceID, _ tenant: TenantID, _ sequence: UInt64
  ) -> String {
    guard format == .table else { return json(span, trace, tenant, sequence) }
    return row([
      "\(sequence)", trace.description, span.id.description,
      span.hasNoParent ? "-" : span.parent.description, "\(span.kind)",
      Timestamp.text(span.start), Figure.milliseconds(Double(span.durationNanos) / 1_000_000),
      node(span.service), text(span.operation) + (span.isError ? "  (error)" : ""),
    ])
  }

  /// Columns of fixed width: a journal is too long to measure before it is printed.
  private func row(_ cells: [String]) -> String {
    let widths = [8, 32, 16, 16, 8, 30, 8, 24]
    let padded = cells.enumerated().map { index, cell in
      let width = index < widths.count ? widths[index] : 0
      let cell = PlainTable.printable(cell)
      return cell + String(repeating: " ", count: max(0, width - cell.count))
    }
    return padded.joined(separator: "  ")
  }

  private func json(
    _ span: SpanRecord, _ trace: TraceID, _ tenant: TenantID, _ sequence: UInt64
  ) -> String {
    var json = JSONText()
    json.object { json in
      json.member("sequence", sequence)
      json.member("tenant", tenant.raw)
      json.member("trace_id", trace.description)
      json.member("span_id", span.id.description)
      json.member("parent_span_id", span.hasNoParent ? "" : span.parent.description)
      json.member("kind", "\(span.kind)")
      json.member("start_unix_nano", span.start)
      json.member("end_unix_nano", span.end)
      json.member("service", node(span.service))
      json.member("version", text(span.version))
      json.member("instance", text(span.instance))
      json.member("operation", text(span.operation))
      json.member("peer", node(span.peer))
      json.member("error", span.isError)
      if span.kind == .traffic { json.member("bytes", span.trafficBytes) }
      json.member("weight", Double(span.weight) / Double(SpanRecord.weightOne))
    }
    return json.text
  }

  private func seal(_ checkpoint: UInt64, _ traces: [TraceKey]) -> String {
    guard format == .json else { return "sealed in checkpoint \(checkpoint): \(traces.count)" }
    var json = JSONText()
    json.object { json in
      json.member("checkpoint", checkpoint)
      json.member("sealed", traces.map(\.trace.description))
    }
    return json.text
  }

  /// Empty for none; the number where the journal lost the name.
  private func text(_ id: NameID) -> String {
    id.isNone ? "" : names[id]?.text ?? "#\(id.raw.hexadecimal)"
  }

  private func node(_ id: NameID) -> String {
    let identity = NodeIdentity(text: text(id))
    let path = [identity.environment, identity.namespace, identity.name]
    return path.filter { !$0.isEmpty }.joined(separator: "/")
  }
}

extension SpanRecord {
  /// A record of traffic holds its bytes where a span holds its parent.
  fileprivate var hasNoParent: Bool { parent.isZero || kind == .traffic }
}
