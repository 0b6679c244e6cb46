import Markers
import Synchronization

/// What became of the messages of each source.
final class WebhookCounters: Sendable {
  enum Outcome: String, CaseIterable {
    /// It told of changes.
    case taken
    /// It told of none.
    case ignored
    /// It could not be read.
    case refused
    /// Its signature was missing or wrong.
    case forged
  }

  private struct Key: Hashable {
    var source: WebhookSource
    var outcome: Outcome
  }

  private let counts = Mutex<[Key: UInt64]>([:])

  func count(_ source: WebhookSource, _ outcome: Outcome) {
    counts.withLock { $0[Key(source: source, outcome: outcome), default: 0] += 1 }
  }

  var metric: Metric {
    let samples = counts.withLock { counts in
      counts.map { key, count in
        Metric.Sample(
          Double(count),
          labels: ["source": key.source.rawValue, "outcome": key.outcome.rawValue])
      }
    }
    return Metric(
      "spangate_webhooks_total", .counter,
      help: "Webhook messages by source and what became of them.", samples: samples)
  }
}
