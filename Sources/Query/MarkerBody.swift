import Foundation
import Graph
import Markers
import Model

/// Reads the body of a posted marker.
enum MarkerBody {
  private static let reader = MarkerReader(
    language: .init(
      time: Timestamp.parse,
      nearest: { Spelling.nearest(to: $0, among: $1, countMax: 1).first },
      written: Timestamp.text))

  /// - Errors: a problem that names every field that is wrong.
  static func marker(
    _ body: [UInt8], tenant: TenantID, now: Nanos
  ) throws(QueryProblem) -> Marker {
    let object = try object(body)
    do {
      return try reader.read(object, tenant: tenant, now: now)
    } catch {
      let errors = error.list.map { QueryProblem.FieldError($0.field, $0.message) }
      let detail =
        errors.count == 1
        ? "\(errors[0].field): \(errors[0].message)"
        : "\(errors.count) fields of the marker are wrong; `errors` lists them."
      throw QueryProblem(.invalidRequest, detail, errors: errors)
    }
  }

  private static func object(_ body: [UInt8]) throws(QueryProblem) -> [String: MarkerInput] {
    let example = #"{"kind": "deployment", "service": "checkout", "version": "v42"}"#
    guard body.contains(where: { $0 > 0x20 }) else {
      throw QueryProblem(
        .invalidRequest, "The body is empty; a marker is a JSON object such as \(example).")
    }
    let input: MarkerInput
    do {
      input = try JSONDecoder().decode(JSONInput.self, from: Data(body)).value
    } catch {
      throw QueryProblem(
        .invalidRequest,
        "The body is no JSON\(place(of: error)); a marker is an object such as \(example).")
    }
    guard case .object(let members) = input else {
      throw QueryProblem(
        .invalidRequest, "The body must be one JSON object, such as \(example).")
    }
    return members
  }

  /// What the decoder says about where it stopped; nothing when it says nothing.
  private static func place(of error: any Error) -> String {
    guard case DecodingError.dataCorrupted(let context) = error,
      let underlying = context.underlyingError as NSError?,
      let text = underlying.userInfo[NSDebugDescriptionErrorKey] as? String
    else { return "" }
    let shown = text.prefix(160).filter { !$0.isNewline }
    return " (\(shown.hasSuffix(".") ? String(shown.dropLast()) : String(shown)))"
  }
}

/// Any JSON value. Deeper than a marker goes nothing is kept but what kind of value it is.
private struct JSONInput: Decodable {
  var value: MarkerInput

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      value = .null
    } else if let truth = try? container.decode(Bool.self) {
      value = .boolean(truth)
    } else if let number = try? container.decode(Int64.self) {
      value = .integer(number)
    } else if let number = try? container.decode(Double.self) {
      value = .number(number)
    } else if let text = try? container.decode(String.self) {
      value = .text(text)
    } else if (try? decoder.unkeyedContainer()) != nil {
      value = .array
    } else {
      // The object itself, and one object inside it: `scaling`, `attributes`.
      let isDeep = decoder.codingPath.count > 1
      value = .object(
        isDeep ? [:] : try container.decode([String: JSONInput].self).mapValues(\.value))
    }
  }
}
