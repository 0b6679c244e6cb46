import Model
import Testing

@testable import Graph

@Suite struct GraphTableTests {
  /// Scenario: the shop on a terminal.
  /// Guarantees: a heading, then edges and nodes with their figures in aligned columns.
  @Test func table() throws {
    let lines = GraphTable.text(try Shop().fixture.graph(), width: 120)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(
      lines[0]
        == "2026-09-21T14:13:20Z – 2026-09-21T14:13:30Z, 5 nodes, 4 edges, 0 spans")
    #expect(lines[2].hasPrefix("CLIENT              SERVER              "))
    #expect(lines[6].hasPrefix("shop/frontend       shop/checkout       "))
    #expect(lines[6].contains("8/s") && lines[6].hasSuffix("10%"))
    let edgeWidths = Set(lines[2...6].map(\.count))
    #expect(edgeWidths.count == 1)
    #expect(lines[8].hasPrefix("NODE"))
    #expect(lines.last == "")
  }

  /// Scenario: narrow and absurd widths, long names.
  /// Guarantees: names are cut, figures never; lines fit while names can still give way.
  @Test func narrow() throws {
    var fixture = GraphFixture()
    let a = fixture.node(String(repeating: "a", count: 200))
    let b = fixture.node("b")
    fixture.call(a, b, requests: 20, failed: 1)
    let graph = try fixture.graph()
    for line in GraphTable.text(graph, width: 90).split(separator: "\n").dropFirst() {
      #expect(line.count <= 90)
    }
    let absurd = GraphTable.text(graph, width: -5)
    #expect(absurd.contains("aaaaaaa…") && absurd.contains("5%"))
  }

  /// Scenario: names with escape sequences and newlines; counts of what was left out.
  /// Guarantees: nothing a terminal would obey; everything left out is said.
  @Test func safeAndHonest() throws {
    var fixture = GraphFixture()
    let a = fixture.node("\u{1B}[2Ja\nb")
    fixture.add(.node(a), [.requestsAdjusted: 1])
    fixture.add(.coverage(.standard), [.requests: 1, .late: 2, .duplicates: 3])
    fixture.add(.unpaired(.standard, .parentMissing), [.requests: 4])
    var input = fixture.input
    var full = Sums()
    full.counters[.requests] = 5
    input.window.merge(full, at: .overflow(.standard, .service))
    let graph = try GraphBuilder.build(input, tenant: .standard, options: GraphOptions())
    let text = GraphTable.text(graph)
    #expect(!text.contains("\u{1B}"))
    #expect(text.contains("%1B[2Ja%0Ab"))
    #expect(text.contains("1 node, 0 edges, 1 span\n"))
    #expect(
      text.hasSuffix(
        "Left out or merged: 2 late, 3 sent more than once, 4 parent_missing, 5 over services\n"))
  }

  /// Scenario: figures of every size.
  /// Guarantees: three digits that matter and the right unit.
  @Test func figures() {
    #expect(HumanText.duration(milliseconds: 0.0123) == "12.3 µs")
    #expect(HumanText.duration(milliseconds: 0.9999) == "1 ms")
    #expect(HumanText.duration(milliseconds: 12.34) == "12.3 ms")
    #expect(HumanText.duration(milliseconds: 999.4) == "999 ms")
    #expect(HumanText.duration(milliseconds: 999.9) == "1 s")
    #expect(HumanText.duration(milliseconds: 61_234) == "61.2 s")
    #expect(HumanText.duration(milliseconds: nil) == "–")
    #expect(HumanText.duration(milliseconds: .nan) == "–")
    #expect(HumanText.rate(perSecond: 1234.5) == "1235/s")
    #expect(HumanText.rate(perSecond: 0.05) == "3/min")
    #expect(HumanText.rate(perSecond: 0.001) == "3.6/h")
    #expect(HumanText.rate(perSecond: 0) == "0/s")
    #expect(HumanText.rate(perSecond: .infinity) == "0/s")
    #expect(HumanText.percent(0.01234) == "1.23%")
    #expect(HumanText.percent(1) == "100%")
    #expect(HumanText.percent(nil) == "–")
    #expect(HumanText.number(-1.5) == "-1.5")
    #expect(HumanText.number(0.05) == "0.05")
    #expect(HumanText.number(1e300) == "1e+300")
  }
}
