import Foundation
import Graph
import Model
import OTLP

/// Sends requests, tries again what a gateway was too busy for, and counts.
struct ReplaySender {
  private let url: URL
  private let headers: [String: String]
  private let trust: ServerTrust
  private let context: CommandContext
  private(set) var report = ReplayReport()

  /// How often one request is tried.
  static let attemptsMax = 10
  /// The longest wait between two tries, whatever the gateway asks for.
  static let waitSecondsMax = 60.0

  init(url: URL, headers: [String: String], trust: ServerTrust, context: CommandContext) {
    self.url = url
    self.headers = headers
    self.trust = trust
    self.context = context
  }

  /// Sends one request.
  /// - Returns: what the gateway did not like about it; nil when it took everything.
  /// - Errors: `CommandFailure` when going on makes no sense: out of reach, too busy, not allowed.
  mutating func send(
    _ body: [UInt8], _ encoding: OTLPEncoding, spans: Int
  ) async throws -> String? {
    var headers = headers
    headers["Content-Type"] = encoding == .json ? "application/json" : "application/x-protobuf"
    let request = HTTPRequest(method: "POST", url: url, headers: headers, body: body, trust: trust)
    for attempt in 1...ReplaySender.attemptsMax {
      let answer = try await context.http.send(request)
      switch answer.status {
      case 200...299: return taken(PartialSuccess(answer.body, encoding), spans: spans)
      case 429, 502, 503, 504:
        guard attempt < ReplaySender.attemptsMax else { break }
        report.retries += 1
        try await context.sleep(ReplaySender.waitNanos(answer, attempt: attempt))
      case 401, 403: _ = try ServerAnswer.body(answer, from: url)
      case 404:
        throw CommandFailure(
          .usage, "\(url) takes no traces; --to is the OTLP/HTTP address (port 4318)")
      default:
        report.refused += 1
        return "refused with status \(answer.status): \(ReplaySender.words(answer, encoding))"
      }
    }
    throw CommandFailure(
      .unreachable, "\(url) was too busy \(ReplaySender.attemptsMax) times; \(report.text)")
  }

  private mutating func taken(_ partial: PartialSuccess, spans: Int) -> String? {
    let rejected = min(partial.rejectedSpans, spans)
    report.requests += 1
    report.accepted += spans - rejected
    report.rejected += rejected
    guard !partial.message.isEmpty else { return nil }
    return PlainTable.printable(partial.message)
  }

  /// As long as the gateway asks for; else half a second, doubling.
  /// - Source: RFC 9110 section 10.2.3, `Retry-After` in seconds.
  static func waitNanos(_ answer: HTTPAnswer, attempt: Int) -> Nanos {
    let asked = answer.headers["retry-after"].flatMap(Double.init).flatMap { $0 >= 0 ? $0 : nil }
    let seconds = asked ?? 0.5 * Double(1 << min(attempt - 1, 10))
    return Nanos(min(seconds, waitSecondsMax) * 1e9)
  }

  /// The message of the `google.rpc.Status` a refusal carries.
  private static func words(_ answer: HTTPAnswer, _ encoding: OTLPEncoding) -> String {
    guard encoding == .protobuf else {
      struct Status: Decodable { var message: String? }
      do {
        let status = try JSONDecoder().decode(Status.self, from: Data(answer.body))
        if let message = status.message { return PlainTable.printable(message) }
      } catch {
        // Not a status: what it is instead is shown as it came.
      }
      return ServerAnswer.text(answer)
    }
    return PlainTable.printable(WireFields(answer.body).text(2) ?? ServerAnswer.text(answer))
  }
}

/// What became of a replay.
struct ReplayReport: Equatable {
  /// Requests taken, with their spans.
  var requests = 0
  var accepted = 0
  var rejected = 0
  /// Requests refused as a whole.
  var refused = 0
  var retries = 0

  var text: String {
    "\(Figure.count(requests, "request")) sent, \(Figure.count(accepted, "span")) accepted, "
      + "\(rejected) rejected, \(Figure.count(refused, "request")) refused, "
      + Figure.count(retries, "retry", plural: "retries")
  }

  var json: String {
    var json = JSONText()
    json.object { json in
      json.member("requests", requests)
      json.member("accepted_spans", accepted)
      json.member("rejected_spans", rejected)
      json.member("refused_requests", refused)
      json.member("retries", retries)
    }
    return json.text
  }
}
