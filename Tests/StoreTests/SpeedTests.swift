import Model
import TestSupport
import Testing

@testable import Store

@Suite struct SpeedTests {
  /// Scenario: 100 services with 1 000 edges between them, six windows a checkpoint, for an hour.
  /// Guarantees: all of it reads back; the times are printed, and none is out of all proportion.
  @Test func hundredServicesThousandEdges() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    var maker = FindingMaker("hundredServicesThousandEdges", servicesCount: 100)
    let services = maker.names.filter { $0.kind == .service }
    var keys = services.map { SeriesKey.node($0.id) }
    for (number, client) in services.enumerated() {
      for step in 1...10 {
        keys.append(.edge(client.id, services[(number + step) % 100].id, .direct))
      }
    }
    let clock = ContinuousClock()
    let checkpoints = speedCheckpointsCount
    var commits: [Duration] = []
    for number in 0..<checkpoints {
      let start = epoch + Nanos(number) * .minute
      let sums = minute(keys, from: start, &maker.generator)
      let content = CheckpointContent(
        number: UInt64(number) + 1, mark: 0, sums: sums, names: maker.names)
      commits.append(try clock.measure { try store.commit(content) })
    }
    print("commit of 1 100 series in 6 windows: \(commits.sorted()[commits.count / 2]) median")
    print("file and log: \(try directory.size() >> 10) and \(try directory.size("-wal") >> 10) KiB")
    for minutes in [15, 60] as [Nanos] {
      let from = epoch + 5 * .second
      var reading: StoreReading?
      let time = try clock.measure {
        reading = try store.read(from: from, to: from + minutes * .minute)
      }
      #expect(reading?.window.series.count == keys.count)
      #expect(reading?.names.count == services.count)
      print("read of \(minutes) min: \(time)")
      #expect(time < .seconds(20))
    }
  }

  /// Six windows in which every series has five requests.
  private func minute(
    _ keys: [SeriesKey], from start: Nanos, _ generator: inout SeededGenerator
  ) -> WindowSums {
    var sums = WindowSums()
    var counters = Counters()
    counters[.requests] = 1
    counters[.requestsAdjusted] = 256
    for window in 0..<6 as Range<Nanos> {
      for key in keys {
        for _ in 0..<5 {
          let latency = Nanos.random(in: 1_000_000...200_000_000, using: &generator)
          sums.add(
            Finding(
              window: start + window * windowNanos, key: key, counters: counters,
              latency: latency, clientLatency: latency + 1_000_000, ownTime: latency / 3,
              exemplar: TraceID(high: 1, low: latency)))
        }
      }
    }
    return sums
  }
}

/// A debug build is slow enough with a few; an optimised one fills the hour.
#if DEBUG
let speedCheckpointsCount = 2
#else
let speedCheckpointsCount = 66
#endif
