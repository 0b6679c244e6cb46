public import Model

/// A question to the gate as it was understood, with all it rests on. The answer follows from it.
public struct GateReport: Equatable, Sendable {
  /// What the question turned out to be about; empty or nil where it could not be told.
  public struct Subject: Equatable, Sendable {
    /// As users read it: `namespace/name`.
    public var service = ""
    public var environment = ""
    public var version = ""
    public var baseline = ""
    /// Which version to go back to, should the verdict be that.
    public var rollbackTo = ""
    public var marker: MarkerID?
    /// When the change began.
    public var start: Nanos?
    /// Where finished data ends.
    public var until: Nanos?
    public var deadline: Nanos?

    public init() {}
  }

  public var tenant: TenantID
  public var subject: Subject
  public var question: GateQuestion
  /// What a reader should know besides what the numbers say; they come last among the reasons.
  public var remarks: [String]

  public init(
    tenant: TenantID, subject: Subject = Subject(), question: GateQuestion = GateQuestion(),
    remarks: [String] = []
  ) {
    self.tenant = tenant
    self.subject = subject
    self.question = question
    self.remarks = remarks
  }

  /// There is something to keep.
  public var hasEvidence: Bool { question.concurrent != nil || question.beforeAfter != nil }

  public var answer: GateAnswer {
    guard hasEvidence else {
      return .waiting(
        remarks.first ?? "there is nothing to compare with yet", also: remarks.dropFirst())
    }
    let answer = Gate.answer(question)
    guard question.rules == .attributed else { return answer.adding(remarks) }
    return answer.attributed(Attribution(question)).adding(remarks)
  }
}

extension GateAnswer {
  /// The same with more reasons behind its own.
  func adding(_ remarks: [String]) -> GateAnswer {
    GateAnswer(
      verdict: verdict, confidence: confidence, reasons: reasons + remarks, evidence: evidence,
      comparison: comparison, health: health, smallestDetectable: smallestDetectable,
      etaSeconds: etaSeconds, control: control, attribution: attribution)
  }

  /// The same with what may have brought it about. Before and after cannot tell what else began with the
  /// change: where something else is clearly more likely, it rolls nothing back.
  func attributed(_ attribution: Attribution) -> GateAnswer {
    let other = verdict == .promote ? nil : attribution.otherAhead
    let isOverruled = other != nil && verdict == .rollback && comparison == .beforeAfter
    let reason = verdict == .wait || isOverruled ? other.map { [$0.waitReason] } ?? [] : []
    return GateAnswer(
      verdict: isOverruled ? .wait : verdict, confidence: isOverruled ? 0 : confidence,
      reasons: isOverruled ? reason + reasons : reasons + reason, evidence: evidence,
      comparison: comparison, health: health, smallestDetectable: smallestDetectable,
      etaSeconds: etaSeconds, control: control, attribution: attribution.hypotheses)
  }

  static func waiting(_ reason: String, also others: ArraySlice<String>) -> GateAnswer {
    GateAnswer.waiting(reason).adding(Array(others))
  }
}
