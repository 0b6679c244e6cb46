import Foundation
import FoundationNetworking
import Logging
import Model
import Testing

@testable import Gateway

/// Traffic from the ports to the graph, and what has to hold of it on the way.
@Suite("Traffic that no span tells of, from port to port")
struct TrafficTests {
  private func withServer(
    _ directory: URL, _ body: (ListeningAddresses) async throws -> Void
  ) async throws {
    var configuration = Configuration()
    configuration.receiver.grpc.address.port = 0
    configuration.receiver.http.address.port = 0
    configuration.query.address.port = 0
    configuration.store.path = directory.path
    configuration.workers = 2
    configuration.shutdown.drain = 2 * .second
    let server = SpangateServer(configuration: configuration, logger: Logger(label: "test"))
    let addresses = try await server.start()
    try await body(addresses)
    try await server.stop()
  }

  private func withDirectory(_ body: (URL) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "spangate-traffic-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    try await body(directory)
  }

  private func ask(
    _ url: String, post body: String? = nil, type: String = "application/json"
  ) async throws -> (status: Int, text: String) {
    var request = URLRequest(url: try #require(URL(string: url)))
    if let body {
      request.httpMethod = "POST"
      request.httpBody = Data(body.utf8)
      request.setValue(type, forHTTPHeaderField: "content-type")
    }
    let (data, response) = try await URLSession.shared.data(for: request)
    let status = try #require(response as? HTTPURLResponse).statusCode
    return (status, String(decoding: data, as: UTF8.self))
  }

  /// Access log records of a service at an address; of one that calls by cluster, or one called from
  /// an address.
  private func logs(
    _ service: String, at address: String, calls: Bool, records: Int, time: Nanos
  ) -> String {
    func attribute(_ key: String, _ value: String) -> String {
      #"{"key":"\#(key)","value":{"stringValue":"\#(value)"}}"#
    }
    let other =
      calls
      ? [
        attribute("upstream_cluster", "outbound|80||b.local"),
        attribute("upstream_host", "10.0.0.2:80"),
      ]
      : [
        attribute("upstream_cluster", "inbound|80||"),
        attribute("downstream_remote_address", "10.0.0.1:9"),
      ]
    let list = (0..<records).map { index in
      let all =
        other + [
          attribute("response_code", index == 0 ? "503" : "200"), attribute("duration", "5"),
          attribute("bytes_sent", "100"), attribute("request_id", "\(index)"),
        ]
      return #"{"timeUnixNano":"\#(time)","attributes":[\#(all.joined(separator: ","))]}"#
    }
    let resource = [attribute("service.name", service), attribute("k8s.pod.ip", address)]
    return #"{"resourceLogs":[{"resource":{"attributes":[\#(resource.joined(separator: ","))]},"#
      + #""scopeLogs":[{"logRecords":[\#(list.joined(separator: ","))]}]}]}"#
  }

  /// Scenario: access logs of both ends of the same calls and a flow log between their addresses, each sent
  /// twice; a stop, a start on the same directory, and all of it a third time.
  /// Guarantees: one edge of calls and one of bytes between the two services, at once and without a flush,
  /// with the counts of sending once; no span is counted.
  @Test func countedOnce() async throws {
    try await withDirectory { directory in
      let time = SystemClock.now() - 5 * .second
      let seconds = time / .second
      let flows = """
        srcaddr dstaddr srcport dstport bytes start end action log-status
        10.0.0.1 10.0.0.2 50000 80 1000 \(seconds - 60) \(seconds) ACCEPT OK
        10.0.0.2 10.0.0.1 80 50000 5000 \(seconds - 60) \(seconds) ACCEPT OK
        - - - - - \(seconds - 60) \(seconds) - NODATA
        10.0.0.1 nonsense
        """
      for round in 1...2 {
        try await withServer(directory) { at in
          for _ in 1...2 {
            for (service, address, calls) in [("a", "10.0.0.1", true), ("b", "10.0.0.2", false)] {
              let body = logs(service, at: address, calls: calls, records: 4, time: time)
              let answer = try await ask("http://\(at.http)/v1/logs", post: body)
              #expect(answer.status == 200 && answer.text == "{}")
            }
            let answer = try await ask(
              "http://\(at.query)/api/v1/flow-logs", post: flows, type: "text/plain")
            #expect(answer.status == 200)
            let counts =
              #"{"accepted":2,"skipped":1,"skipped_reasons":{"no_data":1},"rejected_lines":1,"#
            #expect(answer.text.hasPrefix(counts))
            #expect(answer.text.contains("line 5 has 2 fields where 9 are expected"))
          }
          _ = try await ask("http://\(at.query)/api/v1/admin/flush", post: "")
          let graph = try await ask("http://\(at.query)/api/v1/graph").text
          let calls =
            #"{"client":"a","server":"b","source":"access_log","recorded_by":["client","server"],"#
            + #""records":4,"requests":4.0,"failed":1.0,"bytes":400,"#
          #expect(graph.contains(calls), "round \(round): \(graph)")
          let bytes =
            #"{"client":"a","server":"b","source":"flow_log","recorded_by":[],"records":2,"#
            + #""requests":null,"failed":0.0,"bytes":6000,"latency_ms":null}"#
          #expect(graph.contains(bytes), "round \(round): \(graph)")
          #expect(graph.contains(#""edges":[],"#) && graph.contains(#""coverage":{"spans":0,"#))
          let metrics = try await ask("http://\(at.query)/metrics").text
          #expect(metrics.contains(#"spangate_log_records_accepted_total{transport="http"} 16"#))
          #expect(metrics.contains(#"spangate_spans_accepted_total{transport="http"} 0"#))
        }
      }
    }
  }

  /// Scenario: a shard is given records, one of them twice, and spans.
  /// Guarantees: a record stands as soon as it is there; its copy changes nothing but the count of copies;
  /// event time is that of spans.
  @Test func standsAtOnce() {
    var shard = Shard(limits: TraceLimits())
    let epoch = TraceGenerator.epoch
    func record(_ number: UInt64) -> (SpanRecord, TraceID) {
      let trace = TraceID(high: number, low: number)
      return (
        SpanRecord(
          trafficIn: trace, TrafficKind(.flowLog, recordedBy: .unknown), from: NameID(1),
          to: NameID(2), start: epoch, end: epoch + .hour, bytes: 10), trace
      )
    }
    func records(of shard: borrowing Shard) -> Int64 {
      let sums = shard.snapshot().merged(from: 0, to: .max, after: 0) ?? Window()
      let key = SeriesKey.traffic(
        from: NameID(1), to: NameID(2), TrafficKind(.flowLog, recordedBy: .unknown))
      return sums.series[key]?.counters[.requests] ?? 0
    }
    var batch = SpanBatch()
    for number: UInt64 in 1...3 { batch.append(record(number).0, trace: record(number).1) }
    shard.fold(batch, sequence: 1, now: epoch)
    #expect(records(of: shard) == 3 && shard.newestEnd == 0)
    shard.fold(batch, sequence: 2, now: epoch + .second)
    #expect(records(of: shard) == 3)
    shard.advance(to: epoch + .minute)
    #expect(records(of: shard) == 3 && shard.counters.duplicates == 3)
    shard.advance(to: epoch + .hour)
    shard.fold(batch, sequence: 3, now: epoch + .hour)
    #expect(records(of: shard) == 3 && shard.counters.late == 3)
  }
}
