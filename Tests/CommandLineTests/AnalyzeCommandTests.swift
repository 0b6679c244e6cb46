import Foundation
import Model
import Testing

@testable import Commands

@Suite struct AnalyzeCommandTests {
  /// Scenario: a trace of two services with an error, from standard input.
  /// Guarantees: the table shows the edge, the critical path and where the error began.
  @Test func table() async {
    let world = FakeWorld()
    #expect(await world.run("analyze", "-", input: Sample.request()) == 0)
    #expect(world.errors.isEmpty)
    for line in [
      "60.0%  60.0 ms       1  front op1 › front op2 › back op3",
      "20.0%  20.0 ms       1  front op1", "ERRORS AT  FAILED  OF  BEGAN HERE",
      "back            1   1           1", "front              back       1   1",
    ] {
      #expect(world.output.contains(line), "\(world.output)")
    }
  }

  /// Scenario: the same trace in one request, in JSON lines of several files, with progress shown.
  /// Guarantees: the same graph; progress is one line that is taken away again.
  @Test func sameGraphHoweverSplit() async throws {
    try await withFolder { folder in
      let lines = (1...5).map { Sample.request(trace: $0) }
      try write(lines.joined(separator: "\n").utf8, to: folder + "/all")
      try write(("[" + lines[2...4].joined(separator: ",") + "]").utf8, to: folder + "/some")
      try write((lines[1] + lines[0]).utf8, to: folder + "/rest")
      let one = FakeWorld()
      #expect(await one.run("analyze", "--format=json", folder + "/all") == 0)
      let two = FakeWorld()
      let code = await two.run(
        "analyze", "--format=json", folder + "/some", folder + "/rest", isTerminal: true)
      #expect(code == 0)
      #expect(one.errors.isEmpty)
      #expect(two.errors.hasPrefix("\r\u{1B}[K"))
      #expect(two.errors.hasSuffix("\r\u{1B}[K"))
      #expect(!two.errors.contains("\n"))
      #expect(try graph(one.output)["edges"] == graph(two.output)["edges"])
      #expect(try graph(one.output)["nodes"] == graph(two.output)["nodes"])
    }
  }

  private func graph(_ text: String) throws -> [String: NSObject] {
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(object as? [String: NSObject])
  }

  private struct Path: Decodable {
    struct Section: Decodable {
      var spanId: String
      var startUnixNano: UInt64
      var endUnixNano: UInt64
    }
    struct CallPath: Decodable {
      var path: [String]
      var exclusiveNs: UInt64
    }
    struct ErrorPath: Decodable {
      var onPath: [String]
      var connected: [String]
    }
    var traceId: String
    var sections: [Section]
    var exclusiveNs: [String: UInt64]
    var callPaths: [CallPath]
    var errorPath: ErrorPath?
  }

  private func path(_ input: String, rule: String) async throws -> Path {
    let world = FakeWorld()
    let code = await world.run(
      "analyze", "--critical-path", "--rule", rule, "--format", "json", "-", input: input)
    #expect(code == 0 && world.errors.isEmpty)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try #require(try decoder.decode([Path].self, from: Data(world.output.utf8)).first)
  }

  /// Scenario: the critical path as JSON by each rule, and as a table.
  /// Guarantees: the shape of the contract; sections add up to the root's duration; only crisp
  /// says which spans failed.
  @Test(arguments: ["wallclock", "crisp", "jaeger"]) func criticalPath(rule: String) async throws {
    let path = try await path(Sample.request(), rule: rule)
    #expect(path.traceId == "00000000000000000000000000000001")
    #expect(
      path.sections.reduce(0) { $0 + $1.endUnixNano - $1.startUnixNano } == 100_000_000)
    #expect(path.exclusiveNs["0000000000000003"] == 60_000_000)
    #expect(path.callPaths.first?.path == ["front op1", "front op2", "back op3"])
    #expect(path.callPaths.reduce(0) { $0 + $1.exclusiveNs } == 100_000_000)
    #expect((path.errorPath != nil) == (rule == "crisp"))
    if let errors = path.errorPath {
      #expect(errors.onPath == [1, 2, 3].map { "000000000000000\($0)" })
      #expect(errors.connected.isEmpty)
    }
    let table = FakeWorld()
    let code = await table.run(
      "analyze", "--critical-path", "--rule", rule, "-", input: Sample.request())
    #expect(code == 0)
    #expect(table.output.split(separator: "\n").count == 6)
    #expect(table.output.contains("0000000000000003  2023-11-14T22:13:20.020Z  60.0 ms"))
    #expect(await table.run("analyze", "--critical-path", "--format=dot", "-") == 64)
  }

  /// Scenario: children of one parent, one that ends when the next begins, then two that overlap.
  /// Guarantees: each rule has its own sections.
  @Test(
    arguments: [
      ("wallclock", ["3", "2"], ["3", "2"]), ("crisp", ["3", "2"], ["3", "1"]),
      ("jaeger", ["3", "1"], ["3", "1"]),
    ] as [(String, [String], [String])])
  func rulesDiffer(rule: String, touching: [String], overlapping: [String]) async throws {
    for (expected, end) in [(touching, 50), (overlapping, 60)] {
      let input = Siblings.request([(1, 0, 100), (2, 0, end), (3, 50, 100)])
      let path = try await path(input, rule: rule)
      #expect(path.sections.map { String($0.spanId.suffix(1)) } == expected.reversed())
      #expect(path.sections.map { $0.endUnixNano - $0.startUnixNano } == [50, 50])
      #expect(path.exclusiveNs.values.reduce(0, +) == 100)
    }
  }

  /// Scenario: two traces of the same ways as folded stacks, by each rule; names with semicolons
  /// and line breaks; nothing to read; without --critical-path.
  /// Guarantees: a line a way with whole nanoseconds, sorted, summed over the traces; no name ends
  /// a frame or a line.
  @Test(arguments: ["wallclock", "crisp", "jaeger"]) func folded(rule: String) async {
    let world = FakeWorld()
    let code = await world.run(
      "analyze", "--critical-path", "--rule", rule, "--format", "folded", "-",
      input: Sample.request() + "\n" + Sample.request(trace: 2))
    #expect(code == 0 && world.errors.isEmpty)
    #expect(
      world.output == """
        front op1 40000000
        front op1;front op2 40000000
        front op1;front op2;back op3 120000000

        """)
    let odd = FakeWorld()
    let names = Siblings.request([(1, 0, 9), (2, 0, 5)], name: "a;b\\nc\\td 7")
    #expect(await odd.run("analyze", "--critical-path", "--format=folded", "-", input: names) == 0)
    #expect(odd.output == "front a_b c d 7 4\nfront a_b c d 7;front a_b c d 7 5\n")
    let none = FakeWorld()
    #expect(await none.run("analyze", "--critical-path", "--format=folded", "-", input: "{}") == 0)
    #expect(none.output.isEmpty)
    #expect(await none.run("analyze", "--format=folded", "-", input: "{}") == 64)
    #expect(none.errors.contains("add --critical-path"))
  }

  /// Scenario: a rule for a graph, for the table, an unknown one; help.
  /// Guarantees: the table's summary follows the rule; formats that know no critical path refuse
  /// it; every rule is offered.
  @Test func rules() async {
    let touching = Siblings.request([(1, 0, 100), (2, 0, 50), (3, 50, 100)])
    for (rule, ways) in [("wallclock", 1), ("jaeger", 2)] {
      let world = FakeWorld()
      #expect(await world.run("analyze", "--rule", rule, "-", input: touching) == 0)
      let lines = world.output.split(separator: "\n").filter { $0.contains("front op") }
      #expect(lines.count == ways, "\(world.output)")
    }
    for format in ["json", "dot", "mermaid", "graphml"] {
      let world = FakeWorld()
      #expect(await world.run("analyze", "--rule=crisp", "--format", format, "-") == 64)
      #expect(world.errors.contains("--rule crisp says nothing of a graph"))
    }
    let unknown = FakeWorld()
    #expect(await unknown.run("analyze", "--rule=bananas", "-") == 64)
    let help = FakeWorld()
    #expect(await help.run("analyze", "--help") == 0)
    #expect(["wallclock", "crisp", "jaeger"].allSatisfy(help.output.contains))
  }

  /// Scenario: a chain of 10 000 spans.
  /// Guarantees: it is printed, at most 256 frames deep, with all of the time.
  @Test(.timeLimit(.minutes(3)), arguments: ["wallclock", "crisp", "jaeger"])
  func deepChain(rule: String) async {
    let count = 10_000
    let spans = (1...count).map { (span: $0, from: $0, until: 3 * count - $0) }
    let world = FakeWorld()
    let code = await world.run(
      "analyze", "--critical-path", "--rule", rule, "--format=folded", "-",
      input: Siblings.request(spans, isChain: true))
    #expect(code == 0)
    let lines = world.output.split(separator: "\n")
    #expect(lines.count == 256)
    let times = lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
    #expect(times.reduce(0, +) == 3 * count - 2)
  }

  /// Scenario: each drawing format.
  /// Guarantees: its first word.
  @Test(arguments: [("dot", "digraph"), ("mermaid", "flowchart"), ("graphml", "<?xml")])
  func drawings(format: String, start: String) async {
    let world = FakeWorld()
    #expect(await world.run("analyze", "--format", format, "-", input: Sample.request()) == 0)
    #expect(world.output.contains(start))
  }

  /// Scenario: an empty first line, then a bad one, as JSON and as another text.
  /// Guarantees: the error names line 2.
  @Test func namesTheLine() async {
    for text in ["\n{\"resourceSpans\": 5}\n", "\r\n{\"resourceSpans\": 5}"] {
      let world = FakeWorld()
      #expect(await world.run("analyze", "-", input: text) == 70)
      #expect(world.errors.contains("standard input, request 1 (line 2) cannot be read: "))
    }
    let words = FakeWorld()
    #expect(await words.run("analyze", "-", input: "\nDear Sir\n") == 70)
    #expect(
      words.errors.contains("is no OTLP trace file: line 2 begins with neither { nor [; it must"))
  }

  /// Scenario: a request without spans.
  /// Guarantees: it is said that there were none, without a range; programs get an empty graph.
  @Test func noSpans() async throws {
    for text in ["{}", "{\"resourceSpans\":[]}", "[]"] {
      let world = FakeWorld()
      #expect(await world.run("analyze", "-", input: text) == 0)
      #expect(world.errors == "there were no spans in standard input\n")
      #expect(world.output.isEmpty)
    }
    let paths = FakeWorld()
    #expect(await paths.run("analyze", "--critical-path", "-", input: "{}") == 0)
    #expect(paths.output.isEmpty)
    let json = FakeWorld()
    #expect(await json.run("analyze", "--format=json", "-", input: "{}") == 0)
    #expect(try graph(json.output)["nodes"] == [NSObject]() as NSArray)
    #expect(json.errors == "there were no spans in standard input\n")
  }

  /// Scenario: a bad line between good ones, a bad span, a file of nothing but bad lines, no file.
  /// Guarantees: what is good is shown, what is bad is said with its place, exit code 70.
  @Test func badInput() async {
    let world = FakeWorld()
    let mixed = Sample.request() + "\n{\"resourceSpans\": 5}\n" + Sample.request(trace: 2)
    #expect(await world.run("analyze", "-", input: mixed, isTerminal: true) == 70)
    #expect(world.output.contains("BEGAN HERE"))
    #expect(world.errors.contains("standard input, request 2 (line 2) cannot be read: "))
    let span = FakeWorld()
    let wrong = Sample.request().replacing("0000000000000003", with: "03")
    #expect(await span.run("analyze", "-", input: wrong) == 0)
    #expect(span.errors.hasPrefix("standard input, request 1 (line 1): "))
    let bad = FakeWorld()
    #expect(await bad.run("analyze", "-", input: "{\"resourceSpans\": 5}") == 70)
    #expect(bad.output.isEmpty)
    #expect(bad.errors.hasSuffix("spangate: nothing could be read\n"))
    let missing = FakeWorld()
    #expect(await missing.run("analyze", "/nonexistent/file") == 70)
    #expect(missing.errors.contains("/nonexistent/file cannot be read"))
    #expect(await missing.run("analyze", "/") == 70)
  }
}

/// One service's spans as OTLP JSON, in nanoseconds: all under the first, or each under the one
/// before it.
private enum Siblings {
  static func request(
    _ spans: [(span: Int, from: Int, until: Int)], name: String? = nil, isChain: Bool = false
  ) -> String {
    let trace = String(repeating: "0", count: 31) + "1"
    let texts = spans.map { span, from, until in
      let parent = span == 1 ? 0 : isChain ? span - 1 : 1
      let reference = parent == 0 ? "" : "\"parentSpanId\":\"\(UInt64(parent).hexadecimal)\","
      return "{\"traceId\":\"\(trace)\",\"spanId\":\"\(UInt64(span).hexadecimal)\",\(reference)"
        + "\"name\":\"\(name ?? "op")\",\"kind\":1,"
        + "\"startTimeUnixNano\":\"\(1_700_000_000_000_000_000 + from)\","
        + "\"endTimeUnixNano\":\"\(1_700_000_000_000_000_000 + until)\"}"
    }
    return "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
      + "\"value\":{\"stringValue\":\"front\"}}]},"
      + "\"scopeSpans\":[{\"spans\":[\(texts.joined(separator: ","))]}]}]}"
  }
}
