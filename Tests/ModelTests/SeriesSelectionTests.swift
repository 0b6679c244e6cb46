import TestSupport
import Testing

@testable import Model

@Suite struct SeriesSelectionTests {
  /// Scenario: a selection of one kind whole and of another by id.
  /// Guarantees: it holds those series and no others; an empty set of ids holds none.
  @Test func whatIsSelected() {
    let selection = SeriesSelection([.node: .all, .version: .first([1, 2]), .edge: .first([])])
    #expect(selection.contains(SeriesKey(.node, 9)))
    #expect(selection.contains(SeriesKey(.version, 2, 7)))
    #expect(!selection.contains(SeriesKey(.version, 3, 2)))
    #expect(!selection.contains(SeriesKey(.edge, 1)))
    #expect(!selection.contains(SeriesKey(.instance, 1)))
    #expect(SeriesSelection([.node, .edge]) == SeriesSelection([.node: .all, .edge: .all]))
    #expect(!SeriesSelection(Set<SeriesKind>()).contains(SeriesKey(.node, 1)))
  }

  /// Scenario: random findings are selected by random ids over random ranges, in stretches of any
  /// width.
  /// Guarantees: the same as when only the findings that fit had been added, each in the stretch its
  /// window begins in.
  @Test func selectingIsAFilter() {
    var random = SeededGenerator()
    for _ in 0..<40 {
      let findings = random.findings(80)
      let selection = SeriesSelection([
        .node: .all, .version: .first([random.next() & 1]), .edge: .first([0, 1]),
      ])
      let from = UInt64(random.below(3)) * windowNanos
      let to = from + UInt64(random.below(4)) * windowNanos
      let width = [windowNanos, 2 * windowNanos, .minute, .hour][random.below(4)]
      var expected = WindowSums()
      for finding in findings
      where selection.contains(finding.key) && finding.window >= from && finding.window < to {
        var moved = finding
        moved.window = finding.window.floored(to: width)
        expected.add(moved)
      }
      let selected = WindowSums(findings).selected(selection, from: from, to: to, by: width)
      #expect(selected.hasSameCounts(as: expected))
    }
  }
}
