import Graph
import Impact
import Model

/// A kept verdict as JSON.
enum VerdictDocument {
  static func write(_ verdict: StoredVerdict, to json: inout JSONText) {
    json.member("id", "\(verdict.id)")
    json.member("service", verdict.service)
    json.member("version", verdict.version)
    json.member("verdict", verdict.verdict)
    json.member("since", Timestamp.text(verdict.since))
    json.member("data_until", Timestamp.text(verdict.until))
  }

  /// With the answer, what comes of the same windows now, and the windows.
  /// - Errors: `MalformedBytes` when what was kept is damaged.
  static func bytes(_ verdict: StoredVerdict) throws -> [UInt8] {
    let report = try GateReport(bytes: verdict.report)
    let again = GateDocument.bytes(report, report.answer, id: nil)
    var json = JSONText()
    json.object { json in
      write(verdict, to: &json)
      json.key("answer")
      json.raw(verdict.answer)
      json.member("recomputed_identically", again == verdict.answer)
      json.key("windows")
      json.array(report.question.concurrent?.windows ?? []) { write($1, to: &$0) }
      json.key("stretches")
      json.array(report.question.beforeAfter?.stretches ?? []) { write($1, to: &$0) }
    }
    return json.bytes
  }

  private static func write(_ window: ComparedWindow, to json: inout JSONText) {
    json.object { json in
      json.member("start", Timestamp.text(window.start))
      json.member("end", Timestamp.text(window.start.saturatingAdding(window.width)))
      json.member("current") { write(window.current, to: &$0) }
      json.member("baseline") { write(window.baseline, to: &$0) }
      json.member("unknown_failures", window.unknownFailures)
      json.member("is_warming_up", window.isWarmingUp)
    }
  }

  private static func write(_ stretch: Stretch, to json: inout JSONText) {
    json.object { json in
      json.member("before") { write(stretch.before, to: &$0) }
      json.member("after") { write(stretch.after, to: &$0) }
    }
  }

  private static func write(_ side: Side, to json: inout JSONText) {
    json.member("traces", side.traces)
    json.member("error_traces", side.errorTraces)
    json.member("unseen_failures", side.unseenFailures)
    json.member("typical_latency_ms", side.latency?.typicalMilliseconds)
  }
}

extension BeforeAfterQuestion {
  /// The one asked about, then the earlier ones that have data, the latest first.
  fileprivate var stretches: [Stretch] { [subject.now] + subject.earlier.compactMap { $0 } }
}
