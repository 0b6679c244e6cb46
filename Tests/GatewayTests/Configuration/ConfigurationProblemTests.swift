import Foundation
import Testing

@testable import Gateway

private func problems(
  _ text: String, environment: [String: String] = [:], flags: [(String, String)] = []
) -> [String] {
  let file = ConfigurationFile(name: "gateway.yaml", contents: Array(text.utf8))
  let settings = flags.map {
    ConfigurationSetting(path: $0.0, text: $0.1, origin: .flag("--set \($0.0)"))
  }
  do {
    _ = try ConfigurationSources(environment: environment, flags: settings).load(file: file)
    return []
  } catch {
    return error.problems.map(\.description)
  }
}

@Suite struct ConfigurationProblemTests {
  /// Scenario: a file, an environment and flags with one mistake of each sort.
  /// Guarantees: all are reported at once, each with its place, its key and what to do.
  @Test func allAtOnce() {
    let text = """
      receiver:
        grpc:
          adress: 127.0.0.1:1
      traces:
        idle: soon
        max_age: [1s, 2s]
      limits: 5
      workers:
        count: 2
      journal:
        durability: fsnc
      """
    let found = problems(
      text, environment: ["SPANGATE_STORE_PATH": "x", "SPANGATE_WORKERS": "many"],
      flags: [("log.levle", "info"), ("shutdown.drain", "1d")])
    #expect(
      found == [
        "gateway.yaml:6: traces.max_age: holds a list; write one value",
        "gateway.yaml:7: limits: is a section, not a value; "
          + "write its keys below it, indented by two spaces",
        "gateway.yaml:8: workers: is a value, not a section; write one value",
        "gateway.yaml:3: receiver.grpc.adress: is no known key; "
          + "did you mean receiver.grpc.address?",
        "gateway.yaml:5: traces.idle: 'soon' is not a duration; "
          + "write a number and a unit (ms, s, m, h, d), such as 11s or 1h30m",
        "gateway.yaml:11: journal.durability: 'fsnc' is not one of fsync, os, none; "
          + "did you mean fsync?",
        "environment SPANGATE_STORE_PATH: is no known variable; "
          + "did you mean SPANGATE_STORE__PATH?",
        "environment SPANGATE_WORKERS: workers: 'many' is not a whole number; "
          + "write digits only, such as 1000",
        "flag --set log.levle: log.levle: is no known key; did you mean log.level?",
        "flag --set shutdown.drain: shutdown.drain: 1d is out of range; use 0s to 10m",
      ])
  }

  /// Scenario: lists with wrong parts, lists in lists, too many parts, and lists of one value's keys.
  /// Guarantees: each wrong part is told with its own line, and what was probably meant.
  @Test func lists() {
    let text = """
      failures:
        ignored_http_codes:
          - 404
          - 4xx
          - 499-400
          - [1]
          - 600
        ignored_grpc_codes: [OK, NOTFOUND]
      peers:
        attributes:
          - "a b"
          - ''
      """
    let http = "failures.ignored_http_codes"
    let code = "write a code from 100 to 599 such as 404, or a range such as 400-499"
    let key =
      "write a key such as peer.service, of 1 to 128 bytes without spaces, commas and "
      + "equals signs"
    #expect(
      problems(text, flags: [(http, "404,,410"), ("traces.idle", "1s, 2s")]) == [
        "gateway.yaml:4: \(http): '4xx' is no HTTP code and no range of them; \(code)",
        "gateway.yaml:5: \(http): '499-400' is a range that ends before it begins; write 400-499",
        "gateway.yaml:6: \(http): holds something else than values; "
          + "write one value a line, after a dash",
        "gateway.yaml:7: \(http): '600' is no HTTP code and no range of them; \(code)",
        "gateway.yaml:8: failures.ignored_grpc_codes: 'OK' is no gRPC code of a failure; "
          + "write a name such as NOT_FOUND, or a number from 1 to 16",
        "gateway.yaml:8: failures.ignored_grpc_codes: 'NOTFOUND' is no gRPC code of a failure; "
          + "did you mean NOT_FOUND?",
        "gateway.yaml:11: peers.attributes: 'a b' is no key of an attribute; \(key)",
        "gateway.yaml:12: peers.attributes: '' is no key of an attribute; \(key)",
        "flag --set \(http): \(http): '' is no HTTP code and no range of them; \(code)",
        "flag --set traces.idle: traces.idle: '1s, 2s' is not a duration; "
          + "write a number and a unit (ms, s, m, h, d), such as 11s or 1h30m",
      ])
    let keys = (0..<17).map { "k\($0)" }.joined(separator: ",")
    #expect(
      problems("", flags: [("peers.attributes", keys)]) == [
        "flag --set peers.attributes: peers.attributes: holds 17 values; use at most 16"
      ])
    #expect(problems("peers:\n  attributes: k1,k2\n") == [])
    let secret = "http.request.header.authorization"
    #expect(
      problems("", flags: [("identity.dimensions", secret), ("redaction.query_keys", "a=b")]) == [
        "flag --set identity.dimensions: identity.dimensions: '\(secret)' holds secrets, which are "
          + "not kept; name another attribute",
        "flag --set redaction.query_keys: redaction.query_keys: 'a=b' is no key of a query "
          + "parameter; write a key such as invite_token, of 1 to 128 bytes of ASCII, without its "
          + "'=' and value",
      ])
  }

  /// Scenario: objectives with a metric spelled wrong, a value of no sense, without a service, without a
  /// metric, with one given twice; two of the same service.
  /// Guarantees: each is told with its own line, and what was probably meant.
  @Test func objectives() {
    let text = """
      slo:
        services:
          - checkout latency_p59=100ms
          - checkout error_rate=2
          - error_rate=1%
          - checkout
          - checkout error_rate=1% error_rate=2%
          - checkout latency_p99=fast
      """
    let key = "slo.services"
    #expect(
      problems(text) == [
        "gateway.yaml:3: \(key): 'latency_p59' is nothing a service can be held to; "
          + "did you mean latency_p95?",
        "gateway.yaml:4: \(key): 2 is out of range; use 0.001% to 50%",
        "gateway.yaml:5: \(key): 'error_rate=1%' names no service; "
          + "write a name or an id of at most 512 bytes, then what it is held to",
        "gateway.yaml:6: \(key): 'checkout' says nothing checkout is held to; "
          + "add error_rate=0.5%, latency_p95=100ms or latency_p99=300ms",
        "gateway.yaml:7: \(key): 'error_rate' is given twice; keep one of the two",
        "gateway.yaml:8: \(key): 'fast' is not a duration; "
          + "write a number and a unit (ms, s, m, h, d), such as 11s or 1h30m",
      ])
    #expect(
      problems("", flags: [(key, "a error_rate=1%, b error_rate=1%, a latency_p95=1s")]) == [
        "flag --set \(key): \(key): names 'a' twice; write all it is held to in one"
      ])
  }

  /// Scenario: values that are each allowed contradict each other.
  /// Guarantees: the one that was written is blamed, with both values.
  @Test func relations() {
    #expect(
      problems("traces:\n  max_age: 5s\n") == [
        "gateway.yaml:2: traces.max_age: 5s is less than traces.idle (11s); "
          + "raise it, or lower traces.idle"
      ])
    #expect(
      problems("traces:\n  idle: 2m\n").first?.hasPrefix("gateway.yaml:2: traces.max_age: 1m")
        == true)
    #expect(
      problems("", flags: [("limits.memory", "64MiB"), ("limits.request_bytes", "65MiB")]) == [
        "flag --set limits.request_bytes: limits.request_bytes: 65MiB is more than "
          + "limits.memory (64MiB); lower it, or raise limits.memory"
      ])
    #expect(
      problems("", flags: [("limits.exemplars_bytes", "8GiB"), ("limits.memory", "64MiB")])
        .count == 1)
    #expect(
      problems("", environment: ["SPANGATE_QUERY__ADDRESS": "127.0.0.1:4317"]) == [
        "environment SPANGATE_QUERY__ADDRESS: query.address: 127.0.0.1:4317 is the same as "
          + "receiver.grpc.address (127.0.0.1:4317); give each listener its own port"
      ])
    #expect(
      problems(
        "", flags: [("receiver.grpc.address", "[::1]:0"), ("query.address", "[::1]:0")]) == [])
  }

  /// Scenario: a certificate without its key, a key without its certificate, authorities for clients
  /// without either.
  /// Guarantees: each is refused where it was written, with the key that is missing.
  @Test(arguments: [
    ("certificate_file", "key_file"), ("key_file", "certificate_file"),
    ("client_ca_file", "certificate_file"),
  ])
  func halfCertificates(given: String, missing: String) {
    for listener in ListenerName.allCases.map(\.tlsSection) {
      #expect(
        problems("\(listener).\(given): /run/file\n") == [
          "gateway.yaml:1: \(listener).\(given): is given without \(listener).\(missing); give both, or "
            + "neither"
        ])
    }
  }

  /// Scenario: values just inside and just outside every range.
  /// Guarantees: the inner are taken, the outer refused with the range.
  @Test(arguments: [
    ("store.retention", "1h", "59m59s"), ("store.retention", "3650d", "3650d1ns"),
    ("traces.idle", "100ms", "99ms"), ("traces.remember", "1h", "1h1ns"),
    ("receiver.wait", "30s", "31s"), ("limits.memory", "64MiB", "63MiB"),
    ("limits.request_bytes", "4KiB", "4095"), ("limits.request_bytes", "1GiB", "1025MiB"),
    ("limits.spans_per_trace", "1", "0"), ("limits.spans_per_trace", "10000000", "10000001"),
    ("limits.services", "1000000", "-1"), ("limits.operations_per_service", "100000", "100001"),
    ("metrics.series", "1", "99999999999999999999"), ("workers", "1024", "1025"),
    ("shutdown.drain", "10m", "11m"), ("limits.exemplars_bytes", "64GiB", "65GiB"),
  ])
  func ranges(key: String, inside: String, outside: String) throws {
    #expect(problems("", flags: [(key, inside)]) == [])
    let found = problems("", flags: [(key, outside)])
    #expect(found.count == 1)
    #expect(found.first?.contains("\(outside) is out of range; use ") == true)
  }

  /// Scenario: files that are not what they should be.
  /// Guarantees: one clear problem each, with the line where there is one.
  @Test func unreadableFiles() {
    #expect(
      problems("a: b\na: c\n") == [
        "gateway.yaml:1: a: is given twice in one section; keep one of the two"
      ])
    #expect(
      problems("traces:\n  idle: 1s\ntraces.idle: 2s\n") == [
        "gateway.yaml:3: traces.idle: is given twice; keep one of the two"
      ])
    #expect(problems("workers: 'open\n").first?.contains("is not valid YAML") == true)
    #expect(problems("log:\n\tlevel: info\n").first?.hasPrefix("gateway.yaml:2: is not") == true)
    #expect(problems("a: 1\n---\nb: 2\n").first?.contains("is not valid YAML") == true)
    #expect(problems("just words\n").first?.contains("holds a text, not keys") == true)
    #expect(problems("- 1\n- 2\n").first?.contains("holds a list") == true)
    #expect(problems("[a, b]: 1\n").first?.contains("has a key that is not a word") == true)
    #expect(
      problems("workers:\n") == [
        "gateway.yaml:1: workers: has no value; write one, or remove the line"
      ])
    #expect(problems("a: &x [1]\nb: *x\n").first?.hasPrefix("gateway.yaml:1: holds a YAML") == true)
    #expect(problems("# *note* & more\nworkers: 2 # *bold*\n") == [])
    let big = ConfigurationFile(
      name: "big", contents: [UInt8](repeating: 0x23, count: ConfigurationFile.bytesMax + 1))
    #expect(
      big.problems.first?.description == "big: is larger than 1 MiB; "
        + "name the configuration file, not another one")
    #expect(
      ConfigurationFile(name: "x", contents: [0xFF, 0xFE]).problems.first?.problem
        == "is not UTF-8 text")
    #expect(
      ConfigurationFile(path: "/").problems.map(\.description) == [
        "/: cannot be read; check that it is a file and readable"
      ])
    #expect(
      ConfigurationFile(path: "/nonexistent").problems.map(\.description) == [
        "/nonexistent: cannot be read; check that the file exists and is readable"
      ])
  }

  /// Scenario: a file of another kind, with thousands of unknown keys, and one nested without end.
  /// Guarantees: the text stays readable, and nothing overflows.
  @Test func hugeFiles() {
    let many = (0..<3_000).map { "word\($0): 1" }.joined(separator: "\n")
    let file = ConfigurationFile(name: "many", contents: Array(many.utf8))
    let error = #expect(throws: ConfigurationError.self) {
      _ = try ConfigurationSources().load(file: file)
    }
    #expect(error?.problems.count == 3_000)
    #expect(error?.description.hasSuffix("… and 2950 more") == true)
    for unit in ["[", "{a: ", "- ", "? "] {
      let deep = String(repeating: unit, count: 100_000)
      #expect(!ConfigurationFile(name: "deep", contents: Array(deep.utf8)).problems.isEmpty)
    }
    let wide = "a: [" + String(repeating: "{b: 1}, ", count: 30_000) + "]"
    #expect(!ConfigurationFile(name: "wide", contents: Array(wide.utf8)).problems.isEmpty)
    let deep = (0..<20).map { String(repeating: " ", count: $0) + "k:" }.joined(separator: "\n")
    #expect(
      ConfigurationFile(name: "d", contents: Array(deep.utf8)).problems.first?.problem
        == "holds too much")
  }

  /// Scenario: unknown keys near to and far from a known one.
  /// Guarantees: slips get the key that was meant, other words get none.
  @Test(arguments: [
    ("store.pth", "store.path"), ("idle", "traces.idle"), ("traces.maxage", "traces.max_age"),
    ("TRACES.IDLE", "traces.idle"), ("http.address", "receiver.http.address"),
    ("traces.max-age", "traces.max_age"), ("wrokers", "workers"), ("bananas", nil), ("", nil),
    (String(repeating: "a", count: 5_000), nil),
  ])
  func suggestions(word: String, meant: String?) {
    #expect(Suggestion.nearest(to: word, among: ConfigurationKey.all.map(\.path)) == meant)
  }
}
