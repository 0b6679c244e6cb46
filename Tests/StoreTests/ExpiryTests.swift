import GRDB
import Model
import Testing

@testable import Store

@Suite struct ExpiryTests {
  /// Scenario: ten days of findings; the present is at their end, retention six days.
  /// Guarantees: of each width exactly the tiles its horizon says remain; readings of any range
  /// still equal the sum of what they say they cover, as far back as the retention.
  @Test func deletesWhatItSays() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    var maker = FindingMaker("deletesWhatItSays", servicesCount: 2)
    let length = 10 * Nanos.day + 2_345 * .second
    var memory = WindowSums(maker.findings(800, within: 0..<length))
    memory.merge(WindowSums(maker.findings(200, within: length - 5 * .hour..<length)))
    try store.commit(
      CheckpointContent(number: 1, mark: 0, sums: memory, names: maker.names))
    let now = epoch + length
    let retention = 6 * Nanos.day
    try store.deleteExpired(now: now, retention: retention)
    let horizons = Horizons(now: now, retention: retention)
    for width in TileWidth.allCases {
      let starts = try store.pool.read { db in
        try Int64.fetchAll(
          db, sql: "SELECT DISTINCT start FROM tiles WHERE width = ? ORDER BY start",
          arguments: [width.rawValue])
      }
      let expected = Set(memory.windows.keys.map { $0.floored(to: width.nanos) })
        .filter { $0 >= horizons[width] }.map(\.seconds).sorted()
      #expect(starts == expected)
      #expect(!starts.isEmpty)
    }
    let oldest = horizons[.hour]
    for _ in 0..<60 {
      let from = Nanos.random(in: oldest..<now, using: &maker.generator)
      let to = from + Nanos.random(in: 1...now - from, using: &maker.generator)
      for present in [now, nil] {
        let reading = try store.read(from: from, to: to, now: present)
        #expect(reading.start <= from && reading.end >= to)
        let expected = memory.merged(from: reading.start, to: reading.end)
        #expect(reading.window.hasSameCounts(as: expected))
      }
    }
  }

  /// Scenario: tiles are to be deleted that were not yet; readers say the time.
  /// Guarantees: what is too old for a width is read from a wider one already, with the same sums.
  @Test func readersNeedNotWaitForDeletion() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    var maker = FindingMaker("readersNeedNotWaitForDeletion")
    let sums = WindowSums(maker.findings(300, within: 0..<Nanos.hour))
    try store.commit(CheckpointContent(number: 1, mark: 0, sums: sums, names: []))
    let from = epoch + 125 * .second
    let reading = try store.read(from: from, to: from + 1, now: epoch + 10 * .hour)
    #expect(reading.end - reading.start == .minute)
    let expected = sums.merged(from: reading.start, to: reading.end)
    #expect(reading.window.hasSameCounts(as: expected))
    #expect(try store.read(from: from, to: from + 1).end == epoch + 130 * .second)
  }

  /// Scenario: late sums arrive for a stretch whose fine tiles are deleted; the clock goes back.
  /// Guarantees: a partial fine tile is never read for the whole; horizons do not go back.
  @Test func horizonsStay() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    var maker = FindingMaker("horizonsStay")
    var memory = WindowSums(maker.findings(200, within: 0..<10 * Nanos.minute))
    try store.commit(CheckpointContent(number: 1, mark: 0, sums: memory, names: []))
    try store.deleteExpired(now: epoch + 5 * .hour, retention: 14 * .day)
    let late = WindowSums(maker.findings(50, within: 0..<10 * Nanos.minute))
    memory.merge(late)
    try store.commit(CheckpointContent(number: 2, mark: 0, sums: late, names: []))
    try store.deleteExpired(now: epoch, retention: 14 * .day)
    let reading = try store.read(from: epoch + 61 * .second, to: epoch + 62 * .second)
    #expect(reading.start == epoch + 60 * .second && reading.end == epoch + 120 * .second)
    #expect(
      reading.window.hasSameCounts(as: memory.merged(from: reading.start, to: reading.end)))
    try store.deleteExpired(now: epoch + 5 * .hour, retention: 14 * .day)
    let fine = try store.pool.read {
      try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM tiles WHERE width = 0")
    }
    #expect(fine == 0)
  }

  /// Scenario: an old hour and a new one, with a name each and one in common; the old one expires.
  /// Guarantees: exactly the names that no tile refers to go, hours later as well as at once.
  @Test func namesGoWithTheirLastTile() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    let names = ["old", "both", "new"].map {
      Name(tenant: .standard, kind: .service, text: $0)
    }
    func sums(_ window: Nanos, _ used: [Name]) -> WindowSums {
      var counters = Counters()
      counters[.requests] = 1
      return WindowSums(
        used.map { Finding(window: window, key: .node($0.id), counters: counters) })
    }
    try store.commit(
      CheckpointContent(
        number: 1, mark: 0, sums: sums(epoch, [names[0], names[1]]), names: names))
    try store.commit(
      CheckpointContent(
        number: 2, mark: 0, sums: sums(epoch + .day, [names[1], names[2]]), names: []))
    try store.deleteUnusedNames()
    #expect(Set(try store.allNames()) == Set(names))
    try store.deleteExpired(now: epoch + .day + .minute, retention: .hour)
    #expect(Set(try store.allNames()) == [names[1], names[2]])
    try store.deleteExpired(now: epoch + 3 * .day, retention: .hour)
    #expect(try store.allNames() == [])
    #expect(try store.count("tiles") == 0)
  }

  /// Scenario: many rows, more than one transaction deletes, all expire.
  /// Guarantees: all are deleted, and the file becomes shorter.
  @Test func deletionFreesDisk() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    var counters = Counters()
    counters[.requests] = 1
    var sums = WindowSums()
    for number in 0..<9_000 as Range<UInt64> {
      let key = SeriesKey(.operation, number + 1, number + 2)
      for window in 0..<2 as Range<Nanos> {
        let start = epoch + window * .hour
        sums.add(Finding(window: start, key: key, counters: counters, latency: 1_000_000))
      }
    }
    try store.commit(CheckpointContent(number: 1, mark: 0, sums: sums, names: []))
    try store.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
    let before = try directory.size()
    try store.deleteExpired(now: epoch + 30 * .day, retention: .day)
    #expect(try store.count("tiles") == 0)
    #expect(try directory.size() < before / 4)
  }
}
