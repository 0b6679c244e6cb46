import Foundation

/// Markers as the query API gives them: what the tables show of them.
enum MarkerAnswer {
  struct Posted: Decodable {
    var id: String
  }

  struct Scaling: Decodable {
    var from: Int?
    var to: Int?
    var reason: String?
  }

  struct One: Decodable {
    var id: String
    var kind: String
    var service: String?
    var namespace: String?
    var environment: String?
    var time: String
    var endTime: String?
    var state: String?
    var version: String?
    var previousVersion: String?
    var scaling: Scaling?
    var source: String?
    var dedupeKey: String?
    var url: String?
    var attributes: [String: Value]?
    var inferred: Bool?
  }

  struct List: Decodable {
    var start: String?
    var end: String?
    var markers: [One]
    var truncated: Bool?
  }

  /// A text, a number, true or false, as a text.
  struct Value: Decodable {
    var text: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let truth = try? container.decode(Bool.self) {
        text = "\(truth)"
      } else if let number = try? container.decode(Double.self) {
        text = number == number.rounded() ? String(format: "%.0f", number) : "\(number)"
      } else {
        text = try container.decode(String.self)
      }
    }
  }

  /// - Errors: `CommandFailure` of kind failed when the answer is something else.
  static func decode<Answer: Decodable>(
    _ type: Answer.Type, _ answer: HTTPAnswer, from url: URL
  ) throws(CommandFailure) -> Answer {
    try ServerAnswer.decode(type, answer.body, from: url, noun: "marker")
  }
}

extension MarkerAnswer.One {
  /// `shop/checkout`, or a dash for what concerns everything.
  fileprivate var serviceText: String {
    guard let service, !service.isEmpty else { return "–" }
    guard let namespace, !namespace.isEmpty else { return service }
    return "\(namespace)/\(service)"
  }

  fileprivate var change: String {
    if let to = scaling?.to { return "\(scaling?.from.map { "\($0)" } ?? "?") → \(to)" }
    guard let version else { return "" }
    return previousVersion.map { "\($0) → \(version)" } ?? version
  }

  fileprivate var row: [String] {
    [time, kind, serviceText, change, state ?? "", environment ?? "", source ?? "", id]
  }

  /// One line a field; what is not known has none.
  fileprivate var fields: [(String, String?)] {
    [
      ("id", id), ("kind", kind), ("service", serviceText), ("environment", environment),
      ("time", time), ("until", endTime), ("state", state), ("change", change),
      ("reason", scaling?.reason),
      ("source", source), ("inferred", inferred == true ? "yes" : nil),
      ("dedupe key", dedupeKey), ("url", url),
    ] + (attributes ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value.text) }
  }

  var table: String { PlainFields(fields).text }
}

extension MarkerAnswer.List {
  var table: String {
    guard !markers.isEmpty else {
      return "no markers from \(start ?? "?") to \(end ?? "?")\n"
    }
    let table = PlainTable(
      header: ["TIME", "KIND", "SERVICE", "CHANGE", "STATE", "ENVIRONMENT", "SOURCE", "ID"],
      rows: markers.map(\.row)
    ).text
    return truncated == true ? table + "\nThere are older ones: name --limit or --end.\n" : table
  }
}
