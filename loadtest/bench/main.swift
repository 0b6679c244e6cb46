// Times each stage on its own, in this process: `make bench`. Read the figures as ratios between
// runs on one machine. The checksum is the same for the same arguments, whatever the machine: a
// change in it means that the work changed, not its speed.

import Analyse
import Assemble
import Gateway
import Model
import OTLP

struct Workload {
  var requests: [[UInt8]]
  var spanCount: Int

  /// Envoy-like export requests: every attribute a string, spans of many traces in one request.
  init(requests count: Int, spansPerRequest: Int, json: Bool) {
    requests = (0..<count).map { request in
      Workload.request(request, spans: spansPerRequest)
    }
    spanCount = count * spansPerRequest
  }

  static let epoch: Nanos = 1_800_000_000 * .second

  private static func request(_ request: Int, spans: Int) -> [UInt8] {
    var items: [String] = []
    for index in 0..<spans {
      let trace = UInt64(request * 7 + index % 50) &* 0x9E37_79B9_7F4A_7C15 | 1
      let span = UInt64(request * spans + index + 1)
      let start = epoch + UInt64(index) * .millisecond
      items.append(
        #"{"traceId":"\#(trace.hexadecimal)\#(trace.hexadecimal)","#
          + #""spanId":"\#(span.hexadecimal)","name":"egress service\#(index % 10)","kind":3,"#
          + #""startTimeUnixNano":"\#(start)","endTimeUnixNano":"\#(start + 5 * .millisecond)","#
          + #""attributes":[\#(attributes)]}"#)
    }
    let service = #"{"key":"service.name","value":{"stringValue":"service\#(request % 10)"}}"#
    let resource = #"{"resource":{"attributes":[\#(service)]},"scopeSpans":[{"spans":["#
    return Array(
      (#"{"resourceSpans":["# + resource + items.joined(separator: ",") + "]}]}]}").utf8)
  }

  private static let attributes = [
    ("component", "proxy"), ("upstream_cluster", "outbound|8080||reviews"),
    ("http.method", "GET"), ("http.status_code", "200"), ("response_flags", "-"),
    ("http.url", "http://reviews:8080/reviews/7"), ("peer.address", "10.1.2.3"),
  ].map { #"{"key":"\#($0.0)","value":{"stringValue":"\#($0.1)"}}"# }.joined(separator: ",")
}

func time(_ name: String, spans: Int, _ body: () -> UInt64) {
  let clock = ContinuousClock()
  var checksum: UInt64 = 0
  let duration = clock.measure { checksum = body() }
  let nanos =
    Double(duration.components.attoseconds) / 1e9 + Double(duration.components.seconds) * 1e9
  let perSpan = Int(nanos / Double(max(spans, 1)))
  print("\(name)\t\(perSpan) ns/span\t\(spans) spans\tchecksum \(checksum)")
}

let isTiny = CommandLine.arguments.contains("--tiny")
let workload = Workload(requests: isTiny ? 10 : 2_000, spansPerRequest: 100, json: true)
let names = NameTable()
var limits = DecodeLimits()
limits.retentionNanos = .max
limits.aheadNanosMax = .max
let decoder = OTLPDecoder(names: names, limits: limits)
var batches: [SpanBatch] = []

time("decode OTLP/JSON", spans: workload.spanCount) {
  for request in workload.requests {
    request.withUnsafeBytes { body in
      guard
        let decoded = try? decoder.decode(
          body, encoding: .json, tenant: .standard, now: Workload.epoch)
      else { fatalError("the workload is valid by construction") }
      batches.append(decoded.batch)
    }
  }
  return batches.reduce(0) { $0 &+ UInt64($1.count) }
}

time("assemble, analyse, window", spans: workload.spanCount) {
  var shard = Shard(limits: TraceLimits())
  for (index, batch) in batches.enumerated() {
    shard.fold(batch, sequence: UInt64(index + 1), now: Workload.epoch)
  }
  shard.closeAll()
  return UInt64(shard.traceCount)
}

time("histogram", spans: 1_000_000) {
  var histogram = Histogram()
  for value in 0..<UInt64(1_000_000) { histogram.add(value &* 7_919, weight: 256) }
  return UInt64(histogram.buckets.count)
}

// A span of a large trace is to cost at most twice as much as one of a small trace.
for size in TraceSizes.sizes {
  let traces = isTiny ? 1 : 200_000 / size
  time("traces of \(size) spans", spans: traces * size) {
    TraceSizes.atOnce(traces: traces, spans: size)
  }
}
let trickling = isTiny ? 1_000 : 50_000
time("a trace that trickles in over an hour", spans: trickling) {
  TraceSizes.trickling(spans: trickling)
}
