import Impact
import Model

/// Rollouts of checkout from v41 to v42, of which the gate says one thing or the other.
enum VerdictExample: String, CaseIterable {
  case promote
  case rollback
  /// Some requests were seen, too few to say anything.
  case wait
  /// The new version is known, and no request reached it yet.
  case withoutTraffic
  /// Nothing is known of what is asked.
  case unknown

  static let start: Nanos = 1_790_000_000 * .second

  var report: GateReport {
    guard self != .unknown else {
      return GateReport(tenant: .standard, remarks: ["no span of checkout v42 has been seen"])
    }
    var subject = GateReport.Subject()
    subject.service = "shop/checkout"
    subject.version = "v42"
    subject.baseline = "v41"
    subject.start = VerdictExample.start
    subject.until = VerdictExample.start + Nanos(windowCount) * windowNanos
    let windows = (0..<windowCount).map { index in
      ComparedWindow(
        start: VerdictExample.start + Nanos(index) * windowNanos, current: current,
        baseline: side(traces: 450, errors: 2), unknownFailures: 0)
    }
    return GateReport(
      tenant: .standard, subject: subject,
      question: GateQuestion(
        concurrent: ConcurrentQuestion(
          version: "v42", baseline: "v41", start: VerdictExample.start,
          until: VerdictExample.start + Nanos(windowCount) * windowNanos, windows: windows)))
  }

  private var windowCount: Int { self == .wait || self == .withoutTraffic ? 2 : 30 }

  private var current: Side {
    switch self {
    case .promote, .unknown: side(traces: 50, errors: 0)
    case .rollback: side(traces: 50, errors: 10)
    case .wait: side(traces: 3, errors: 0)
    case .withoutTraffic: .nothing
    }
  }

  private func side(traces: Int64, errors: Int64) -> Side {
    Side(
      traces: traces, errorTraces: errors,
      latency: LogLatency(weight: Double(traces), mean: 17, variance: 0.1))
  }
}
