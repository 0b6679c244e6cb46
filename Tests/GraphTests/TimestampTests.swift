import Foundation
import Model
import TestSupport
import Testing

@testable import Graph

@Suite struct TimestampTests {
  /// Scenario: times of every precision.
  /// Guarantees: as many digits as needed; what is too late is written as the latest.
  @Test func written() {
    #expect(Timestamp.text(0) == "1970-01-01T00:00:00Z")
    #expect(Timestamp.text(951_782_400 * .second) == "2000-02-29T00:00:00Z")
    #expect(Timestamp.text(1_700_000_000_120_000_000) == "2023-11-14T22:13:20.120Z")
    #expect(Timestamp.text(1_700_000_000_000_120_000) == "2023-11-14T22:13:20.000120Z")
    #expect(Timestamp.text(1_700_000_000_000_000_009) == "2023-11-14T22:13:20.000000009Z")
    #expect(Timestamp.text(.max) == Timestamp.text(Timestamp.latest))
  }

  /// Scenario: the same moment in all forms the contract allows.
  /// Guarantees: all read alike.
  @Test(arguments: [
    "2023-11-14T22:13:20Z", "2023-11-14t22:13:20z", "2023-11-14 22:13:20Z",
    "2023-11-14T22:13:20.000Z", "2023-11-14T23:13:20+01:00", "2023-11-14T23:13:20 01:00",
    "2023-11-14T16:43:20-05:30", "1700000000", "1700000000000", "1700000000000000",
    "1700000000000000000", "2023-11-14T22:13:20.0000000009Z", "2023-11-14T22:13:20,0Z",
  ])
  func read(text: String) {
    #expect(Timestamp.parse(text) == 1_700_000_000 * .second)
  }

  /// Scenario: what is no time, no such day, or out of range.
  /// Guarantees: nil, never a trap.
  @Test(arguments: [
    "", "now", "170000000", "17000000000", "99999999999999999999", "2023-11-14",
    "2023-11-14T22:13:20", "2023-11-14T22:13Z", "2023-13-01T00:00:00Z", "2023-02-29T00:00:00Z",
    "2023-00-01T00:00:00Z", "2023-01-00T00:00:00Z", "2023-11-14T24:00:00Z",
    "2023-11-14T22:60:00Z", "2023-11-14T22:00:61Z", "2023-11-14T22:13:20.Z",
    "2023-11-14T22:13:20+0100", "2023-11-14T22:13:20+24:00", "2023-11-14T22:13:20ZZ",
    "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00", "2262-12-01T00:00:00Z",
    "9999-01-01T00:00:00Z", "-1700000000", "9999999999", "1e9", "１７０００００００００",
    "2023-11-14T22:13:20.\(String(repeating: "0", count: 80))Z",
  ])
  func refused(text: String) {
    #expect(Timestamp.parse(text) == nil)
  }

  /// Scenario: random times, and Foundation's own formatter.
  /// Guarantees: what is written is read back as it was; the day agrees with Foundation's.
  @Test func roundTrip() throws {
    var random = SeededGenerator("roundTrip")
    let formatter = ISO8601DateFormatter()
    for _ in 0..<2_000 {
      let time = Nanos.random(in: 0...Timestamp.latest, using: &random)
      let text = Timestamp.text(time)
      #expect(Timestamp.parse(text) == time)
      let whole = time / .second * .second
      let date = Date(timeIntervalSince1970: Double(time / .second))
      #expect(Timestamp.text(whole) == formatter.string(from: date))
    }
  }
}

@Suite struct SpellingTests {
  /// Scenario: misspelled, shortened, hopeless and empty words.
  /// Guarantees: best first, at most three, nothing far-fetched.
  @Test func nearest() {
    let words = ["start", "end", "service", "namespace", "depth", "direction", "format"]
    #expect(Spelling.nearest(to: "sevrice", among: words) == ["service"])
    #expect(Spelling.nearest(to: "Servic", among: words) == ["service"])
    #expect(Spelling.nearest(to: "space", among: words) == ["namespace"])
    #expect(Spelling.nearest(to: "strat", among: words).first == "start")
    #expect(Spelling.nearest(to: "qqqqqqqq", among: words) == [])
    #expect(Spelling.nearest(to: "", among: words) == [])
    #expect(Spelling.nearest(to: "a1", among: ["a2", "a3", "a4", "a5", "a2"]).count == 3)
    let long = String(repeating: "x", count: 100_000)
    #expect(Spelling.nearest(to: long, among: [long + "y"]) == [long + "y"])
  }

  /// Scenario: pairs with a known distance.
  /// Guarantees: swaps of neighbours count once; the distance is symmetric.
  @Test func distances() {
    let pairs = [("", "abc", 3), ("abc", "abc", 0), ("ab", "ba", 1), ("kitten", "sitting", 3)]
    for (a, b, distance) in pairs {
      let (left, right) = (Array(a.unicodeScalars), Array(b.unicodeScalars))
      #expect(Spelling.distance(left, right) == distance)
      #expect(Spelling.distance(right, left) == distance)
    }
  }
}
