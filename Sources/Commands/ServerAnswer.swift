import Foundation

/// What an answer of the query API means for the command that asked.
enum ServerAnswer {
  /// A problem document, as the API gives it.
  /// - Source: RFC 9457.
  private struct Problem: Decodable {
    struct Field: Decodable {
      var field: String?
      var message: String?
    }
    var title: String?
    var detail: String?
    var errors: [Field]?
  }

  /// The body of a good answer.
  /// - Errors: `CommandFailure`, with what the server said.
  static func body(_ answer: HTTPAnswer, from url: URL) throws(CommandFailure) -> [UInt8] {
    switch answer.status {
    case 200...299: return answer.body
    case 401, 403:
      throw CommandFailure(
        .notAllowed,
        "\(ServerAddress.origin(url)) does not allow this: \(withoutFullStop(text(answer))). "
          + "Set SPANGATE_TOKEN or --token-file.")
    case 400, 404, 422: throw CommandFailure(.usage, text(answer))
    case 429, 502, 503, 504:
      throw CommandFailure(
        .unreachable, "\(ServerAddress.origin(url)) is not ready: \(text(answer))")
    default:
      throw CommandFailure(
        .failed, "\(ServerAddress.origin(url)) answered \(answer.status): \(text(answer))")
    }
  }

  /// What a good answer holds.
  /// - Parameter noun: what it should have been, such as `graph`.
  /// - Errors: `CommandFailure` of kind failed when it is something else.
  static func decode<Answer: Decodable>(
    _ type: Answer.Type, _ body: [UInt8], from url: URL, noun: String
  ) throws(CommandFailure) -> Answer {
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode(type, from: Data(body))
    } catch {
      throw CommandFailure(
        .failed,
        "\(url) answered something that is no \(noun); check that --server is the query address "
          + "(port 4320)")
    }
  }

  /// What the server said, on one line and not longer than one can read.
  static func text(_ answer: HTTPAnswer) -> String {
    var text = String(decoding: answer.body.prefix(1_000), as: UTF8.self)
    do {
      let problem = try JSONDecoder().decode(Problem.self, from: Data(answer.body))
      let parts = sentences(of: problem)
      if !parts.isEmpty {
        text = (parts.dropLast().map(withoutFullStop) + parts.suffix(1)).joined(separator: "; ")
      }
    } catch {
      // Not a problem document: a proxy, or another server. Its own words are all there is.
      if text.isEmpty { return "status \(answer.status)" }
    }
    return PlainTable.printable(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// The detail, then what it does not already say about single fields.
  private static func sentences(of problem: Problem) -> [String] {
    let detail = problem.detail ?? problem.title
    let fields = (problem.errors ?? []).filter { field in
      guard let detail, let message = field.message else { return true }
      return message.isEmpty || !detail.contains(message)
    }
    return [detail].compactMap(\.self)
      + fields.map { "\($0.field ?? "?"): \($0.message ?? "")" }
  }

  private static func withoutFullStop(_ text: String) -> String {
    text.hasSuffix(".") ? String(text.dropLast()) : text
  }
}
