import Graph
import Model
import Synchronization

/// The service graph as the metrics Tempo's dashboards know.
///
/// Which edges are shown one by one is decided once, in the order they first appear: were it
/// decided anew at every scrape, an edge could leave the sum of the others, which would then fall.
/// - Source: Grafana Tempo documentation, "Service graphs", metric and label names.
final class EdgeMetrics: Sendable {
  /// How an edge is labelled. Edges that are labelled alike (in two environments) are summed.
  struct Labels: Hashable, Comparable {
    var client: String
    var server: String
    var connectionType: String

    static let overflow = Labels(
      client: Name.overflowText, server: Name.overflowText, connectionType: "")

    var pairs: [(String, String)] {
      [("client", client), ("server", server), ("connection_type", connectionType)]
    }

    static func < (a: Labels, b: Labels) -> Bool {
      (a.client, a.server, a.connectionType) < (b.client, b.server, b.connectionType)
    }
  }

  /// 2 ms to 16.384 s, doubling.
  static let boundsSeconds: [Double] = (0..<14).map { 0.002 * Double(1 << $0) }

  private let seriesMax: Int
  private let shown = Mutex<Set<Labels>>([])

  init(seriesMax: Int) { self.seriesMax = seriesMax }

  /// What is shown of edges labelled alike.
  private struct Row {
    var sums = Sums()
    /// How long what was taken had been in a queue.
    var queued = Histogram()
    var examples = EdgeExemplars()
  }

  func write(_ snapshot: MetricsSnapshot, to text: inout MetricsText) {
    let (found, overflowedCount) = rows(of: snapshot)
    let rows = found.sorted { $0.key < $1.key }.map { (labels: $0.key.pairs, row: $0.value) }
    let prefix = "traces_service_graph_request"
    text.begin("\(prefix)_total", type: "counter", help: "Calls between two nodes.")
    for (labels, row) in rows {
      text.sample("\(prefix)_total", labels, events(row.sums.counters[.requestsAdjusted]))
    }
    text.begin("\(prefix)_failed_total", type: "counter", help: "Failed calls between two nodes.")
    for (labels, row) in rows {
      text.sample(
        "\(prefix)_failed_total", labels, events(row.sums.counters[.errorsAdjusted]),
        exemplar: row.examples.failed)
    }
    histograms(
      "\(prefix)_server_seconds", "How long calls took as the server saw them.",
      rows.map { ($0.labels, $0.row.sums.latency, $0.row.examples.server) }, &text)
    histograms(
      "\(prefix)_client_seconds", "How long calls took as the client saw them.",
      rows.map { ($0.labels, $0.row.sums.clientLatency, $0.row.examples.client) }, &text)
    histograms(
      "\(prefix)_messaging_system_seconds", "How long messages were in a queue.",
      rows.map { ($0.labels, $0.row.queued, [:]) }, &text)
    text.metric(
      Metric(
        "spangate_metrics_edges_overflowed", .gauge,
        help: "Edges summed under __overflow__ because metrics.series are shown already.",
        value: Double(overflowedCount)))
  }

  /// Rows by label, and how many edges found no place of their own.
  private func rows(of snapshot: MetricsSnapshot) -> ([Labels: Row], Int) {
    var rows: [Labels: Row] = [:]
    for (key, value) in snapshot.edges.series where key.kind == .edge {
      let labels = labels(key, snapshot.names)
      rows[labels, default: Row()].sums.merge(value)
      // From the queue to who takes: the gap of that edge is the time in the queue.
      if snapshot.names[NameID(key.first)]?.kind == .messaging {
        rows[labels]?.queued.merge(value.ownTime)
      }
      if let examples = snapshot.exemplars[key] { rows[labels]?.examples.merge(examples) }
    }
    let names = rows.keys.filter { $0 != .overflow }.sorted()
    let admitted = shown.withLock { shown in
      for name in names where shown.count < seriesMax { shown.insert(name) }
      return shown
    }
    let refused = names.filter { !admitted.contains($0) }
    for name in refused {
      if let row = rows.removeValue(forKey: name) {
        rows[.overflow, default: Row()].sums.merge(row.sums)
        rows[.overflow]?.queued.merge(row.queued)
      }
    }
    return (rows, refused.count)
  }

  private func labels(_ key: SeriesKey, _ names: [NameID: Name]) -> Labels {
    guard let client = names[NameID(key.first)].flatMap(NodeLabel.id),
      let server = names[NameID(key.second)].flatMap(NodeLabel.id),
      let type = UInt8(exactly: key.third).flatMap(ConnectionType.init(rawValue:))
    else { return .overflow }
    return Labels(client: client, server: server, connectionType: type.label)
  }

  private func histograms(
    _ name: String, _ help: String,
    _ rows: [([(String, String)], Histogram, [Int: EdgeExemplars.Call])],
    _ text: inout MetricsText
  ) {
    text.begin(name, type: "histogram", help: help)
    for (labels, histogram, examples) in rows where !histogram.isEmpty {
      let counts = EdgeMetrics.cumulative(histogram)
      for (index, bound) in EdgeMetrics.boundsSeconds.enumerated() {
        text.sample(
          "\(name)_bucket", labels + [("le", MetricsText.number(bound))], events(counts[index]),
          exemplar: examples[index])
      }
      text.sample(
        "\(name)_bucket", labels + [("le", "+Inf")], events(histogram.weight),
        exemplar: examples[EdgeMetrics.boundsSeconds.count])
      text.sample("\(name)_sum", labels, Double(histogram.sumNanos) / Double(Nanos.second))
      text.sample("\(name)_count", labels, events(histogram.weight))
    }
  }

  /// The first bucket whose bound is not below a duration; the one after the last for longer ones.
  static func bucket(of duration: Nanos) -> Int {
    let seconds = Double(duration) / Double(Nanos.second)
    return boundsSeconds.firstIndex { seconds <= $0 } ?? boundsSeconds.count
  }

  /// The weight at or below each bound. A bucket of ours, 2.2 % wide, counts as a whole where its
  /// middle lies, so a count never moves from one bound to another.
  static func cumulative(_ histogram: Histogram) -> [Int64] {
    var counts: [Int64] = []
    var below: Int64 = 0
    var rest = histogram.buckets[...]
    for bound in boundsSeconds {
      while let bucket = rest.first, middleSeconds(bucket.index) <= bound {
        below &+= bucket.weight
        rest = rest.dropFirst()
      }
      counts.append(below)
    }
    return counts
  }

  /// Nothing bounds the last bucket of ours, so no bound holds it.
  private static func middleSeconds(_ index: UInt16) -> Double {
    guard index < HistogramScale.overIndex else { return .infinity }
    let edges = HistogramScale.lowerEdgeNanos(index) + HistogramScale.upperEdgeNanos(index)
    return edges / 2 / Double(Nanos.second)
  }

  private func events(_ weight: Int64) -> Double {
    Double(weight) / Double(SpanRecord.weightOne)
  }
}
