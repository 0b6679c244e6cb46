import Model

// A record of traffic says of two nodes that one called the other, and nothing else does: it is emitted
// as it is, and touches no series of spans.
extension TraceAnalyser {
  func emitTraffic(_ record: SpanRecord, _ tenant: TenantID, into findings: inout [Finding]) {
    let client = record.trafficClient
    let server = record.trafficServer
    let window = record.end.floored(to: windowNanos)
    let weight = Int64(record.weight)
    var counters = Counters()
    counters[.requests] = 1
    counters[.requestsAdjusted] = weight
    for kind in NameKind.allCases where record.traits.contains(.overflow(kind)) {
      findings.append(
        Finding(window: window, key: .overflow(tenant, kind), counters: counters))
    }
    guard !client.isNone, !server.isNone else {
      findings.append(
        Finding(window: window, key: .unpaired(tenant, .trafficWithoutPeer), counters: counters))
      return
    }
    counters[.bytes] = min(Int64(clamping: record.trafficBytes), TraceAnalyser.trafficBytesMax)
    if record.isError {
      counters[.errors] = 1
      counters[.errorsAdjusted] = weight
    }
    var finding = Finding(
      window: window, key: .traffic(from: client, to: server, record.trafficKind),
      counters: counters, weight: weight)
    if record.trafficKind.source == .accessLog, !record.traits.contains(.endBeforeStart) {
      finding.latency = record.durationNanos
    }
    findings.append(finding)
    emitLocation(of: client, at: record.trafficClientAddress, record, into: &findings)
    emitLocation(of: server, at: record.trafficServerAddress, record, into: &findings)
  }

  /// Where a node is that a record names. By the minute: addresses change hands slowly.
  private func emitLocation(
    of node: NameID, at address: NameID, _ record: SpanRecord, into findings: inout [Finding]
  ) {
    guard !address.isNone else { return }
    var counters = Counters()
    counters[.requests] = 1
    findings.append(
      Finding(
        window: record.end.floored(to: .minute), key: .location(of: node, at: address),
        counters: counters))
  }

  /// What one record adds at most, a pebibyte, so that thousands with the wildest claims still sum
  /// without leaving 64 bits.
  private static let trafficBytesMax: Int64 = 1 << 50
}
