public import Impact
import Model

/// What the gate says to one question, kept where there is evidence to keep. Whatever asks the gate
/// asks here: what other tools are told is this, in their words.
public struct GateDecision: Sendable {
  let report: GateReport
  let answer: GateAnswer
  /// Of the kept verdict; nil where there was nothing to keep.
  let id: VerdictID?

  /// - Errors: what keeps the gateway from reading what was seen, or from keeping the verdict.
  public init(_ request: GateRequest, by backend: any QueryBackend) async throws {
    report = try await backend.gate(request)
    answer = report.answer
    id =
      report.hasEvidence ? try await backend.keep(GateDecision.stored(report, answer)) : nil
  }

  public var verdict: Verdict { answer.verdict }

  /// The answer of `GET /api/v1/gate`.
  var document: [UInt8] { GateDocument.bytes(report, answer, id: id) }

  /// One sentence, and what it is said of: `rollback: …`.
  var sentence: String {
    ([answer.verdict.rawValue] + answer.reasons.prefix(1)).joined(separator: ": ")
  }

  /// All that it says, for a person: `wait: …; …`.
  public var comment: String {
    "\(answer.verdict.rawValue): \(answer.reasons.joined(separator: "; "))"
  }

  /// A request to the new version has been seen since the change.
  var hasTraffic: Bool {
    let windows = report.question.concurrent?.windows ?? []
    return windows.contains { $0.current.traces > 0 }
      || report.question.beforeAfter.map { $0.subject.now.after.traces > 0 } ?? false
  }

  private static func stored(_ report: GateReport, _ answer: GateAnswer) -> StoredVerdict {
    let subject = report.subject
    let rollout = RolloutID(
      tenant: report.tenant, service: subject.service, environment: subject.environment,
      version: subject.version)
    let until = subject.until ?? 0
    let verdict = answer.verdict.rawValue
    return StoredVerdict(
      id: VerdictID(rollout, verdict: verdict, since: until), tenant: report.tenant,
      rollout: rollout, service: subject.service, version: subject.version, verdict: verdict,
      since: until, until: until, report: report.bytes,
      answer: GateDocument.bytes(report, answer, id: nil))
  }
}
