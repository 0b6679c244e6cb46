import Model
import Testing

@testable import Store

@Suite struct CommitTests {
  /// Scenario: random findings over a day, committed in random parts over several checkpoints, the
  /// store closed and opened between them; then random ranges are read. Guarantees: every reading
  /// equals the sum in memory of the windows it says it covers, covers what was asked for, and is
  /// widened by less than a window at either end.
  @Test func readsTheSumOfWhatWasCommitted() throws {
    let directory = try TemporaryDirectory()
    var maker = FindingMaker("readsTheSumOfWhatWasCommitted")
    var memory = WindowSums()
    for number in 1...6 as ClosedRange<UInt64> {
      let sums = WindowSums(maker.findings(200, within: 0..<Nanos.day))
      memory.merge(sums)
      let store = try TileStore(path: directory.path)
      try store.commit(
        CheckpointContent(number: number, mark: number * 10, sums: sums, names: maker.names))
      #expect(try store.committed == (checkpoint: number, mark: number * 10))
      try store.close()
    }
    let store = try TileStore(path: directory.path)
    for _ in 0..<40 {
      let from = epoch + Nanos.random(in: 0..<Nanos.day, using: &maker.generator)
      let to = from + Nanos.random(in: 1..<8 * Nanos.hour, using: &maker.generator)
      let reading = try store.read(from: from, to: to)
      #expect(reading.checkpoint == 6)
      #expect(reading.start == from.floored(to: windowNanos))
      #expect(reading.end >= to && reading.end - to < windowNanos)
      let expected = memory.merged(from: reading.start, to: reading.end)
      #expect(reading.window.hasSameCounts(as: expected))
      for key in reading.window.series.keys {
        for name in key.names { #expect(reading.names[name]?.id == name) }
      }
      let edges = try store.read(from: from, to: to, kinds: [.edge])
      #expect(edges.window.series == reading.window.series.filter { $0.key.kind == .edge })
    }
    #expect(Set(try store.allNames()) == Set(maker.names))
    #expect(try store.newestWindow() == memory.windows.keys.max())
  }

  /// Scenario: the same findings are committed in two orders and two ways of splitting.
  /// Guarantees: the two stores hold the same rows, byte for byte.
  @Test func orderAndSplitDoNotMatter() throws {
    let one = try TemporaryDirectory()
    let other = try TemporaryDirectory()
    var maker = FindingMaker("orderAndSplitDoNotMatter")
    let findings = maker.findings(600, within: 0..<3 * Nanos.hour)
    let stores = [try TileStore(path: one.path), try TileStore(path: other.path)]
    for (store, size) in zip(stores, [100, 150]) {
      let shuffled = findings.shuffled(using: &maker.generator)
      for (number, start) in stride(from: 0, to: findings.count, by: size).enumerated() {
        try store.commit(
          CheckpointContent(
            number: UInt64(number) + 1, mark: 0,
            sums: WindowSums(shuffled[start..<start + size]), names: maker.names))
      }
    }
    #expect(try stores[0].contents() == stores[1].contents())
  }

  /// Scenario: random findings in random order.
  /// Guarantees: each tile is the sum of its finer tiles, for every width.
  @Test func wideTilesAreTheSumOfFineOnes() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    var maker = FindingMaker("wideTilesAreTheSumOfFineOnes")
    for number in 1...3 as ClosedRange<UInt64> {
      let sums = WindowSums(maker.findings(150, within: 0..<3 * Nanos.hour))
      try store.commit(CheckpointContent(number: number, mark: 0, sums: sums, names: []))
    }
    for (fine, wide) in zip(TileWidth.allCases, TileWidth.allCases.dropFirst()) {
      for tile in stride(from: epoch, to: epoch + 3 * .hour, by: Int(wide.nanos)) {
        let end = tile + wide.nanos
        let sums = try [fine, wide].map { width in
          try store.pool.read { db in
            var merge = TileMerge()
            try TileRows.merge(
              db, TileRange(width: width, start: tile, end: end), nil, into: &merge)
            return merge.window
          }
        }
        #expect(sums[0].hasSameCounts(as: sums[1]))
      }
    }
  }

  /// Scenario: a checkpoint comes twice, or one that is older than the last.
  /// Guarantees: it is refused and says so; nothing of it is added.
  @Test func checkpointsAreNeverAddedTwice() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    var maker = FindingMaker("checkpointsAreNeverAddedTwice")
    let content = CheckpointContent(
      number: 5, mark: 7, sums: WindowSums(maker.findings(50, within: 0..<Nanos.hour)), names: [])
    try store.commit(content)
    let before = try store.contents()
    for number in [5, 4, 0] as [UInt64] {
      var again = content
      again.number = number
      let error = #expect(throws: StoreError.self) { try store.commit(again) }
      #expect(error == .checkpointNotNew(number: number, committed: 5))
      #expect(error?.message.contains("already holds checkpoint 5") == true)
    }
    #expect(try store.contents() == before)
    #expect(try store.committed == (checkpoint: 5, mark: 7))
  }

  /// Scenario: a checkpoint takes away exactly what an earlier one added.
  /// Guarantees: series that sum to nothing leave no row.
  @Test func seriesThatSumToNothingDisappear() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    var maker = FindingMaker("seriesThatSumToNothingDisappear")
    let findings = maker.findings(50, within: 0..<Nanos.hour)
    let all = WindowSums(findings)
    var negative = WindowSums()
    negative.add(findings, sign: -1)
    try store.commit(CheckpointContent(number: 1, mark: 0, sums: all, names: []))
    #expect(try store.count("tiles") > 0)
    try store.commit(CheckpointContent(number: 2, mark: 0, sums: negative, names: []))
    #expect(try store.count("tiles") == 0)
    #expect(try store.newestWindow() == nil)
  }

  /// Scenario: a checkpoint without sums, as an idle gateway makes.
  /// Guarantees: the mark moves.
  @Test func emptyCheckpointsMoveTheMark() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    #expect(try store.committed == (checkpoint: 0, mark: 0))
    try store.commit(CheckpointContent(number: 1, mark: .max, sums: WindowSums(), names: []))
    #expect(try store.committed == (checkpoint: 1, mark: .max))
    let reading = try store.read(from: 0, to: .max)
    #expect(reading.window.isEmpty && reading.names.isEmpty)
  }

  /// Scenario: a name whose id is not that of its repaired text; one with an id of all bits.
  /// Guarantees: ids survive.
  @Test func idsSurvive() throws {
    let directory = try TemporaryDirectory()
    var name = Name(tenant: TenantID(.max), kind: .operation, scope: NameID(.max), text: "a\0é")
    name.id = NameID(.max - 1)
    var sums = WindowSums()
    var counters = Counters()
    counters[.requests] = 1
    sums.add(Finding(window: epoch, key: .node(name.id), counters: counters))
    do {
      let store = try TileStore(path: directory.path)
      try store.commit(CheckpointContent(number: 1, mark: 0, sums: sums, names: [name]))
    }
    let store = try TileStore(path: directory.path)
    #expect(try store.allNames() == [name])
    #expect(try store.read(from: epoch, to: epoch + 1).names == [name.id: name])
  }
}
