import Synchronization

/// How often each route was asked, by status. Bounded: routes and statuses are both few.
final class RequestCounters: Sendable {
  private struct Key: Hashable {
    var route: String
    var status: Int
  }

  private let counts = Mutex<[Key: UInt64]>([:])

  /// - Parameter route: the path as the route has it; unknown paths all count under one name.
  func count(route: String?, status: Int) {
    counts.withLock { $0[Key(route: route ?? "unknown", status: status), default: 0] += 1 }
  }

  var metric: Metric {
    let samples = counts.withLock { counts in
      counts.map { key, count in
        Metric.Sample(Double(count), labels: ["route": key.route, "status": String(key.status)])
      }
    }
    return Metric(
      "spangate_query_requests_total", .counter, help: "Requests to the query API.",
      samples: samples)
  }
}
