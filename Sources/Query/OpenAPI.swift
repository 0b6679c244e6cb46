import Access
import Graph
import Hummingbird

/// The description of the API for other programs, made from the routes themselves.
/// - Source: OpenAPI Specification 3.1.
enum OpenAPI {
  static let path = "/api/v1/openapi.json"

  /// The route that answers the description of `routes` and of itself.
  static func route(describing routes: [Route]) -> Route {
    let own = route { _ in Answer(.json, "") }
    let document = document(routes + [own]).bytes
    return route { call in
      try call.parameters.finish()
      return Answer(.json, document)
    }
  }

  private static func route(
    _ handle: @escaping @Sendable (Call) async throws -> Answer
  ) -> Route {
    Route(
      method: .get, path: path, summary: "This document.", answers: [.json], handle: handle)
  }

  static func document(_ routes: [Route]) -> JSONText {
    var json = JSONText()
    json.object { json in
      json.member("openapi", "3.1.0")
      json.member("info") { json in
        json.member("title", "Spangate")
        json.member("version", "1")
        json.member(
          "description",
          "Times are RFC 3339 or Unix time as 10, 13, 16 or 19 digits; ranges are [start, end), "
            + "widened to whole windows and echoed; counts are adjusted for sampling. Where tokens are "
            + "known, requests need one as Authorization: Bearer, with the scope that the operation "
            + "names in x-spangate-scope.")
      }
      json.member("paths") { json in
        for path in Set(routes.map(\.path)).sorted() {
          json.member(path, object: { paths(&$0, routes.filter { $0.path == path }) })
        }
      }
      json.member("components") { json in
        json.member("schemas", object: OpenAPISchemas.write)
      }
    }
    return json

    func paths(_ json: inout JSONText, _ routes: [Route]) {
      for route in routes {
        json.member(route.method.rawValue.lowercased()) { operation(&$0, route) }
      }
    }
  }

  private static func operation(_ json: inout JSONText, _ route: Route) {
    json.member("summary", route.summary)
    if let needed = route.needs { json.member("x-spangate-scope", needed.rawValue) }
    json.key("parameters")
    json.array { json in
      for name in route.segmentNames {
        parameter(&json, name, in: "path", isRequired: true) { text(&$0) }
      }
      for query in route.parameters {
        parameter(
          &json, query.name, in: "query", isRequired: query.isRequired, summary: query.summary
        ) {
          schema(&$0, of: query.shape)
        }
      }
    }
    if let schema = route.body {
      json.member("requestBody") { json in
        json.member("required", true)
        json.member("content") { json in
          json.member(route.bodyType.mediaType) { answer(&$0, route.bodyType, schema: schema) }
        }
      }
    }
    json.member("responses") { json in
      for success in route.successes {
        json.member(String(success.status)) { json in
          json.member("description", success.summary)
          guard !route.answers.isEmpty else { return }
          json.member("content") { json in
            for type in route.answers {
              json.member(type.rawValue) {
                answer(&$0, type, schema: route.schema, isList: route.answersList)
              }
            }
          }
        }
      }
      json.member("default") { json in
        json.member("description", "A problem document that says what to do.")
        json.member("content") { json in
          json.member(AnswerType.problem.rawValue) { answer(&$0, .json, schema: "Problem") }
        }
      }
    }
  }

  private static func parameter(
    _ json: inout JSONText, _ name: String, in place: String, isRequired: Bool,
    summary: String? = nil, schema: (inout JSONText) -> Void
  ) {
    json.object { json in
      json.member("name", name)
      json.member("in", place)
      json.member("required", isRequired)
      if let summary { json.member("description", summary) }
      json.member("schema", object: schema)
    }
  }

  private static func text(_ json: inout JSONText) {
    json.member("type", "string")
    json.member("minLength", 1)
  }

  /// RFC 3339, or Unix time in one of four units by its digits.
  private static func time(_ json: inout JSONText) {
    json.key("anyOf")
    json.array { json in
      json.object { json in
        json.member("type", "string")
        json.member("format", "date-time")
      }
      json.object { json in
        json.member("type", "string")
        json.member("pattern", "^([0-9]{10}|[0-9]{13}|[0-9]{16}|[0-9]{19})$")
      }
    }
  }

  private static func schema(_ json: inout JSONText, of shape: QueryParameter.Shape) {
    switch shape {
    case .text: text(&json)
    case .time: time(&json)
    case .integer(let range):
      json.member("type", "integer")
      json.member("minimum", range.lowerBound)
      json.member("maximum", range.upperBound)
    case .number(let range):
      json.member("type", "number")
      json.member("minimum", range.lowerBound as Double?)
      json.member("maximum", range.upperBound as Double?)
    case .choice(let choices):
      json.member("type", "string")
      json.member("enum", choices)
    }
  }

  private static func answer(
    _ json: inout JSONText, _ type: AnswerType, schema: String?, isList: Bool = false
  ) {
    json.member("schema") { json in
      if type == .json, let schema {
        let reference = "#/components/schemas/\(schema)"
        if isList {
          json.member("type", "array")
          json.member("items") { $0.member("$ref", reference) }
        } else {
          json.member("$ref", reference)
        }
      } else {
        json.member("type", type == .json ? "object" : "string")
      }
    }
  }
}

extension Route {
  fileprivate var segmentNames: [String] {
    path.split(separator: "/").filter { $0.first == "{" }.map { String($0.dropFirst().dropLast()) }
  }
}
