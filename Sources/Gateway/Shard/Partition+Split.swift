import Model

extension Partition {
  /// Which of `shards` shards owns the partition of a trace.
  static func shard(of key: TraceKey, among shards: Int) -> Int { of(key) % shards }

  /// A batch divided among shards, order kept; the whole of it when there is but one.
  static func split(
    _ batch: borrowing SpanBatch, over shards: Int
  ) -> [(shard: Int, batch: SpanBatch)] {
    guard shards > 1 else { return [(0, copy batch)] }
    var parts = Array(repeating: SpanBatch(tenant: batch.tenant), count: shards)
    for index in 0..<batch.count {
      let key = TraceKey(tenant: batch.tenant, trace: batch.traces[index])
      parts[shard(of: key, among: shards)].append(batch.spans[index], trace: key.trace)
    }
    return parts.enumerated().filter { !$0.element.isEmpty }.map { ($0.offset, $0.element) }
  }
}
