/// A verdict as the query API gives it: what the table shows of it.
struct GateAnswer: Decodable {
  enum Verdict: String, Decodable, CaseIterable {
    case promote, rollback, wait
  }

  struct Evidence: Decodable {
    var metric: String
    var baseline: Double?
    var current: Double?
    var ratio: Double?
    /// Lower and upper end; an end that is not known is nil.
    var interval: [Double?]?
    var decision: String?
  }

  struct Health: Decodable {
    struct Part: Decodable {
      var name: String
      var score: Double?
      var weight: Double?
      var why: String?
    }

    var parts: [Part]?
  }

  struct SmallestDetectable: Decodable {
    var errorsRatio: Double?
    var latencyRatio: Double?
  }

  struct ErrorControl: Decodable {
    var method: String?
    var eValue: Double?
    var threshold: Double?
  }

  /// The only field a verdict cannot do without.
  var verdict: Verdict
  var score: Double?
  var confidence: Double?
  var marker: String?
  var service: String?
  var environment: String?
  var version: String?
  var baseline: String?
  var rollbackTo: String?
  var start: String?
  var reasons: [String]?
  var evidence: [Evidence]?
  var health: Health?
  var comparison: String?
  var dataUntil: String?
  var deadline: String?
  var etaSeconds: Double?
  var smallestDetectable: SmallestDetectable?
  var errorControl: ErrorControl?
}
