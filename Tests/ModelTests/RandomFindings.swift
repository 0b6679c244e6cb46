import Model
import TestSupport

extension SeededGenerator {
  /// A finding over few windows and few series, so that many meet; figures of every magnitude.
  mutating func finding() -> Finding {
    var counters = Counters()
    for field in Counters.Field.allCases where once(in: 3) {
      counters[field] = Int64(bitPattern: next()) >> Int64(below(64))
    }
    counters[.requests] = 1
    let kind = SeriesKind.allCases[below(SeriesKind.allCases.count)]
    return Finding(
      window: UInt64(below(3)) * windowNanos, key: SeriesKey(kind, UInt64(below(2))),
      counters: counters, latency: once(in: 2) ? anyMagnitude() : nil,
      clientLatency: once(in: 3) ? anyMagnitude() : nil,
      ownTime: once(in: 3) ? anyMagnitude() : nil,
      whole: once(in: 3) ? anyMagnitude() : nil,
      weight: Int64(1 + anyMagnitude() % UInt64(UInt32.max)),
      exemplar: once(in: 2) ? TraceID(high: next(), low: next()) : nil)
  }

  mutating func findings(_ count: Int) -> [Finding] { (0..<count).map { _ in finding() } }

  mutating func sums(_ size: Int) -> Sums {
    var sums = Sums()
    for finding in findings(size) { sums.add(finding) }
    return sums
  }
}
