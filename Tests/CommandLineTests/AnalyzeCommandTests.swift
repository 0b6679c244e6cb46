import Foundation
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

  /// Scenario: the critical path as JSON and as a table.
  /// Guarantees: the shape of the contract; sections add up to the root's duration.
  @Test func criticalPath() async throws {
    struct Path: Decodable {
      struct Section: Decodable {
        var spanId: String
        var startUnixNano: UInt64
        var endUnixNano: UInt64
      }
      struct CallPath: Decodable {
        var path: [String]
        var exclusiveNs: UInt64
      }
      var traceId: String
      var sections: [Section]
      var exclusiveNs: [String: UInt64]
      var callPaths: [CallPath]
    }
    let world = FakeWorld()
    let code = await world.run(
      "analyze", "--critical-path", "--rule", "wallclock", "--format", "json", "-",
      input: Sample.request())
    #expect(code == 0)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let paths = try decoder.decode([Path].self, from: Data(world.output.utf8))
    let path = try #require(paths.first)
    #expect(path.traceId == "00000000000000000000000000000001")
    #expect(
      path.sections.reduce(0) { $0 + $1.endUnixNano - $1.startUnixNano } == 100_000_000)
    #expect(path.exclusiveNs["0000000000000003"] == 60_000_000)
    #expect(path.callPaths.first?.path == ["front op1", "front op2", "back op3"])
    #expect(path.callPaths.reduce(0) { $0 + $1.exclusiveNs } == 100_000_000)
    let table = FakeWorld()
    #expect(await table.run("analyze", "--critical-path", "-", input: Sample.request()) == 0)
    #expect(table.output.split(separator: "\n").count == 6)
    #expect(table.output.contains("0000000000000003  2023-11-14T22:13:20.020Z  60.0 ms"))
    #expect(await table.run("analyze", "--critical-path", "--format=dot", "-") == 64)
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
