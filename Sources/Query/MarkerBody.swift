import Graph
import Markers
import Model

/// Reads the body of a posted marker.
enum MarkerBody {
  /// Times and words as everywhere else in the API.
  static let language = MarkerReader.Language(
    time: Timestamp.parse,
    nearest: { Spelling.nearest(to: $0, among: $1, countMax: 1).first },
    written: Timestamp.text)

  private static let reader = MarkerReader(language: language)

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

  private static func object(_ body: [UInt8]) throws(QueryProblem) -> [String: JSONValue] {
    let example = #"{"kind": "deployment", "service": "checkout", "version": "v42"}"#
    guard body.contains(where: { $0 > 0x20 }) else {
      throw QueryProblem(
        .invalidRequest, "The body is empty; a marker is a JSON object such as \(example).")
    }
    let input: JSONValue
    do {
      input = try JSONReader.read(body)
    } catch {
      throw QueryProblem(
        .invalidRequest,
        "The body is no JSON (\(error.message)); a marker is an object such as \(example).")
    }
    guard case .object(let members) = input else {
      throw QueryProblem(
        .invalidRequest, "The body must be one JSON object, such as \(example).")
    }
    return members
  }
}
