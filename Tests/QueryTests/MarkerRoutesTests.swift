import Foundation
import Graph
import HummingbirdTesting
import Model
import Testing

@testable import Query

private let path = "/api/v1/markers"
private let deployment = #"{"kind": "deployment", "service": "checkout", "version": "v42"}"#

@Suite struct MarkerRoutesTests {
  /// Scenario: a marker with every field is posted, twice, read and deleted, twice.
  /// Guarantees: 201 and 200 with one id; it is read as it was written; 204, then 404.
  @Test func life() async throws {
    let fixture = QueryFixture()
    let written = """
      {"kind": "scaling", "service": "checkout", "namespace": "shop", "environment": "prod",
       "time": "2026-09-21T13:00:00Z", "end_time": 1790000000, "version": "v42",
       "previous_version": "v41", "scaling": {"from": 3, "to": 5, "reason": "cpu"},
       "source": "github", "dedupe_key": "run-7", "url": "https://ci/7",
       "attributes": {"commit": "abc", "tries": 2, "share": 0.5, "manual": true}}
      """
    let posted = try await fixture.ask(path, .post, body: written)
    #expect(posted.status == .created)
    let id = try #require(try posted.json()["id"] as? String)
    #expect(id.hasPrefix("mk_") && id.count == 19)
    let again = try await fixture.ask(
      path, .post, body: #"{"kind": "config", "service": "x", "dedupe_key": "run-7"}"#)
    #expect(again.status == .ok)
    #expect(try again.json()["id"] as? String == id)
    let shown = try await fixture.ask("\(path)/\(id)")
    #expect(shown.status == .ok)
    #expect(
      shown.text == """
        {"id":"\(id)","kind":"scaling","service":"checkout","namespace":"shop",\
        "environment":"prod","time":"2026-09-21T13:00:00Z","end_time":"2026-09-21T14:13:20Z",\
        "state":"finished","version":"v42","previous_version":"v41",\
        "scaling":{"from":3,"to":5,"reason":"cpu"},"source":"github","dedupe_key":"run-7",\
        "url":"https://ci/7",\
        "attributes":{"commit":"abc","manual":true,"share":0.5,"tries":2},"inferred":false}
        """)
    let deleted = try await fixture.ask("\(path)/\(id)", .delete)
    #expect(deleted.status == .noContent)
    #expect(deleted.text.isEmpty && deleted.headers[.contentType] == nil)
    #expect(try await fixture.ask("\(path)/\(id)", .delete).status == .notFound)
    #expect(try await fixture.ask("\(path)/\(id)").status == .notFound)
  }

  /// Scenario: a marker says no time.
  /// Guarantees: it is now; what is not known is left out of the answer.
  @Test func defaults() async throws {
    let fixture = QueryFixture()
    let posted = try await fixture.ask(path, .post, body: deployment)
    let id = try posted.json()["id"] as? String ?? ""
    let marker = try await fixture.ask("\(path)/\(id)").json()
    #expect(marker["time"] as? String == Timestamp.text(fixture.backend.now))
    #expect(marker["end_time"] == nil && marker["scaling"] == nil && marker["url"] == nil)
    #expect(marker["namespace"] as? String == "")
  }

  /// Scenario: markers with something wrong.
  /// Guarantees: 400 with the field and what is right; nothing is kept.
  @Test(
    arguments: [
      (#"{"kind": "deploy", "service": "a"}"#, "kind", "Did you mean \"deployment\"?"),
      (#"{"service": "a"}"#, "kind", "Is required"),
      (#"{"kind": "deployment"}"#, "service", "Is required"),
      (#"{"kind": "deployment", "service": 1}"#, "service", "not a number"),
      (#"{"kind": "deployment", "service": "a", "verison": "1"}"#, "verison", "\"version\""),
      (
        #"{"kind": "deployment", "service": "a", "time": "2261-01-01T00:00:00Z"}"#, "time", "future"
      ),
      (#"{"kind": "deployment", "service": "a", "time": true}"#, "time", "RFC 3339"),
      (#"{"kind": "scaling", "service": "a", "scaling": {"to": 1.5}}"#, "scaling.to", "whole"),
      (#"{"kind": "scaling", "service": "a", "scaling": {"to": {}}}"#, "scaling.to", "whole"),
      (#"{"kind": "incident", "attributes": {"a": {"b": {"c": 1}}}}"#, "attributes.a", "an object"),
      (#"{"kind": "incident", "attributes": {"a": [1]}}"#, "attributes.a", "an array"),
    ])
  func wrong(body: String, field: String, message: String) async throws {
    let fixture = QueryFixture()
    let answer = try await fixture.ask(path, .post, body: body)
    #expect(answer.status == .badRequest)
    #expect(answer.headers[.contentType] == "application/problem+json")
    let errors = try answer.fieldErrors()
    #expect(Array(errors.keys) == [field])
    #expect(errors[field]?.contains(message) == true, "\(errors)")
    #expect(fixture.backend.state.withLock { $0.markers.isEmpty })
  }

  /// Scenario: several fields are wrong.
  /// Guarantees: all are told at once.
  @Test func allAtOnce() async throws {
    let answer = try await QueryFixture().ask(path, .post, body: #"{"kind": "x", "url": "y"}"#)
    #expect(Set(try answer.fieldErrors().keys) == ["kind", "url"])
    #expect(try (answer.json()["detail"] as? String)?.hasPrefix("2 fields") == true)
  }

  /// Scenario: bodies that are no JSON object, or far too deep, or not UTF-8, or a parameter besides.
  /// Guarantees: 400 that says what a marker looks like.
  @Test(arguments: ["", " \n", "[]", "\"x\"", "{", "kind=deployment", "{\"a\":}", "null"])
  func noObject(body: String) async throws {
    let answer = try await QueryFixture().ask(path, .post, body: body)
    #expect(answer.status == .badRequest)
    #expect(try (answer.json()["detail"] as? String)?.contains("checkout") == true)
  }

  @Test func deep() async throws {
    let fixture = QueryFixture()
    let nested = String(repeating: "[", count: 20_000)
    #expect(try await fixture.ask(path, .post, body: nested).status == .badRequest)
    let object = String(repeating: "{\"a\":", count: 10_000)
    #expect(try await fixture.ask(path, .post, body: object).status == .badRequest)
    #expect(try await fixture.ask("\(path)?kind=x", .post, body: deployment).status == .badRequest)
  }

  /// Scenario: bodies at and over the limit.
  /// Guarantees: one as large as may be is read; one larger is a 400 that says so of the body.
  @Test func size() async throws {
    let fixture = QueryFixture()
    let full = deployment + String(repeating: " ", count: 64 << 10 - deployment.utf8.count)
    #expect(try await fixture.ask(path, .post, body: full).status == .created)
    let over = try await fixture.ask(path, .post, body: full + " ")
    #expect(over.status == .badRequest)
    #expect(try over.fieldErrors()["body"]?.contains("65536 bytes") == true)
  }

  /// Scenario: markers are listed without and with every parameter.
  /// Guarantees: the last 24 hours and what a marker may be ahead; each parameter reaches the
  /// question; the range is echoed in whole windows.
  @Test func list() async throws {
    let fixture = QueryFixture()
    for number in 0..<3 {
      let body = #"{"kind": "deployment", "service": "checkout", "version": "v\#(number)"}"#
      _ = try await fixture.ask(path, .post, body: body)
    }
    let answer = try await fixture.ask(path)
    #expect(try (answer.json()["markers"] as? [Any])?.count == 3)
    #expect(try answer.json()["truncated"] as? Bool == false)
    let limited = try await fixture.ask(
      "\(path)?start=1790000001&end=1790000012&service=shop/checkout&namespace=-&environment=prod"
        + "&kind=feature_flag&state=failed&limit=2")
    let json = try limited.json()
    #expect((json["markers"] as? [Any])?.count == 2)
    #expect(json["truncated"] as? Bool == true)
    #expect(json["start"] as? String == Timestamp.text(1_790_000_000 * .second))
    #expect(json["end"] as? String == Timestamp.text(1_790_000_020 * .second))
    let filters = fixture.backend.state.withLock(\.filters)
    let now = fixture.backend.now
    #expect(filters[0].start <= now - .day + 10 * .minute && filters[0].start > now - .day)
    #expect(filters[0].end > now + 10 * .minute)
    #expect(filters[0].service == nil && filters[0].kind == nil)
    #expect(
      filters[1]
        == MarkerFilter(
          start: 1_790_000_000 * .second, end: 1_790_000_020 * .second, service: "shop/checkout",
          namespace: "", environment: "prod", kind: .featureFlag, state: .failed, countMax: 3))
  }

  /// Scenario: questions with mistakes, ids that are none, methods that are not taken.
  /// Guarantees: each is refused with a hint.
  @Test func wrongQuestions() async throws {
    let fixture = QueryFixture()
    for (query, field) in [
      ("kind=deploy", "kind"), ("limit=0", "limit"), ("serivce=a", "serivce"), ("start=x", "start"),
    ] {
      let answer = try await fixture.ask("\(path)?\(query)")
      #expect(answer.status == .badRequest)
      #expect(Array(try answer.fieldErrors().keys) == [field])
    }
    for id in ["x", "mk_1", "mk_0123456789abcdef", "%FF"] {
      #expect(try await fixture.ask("\(path)/\(id)").status == .notFound)
    }
    let answer = try await fixture.ask(path, .delete)
    #expect(answer.status == .methodNotAllowed)
    #expect(answer.headers[.allow] == "GET, HEAD, POST")
  }

  /// Scenario: one service is asked for, which has markers.
  /// Guarantees: they are in the answer; they were asked for by name, place and range.
  @Test func service() async throws {
    let fixture = QueryFixture()
    _ = try await fixture.ask(path, .post, body: deployment)
    let answer = try await fixture.ask("/api/v1/services/shop/checkout").json()
    let markers = try #require(answer["markers"] as? [[String: Any]])
    #expect(markers.first?["version"] as? String == "v42")
    let filter = try #require(fixture.backend.state.withLock(\.filters).first)
    #expect(filter.service == "checkout" && filter.namespace == "shop")
    #expect(filter.environment == "")
    #expect(Timestamp.text(filter.start) == answer["start"] as? String)
  }

  /// Scenario: the description of the API.
  /// Guarantees: it names the statuses, the body and every field that a marker has.
  @Test func described() async throws {
    let document = try await QueryFixture().ask("/api/v1/openapi.json").json()
    let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
    let post = try #require(paths[path]?["post"])
    #expect(Set((post["responses"] as? [String: Any] ?? [:]).keys) == ["200", "201", "default"])
    #expect(post["requestBody"] != nil)
    let delete = try #require(paths["\(path)/{id}"]?["delete"])
    #expect(Set((delete["responses"] as? [String: Any] ?? [:]).keys) == ["204", "default"])
    let schemas = (document["components"] as? [String: [String: [String: Any]]])?["schemas"]
    let properties = schemas?["Marker"]?["properties"] as? [String: Any] ?? [:]
    let marker = Marker(
      kind: .scaling, service: "a", time: 1, endTime: 2, version: "b", previousVersion: "c",
      scaling: .init(to: 1), source: "d", dedupeKey: "e", url: "f")
    var json = JSONText()
    json.marker(marker)
    let written = try #require(
      try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: Any])
    #expect(Set(properties.keys) == Set(written.keys))
  }
}
