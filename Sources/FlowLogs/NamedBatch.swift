import Model

/// A batch being filled, with the names its records refer to.
struct NamedBatch {
  private struct Node: Hashable {
    var kind: NameKind
    var address: String
  }

  private(set) var batch: SpanBatch
  private var known: [Node: NameID] = [:]
  private var listed: Set<NameID> = []
  private let environment: String
  private let names: NameTable
  private let now: Nanos

  init(tenant: TenantID, environment: String, names: NameTable, now: Nanos) {
    batch = SpanBatch(tenant: tenant)
    self.environment = environment
    self.names = names
    self.now = now
  }

  /// - Parameter fields: all of the line, the blanks between them left out.
  mutating func append(_ record: FlowLogLine.Record, _ fields: [ArraySlice<UInt8>]) {
    var traits: SpanTraits = []
    let client = name(.client, record.client, &traits)
    let server = name(.external, record.server, &traits)
    var content = ByteWriter()
    content.write(text: environment)
    for field in fields { content.write(text: String(decoding: field, as: UTF8.self)) }
    let trace = TraceID(ofRecord: content.bytes.span, tenant: batch.tenant, source: .flowLog)
    batch.append(
      SpanRecord(
        trafficIn: trace, TrafficKind(.flowLog, recordedBy: record.recordedBy), from: client,
        to: server, start: record.start, end: record.end, bytes: record.bytes, traits: traits),
      trace: trace)
  }

  private mutating func name(
    _ kind: NameKind, _ address: String, _ traits: inout SpanTraits
  ) -> NameID {
    let node = Node(kind: kind, address: address)
    let text = NodeIdentity(environment: environment, name: address).text
    let id =
      known[node] ?? names.intern(tenant: batch.tenant, kind: kind, text, now: now)
    known[node] = id
    if id != Name(tenant: batch.tenant, kind: kind, text: text).id {
      traits.insert(.overflow(kind))
    }
    if listed.insert(id).inserted { batch.names.append(id) }
    return id
  }

  /// Hands the batch over, once it is full.
  mutating func finish(_ counts: inout [TraceID: UInt64]) -> SpanBatch? {
    guard !batch.isEmpty else { return nil }
    batch.tellEqualRecordsApart(&counts)
    return batch
  }
}
