import Markers
import Model
import TestSupport
import Testing

private let now: Nanos = 1_790_000_000 * .second

private let reader = MarkerReader(
  language: .init(
    time: { text in Nanos(text).flatMap { $0 < 1 << 33 ? $0 * .second : nil } },
    nearest: { word, known in known.first { $0.hasPrefix(word.prefix(3)) } },
    written: { "\($0 / .second)" }))

private func read(_ object: [String: JSONValue]) throws(MarkerProblems) -> Marker {
  try reader.read(object, tenant: .standard, now: now)
}

/// The messages by field; empty when the marker is right.
private func problems(_ object: [String: JSONValue]) -> [String: String] {
  do {
    _ = try read(object)
    return [:]
  } catch {
    return error.list.reduce(into: [:]) { $0[$1.field] = $1.message }
  }
}

@Suite struct MarkerReaderTests {
  /// Scenario: every field is given.
  /// Guarantees: each is where it belongs; empty texts and null are the same as nothing.
  @Test func everything() throws {
    let marker = try read([
      "kind": .text("scaling"), "service": .text("checkout"), "namespace": .text("shop"),
      "environment": .text("prod"), "time": .text("1789999990"),
      "end_time": .integer(1_789_999_995),
      "version": .text("v42"), "previous_version": .text("v41"),
      "scaling": .object(["from": .integer(3), "to": .integer(5), "reason": .text("cpu")]),
      "source": .text("github"), "dedupe_key": .text("run 7"), "url": .text("https://ci/7"),
      "attributes": .object([
        "a": .text("x\ny"), "b": .integer(1), "c": .number(0.5), "d": .boolean(true), "e": .null,
      ]),
    ])
    let expected = Marker(
      kind: .scaling, service: "checkout", namespace: "shop", environment: "prod",
      time: 1_789_999_990 * .second, endTime: 1_789_999_995 * .second, version: "v42",
      previousVersion: "v41", scaling: .init(from: 3, to: 5, reason: "cpu"), source: "github",
      dedupeKey: "run 7", url: "https://ci/7",
      attributes: ["a": .text("x\ny"), "b": .integer(1), "c": .number(0.5), "d": .boolean(true)])
    #expect(marker == expected)
    #expect(!marker.inferred)
    let short = try read([
      "kind": .text("incident"), "service": .text(""), "scaling": .null, "dedupe_key": .text(""),
    ])
    #expect(short == Marker(kind: .incident, service: "", time: now))
  }

  /// Scenario: one thing is wrong with a marker.
  /// Guarantees: exactly that field is named, with what would be right.
  @Test(
    arguments: [
      (["kind": .text("deploy")], "kind", "Did you mean \"deployment\"?"),
      (["kind": .null], "kind", "Is required"),
      (["kind": .integer(1)], "kind", "Must be a text, not a number."),
      (["service": .null], "service", "Is required"),
      (["service": .array([])], "service", "Must be a text, not an array."),
      (["service": .text("a\u{1F}b")], "service", "control characters"),
      (["version": .text(String(repeating: "v", count: 257))], "version", "256 are allowed"),
      (["dedupe_key": .text(String(repeating: "v", count: 513))], "dedupe_key", "512"),
      (["time": .text("yesterday")], "time", "RFC 3339"),
      (["time": .boolean(true)], "time", "RFC 3339"),
      (["time": .integer(1_790_000_601)], "time", "in the future"),
      (
        ["time": .integer(1_789_999_999), "end_time": .integer(1_789_999_998)], "end_time", "before"
      ),
      (["scaling": .object(["to": .integer(1)])], "scaling", "with kind scaling only"),
      (["url": .text("javascript:alert(1)")], "url", "https://"),
      (["attributes": .text("x")], "attributes", "Must be an object, not a text."),
      (["attributes": .object(["x": .object([:])])], "attributes.x", "not an object"),
      (
        ["attributes": .object(["x": .text(String(repeating: "v", count: 1_025))])], "attributes.x",
        "1024"
      ),
      (["attributes": .object(["": .text("x")])], "attributes.", "1 to 128"),
      (["sevrice": .text("x")], "sevrice", "Unknown key \"sevrice\""),
      (["serv": .text("x")], "serv", "Did you mean \"service\"?"),
    ] as [([String: JSONValue], String, String)])
  func wrong(change: [String: JSONValue], field: String, message: String) {
    let right: [String: JSONValue] = ["kind": .text("deployment"), "service": .text("checkout")]
    let found = problems(right.merging(change) { $1 })
    #expect(Array(found.keys) == [field])
    #expect(found[field]?.contains(message) == true, "\(found)")
  }

  /// Scenario: a size is given wrongly.
  /// Guarantees: the place inside the object is named.
  @Test func scaling() {
    let found = problems([
      "kind": .text("scaling"), "service": .text("a"),
      "scaling": .object(["from": .integer(-1), "too": .integer(2)]),
    ])
    #expect(Set(found.keys) == ["scaling.from", "scaling.to", "scaling.too"])
    #expect(
      problems(["kind": .text("scaling"), "service": .text("a"), "scaling": .array([])]).count == 1)
  }

  /// Scenario: everything is wrong at once; more attributes than there may be.
  /// Guarantees: all of it is told at once, but no more than one can read.
  @Test func allAtOnce() {
    let found = problems([
      "kind": .text("x"), "time": .text("x"), "url": .text("x"), "version": .boolean(false),
    ])
    #expect(Set(found.keys) == ["kind", "time", "url", "version"])
    let many = Dictionary(uniqueKeysWithValues: (0..<65).map { ("\($0)", JSONValue.integer(1)) })
    #expect(
      problems(["kind": .text("incident"), "attributes": .object(many)])["attributes"]?
        .contains("64 are allowed") == true)
    #expect(problems(many.merging(["kind": .text("incident")]) { $1 }).count == 16)
  }

  /// Scenario: the kinds that may concern everything, and the others, without a service.
  /// Guarantees: only those may.
  @Test(arguments: MarkerKind.allCases)
  func withoutService(kind: MarkerKind) {
    let mayConcernAll = kind == .infrastructure || kind == .incident
    #expect(problems(["kind": .text(kind.rawValue)]).isEmpty == mayConcernAll)
  }

  /// Scenario: the same marker again, one that differs in one field, one with a key.
  /// Guarantees: equal ids for equal content, others for others; a key alone decides; the text of an
  /// id can be read again and nothing else can.
  @Test func ids() throws {
    let first = Marker(kind: .deployment, service: "a", time: now, version: "v1")
    let changed = Marker(kind: .deployment, service: "a", time: now, previousVersion: "v1")
    #expect(first.id == Marker(kind: .deployment, service: "a", time: now, version: "v1").id)
    #expect(first.id != changed.id)
    let keyed = Marker(kind: .deployment, service: "a", time: now, dedupeKey: "k")
    #expect(keyed.id == Marker(kind: .config, service: "b", time: 1, dedupeKey: "k").id)
    #expect(
      keyed.id
        != Marker(tenant: TenantID(1), kind: .config, service: "b", time: 1, dedupeKey: "k").id)
    #expect("\(keyed.id)".count == 19)
    #expect(MarkerID("\(keyed.id)") == keyed.id)
    for text in ["", "mk_", "mk_123", "xx_0123456789abcdef", "mk_0123456789abcdeg"] {
      #expect(MarkerID(text) == nil)
    }
  }

  /// Scenario: values of random kinds under known and unknown keys.
  /// Guarantees: no crash, and what is accepted keeps every limit.
  @Test func random() {
    var generator = SeededGenerator()
    func value(_ depth: Int) -> JSONValue {
      switch generator.below(8) {
      case 0: .text(String(repeating: "\u{1F}é", count: generator.below(400)))
      case 1: .text(["deployment", "scaling", "1790000000", "https://a", ""][generator.below(5)])
      case 2: .integer(Int64(bitPattern: generator.anyMagnitude()))
      case 3: .number(Double(bitPattern: generator.next()))
      case 4: .boolean(true)
      case 5: .array([])
      case 6 where depth < 2:
        .object([
          ["to", "from", "x"][generator.below(3)]: value(depth + 1)
        ])
      default: .null
      }
    }
    var accepted = 0
    for _ in 0..<20_000 {
      var object: [String: JSONValue] = [:]
      if !generator.once(in: 8) { object["kind"] = .text("incident") }
      for _ in 0..<generator.below(4) {
        object[MarkerReader.keys[generator.below(MarkerReader.keys.count)]] = value(0)
      }
      guard let marker = try? read(object) else { continue }
      accepted += 1
      #expect(marker.service.utf8.count <= 256 && marker.attributes.count <= 64)
      #expect(marker.time <= now + 10 * .minute && marker.until >= marker.time)
    }
    #expect(accepted > 100)
  }
}
