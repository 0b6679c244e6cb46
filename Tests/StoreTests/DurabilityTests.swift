import Foundation
import GRDB
import Model
import Testing

@testable import Store

@Suite struct DurabilityTests {
  /// Scenario: the store as it was opened.
  /// Guarantees: the settings that durability, space and speed rest on are in force.
  @Test func settingsAreInForce() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    let settings = try store.pool.writeWithoutTransaction { db in
      try ["journal_mode", "synchronous", "auto_vacuum", "foreign_keys"].map {
        try String.fetchOne(db, sql: "PRAGMA \($0)")
      }
    }
    #expect(settings == ["wal", "2", "2", "0"])
  }

  /// Scenario: the process is killed: what is left is the file and as much of its log as the disk
  /// got, cut at random places. Guarantees: the copy opens, and holds exactly the first n
  /// checkpoints, whole.
  @Test func eachCheckpointIsThereWholeOrNotAtAll() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    var maker = FindingMaker("eachCheckpointIsThereWholeOrNotAtAll")
    var states = [WindowSums()]
    for number in 1...5 as ClosedRange<UInt64> {
      let sums = WindowSums(maker.findings(60, within: 0..<Nanos.hour))
      try store.commit(
        CheckpointContent(number: number, mark: number * 100, sums: sums, names: maker.names))
      var next = states[states.count - 1]
      next.merge(sums)
      states.append(next)
    }
    let log = try Data(contentsOf: URL(fileURLWithPath: directory.file + "-wal"))
    var seen: Set<UInt64> = []
    for attempt in 0..<60 {
      let copy = try TemporaryDirectory()
      let cut = attempt == 0 ? log.count : Int.random(in: 0...log.count, using: &maker.generator)
      try FileManager.default.copyItem(atPath: directory.file, toPath: copy.file)
      try log.prefix(cut).write(to: URL(fileURLWithPath: copy.file + "-wal"))
      let left = try TileStore(path: copy.path)
      let (checkpoint, mark) = try left.committed
      #expect(mark == checkpoint * 100)
      let expected = states[Int(checkpoint)].merged(from: 0, to: .max)
      for _ in 0..<2 {
        let reading = try left.read(from: epoch, to: epoch + .hour)
        #expect(reading.checkpoint == checkpoint)
        #expect(reading.window.hasSameCounts(as: expected))
      }
      let fine = try left.read(from: epoch + 10 * .second, to: epoch + 50 * .minute)
      #expect(
        fine.window.hasSameCounts(
          as: states[Int(checkpoint)].merged(from: fine.start, to: fine.end)))
      seen.insert(checkpoint)
      if attempt == 0 { #expect(checkpoint == 5) }
    }
    #expect(seen.count > 1)
  }

  /// Scenario: the disk has no room for a checkpoint; then it has again.
  /// Guarantees: an error with path, cause and remedy; nothing of the checkpoint is there; the same
  /// checkpoint can be committed later.
  @Test func fullDisksRefuseTheWholeCheckpoint() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    var maker = FindingMaker("fullDisksRefuseTheWholeCheckpoint")
    let sums = WindowSums(maker.findings(2_000, within: 0..<Nanos.hour))
    let content = CheckpointContent(number: 1, mark: 9, sums: sums, names: maker.names)
    try limit(store, pages: 20)
    let error = #expect(throws: StoreError.self) { try store.commit(content) }
    guard case .failed(.commit, directory.file, 13, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.message.contains("Free space on that disk") == true)
    #expect(try store.committed == (checkpoint: 0, mark: 0))
    #expect(try store.count("tiles") == 0 && store.allNames().isEmpty)
    try limit(store, pages: 1_000_000)
    try store.commit(content)
    let reading = try store.read(from: epoch, to: epoch + .hour)
    #expect(reading.window.hasSameCounts(as: sums.merged(from: 0, to: .max)))
  }

  private func limit(_ store: TileStore, pages: Int) throws {
    try store.pool.writeWithoutTransaction {
      _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = \(pages)")
    }
  }

  /// Scenario: the file may not be written to.
  /// Guarantees: commits and deletions say so; readings go on.
  @Test func readOnlyStoresSaySo() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    try store.commit(CheckpointContent(number: 1, mark: 1, sums: WindowSums(), names: []))
    try store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 1") }
    let error = #expect(throws: StoreError.self) {
      try store.commit(CheckpointContent(number: 2, mark: 1, sums: WindowSums(), names: []))
    }
    #expect(error?.message.contains(directory.file) == true)
    #expect(error?.message.contains("user this process runs as") == true)
    #expect(throws: StoreError.self) {
      try store.deleteExpired(now: epoch, retention: .day)
    }
    #expect(throws: StoreError.self) { try store.deleteUnusedNames() }
    #expect(try store.committed.checkpoint == 1)
  }

  /// Scenario: the file is no store, was damaged, or the directory cannot be made.
  /// Guarantees: opening or reading fails with path, cause and remedy; never a crash.
  @Test func damagedFilesSaySo() throws {
    let text = try TemporaryDirectory()
    try Data(repeating: 0x41, count: 8_192).write(to: URL(fileURLWithPath: text.file))
    let notStore = #expect(throws: StoreError.self) { try TileStore(path: text.path) }
    #expect(notStore?.message.contains(text.file) == true)
    #expect(notStore?.message.contains("move it away") == true)

    let blocked = #expect(throws: StoreError.self) { try TileStore(path: text.file + "/sub") }
    #expect(blocked?.message.contains("Cannot open") == true)
    let device = #expect(throws: StoreError.self) { try TileStore(path: "/proc/self") }
    #expect(device?.message.contains("user this process runs as") == true)
  }

  /// Scenario: random stretches of the file are overwritten.
  /// Guarantees: never a crash; either an error that names the file, or an answer.
  @Test func randomDamageNeverCrashes() throws {
    let directory = try TemporaryDirectory()
    var maker = FindingMaker("randomDamageNeverCrashes")
    do {
      let store = try TileStore(path: directory.path)
      let sums = WindowSums(maker.findings(500, within: 0..<Nanos.hour))
      try store.commit(CheckpointContent(number: 1, mark: 0, sums: sums, names: maker.names))
      try store.close()
    }
    let sound = try [UInt8](Data(contentsOf: URL(fileURLWithPath: directory.file)))
    var errors = 0
    for round in 0..<60 {
      var bytes = sound
      // The first round takes the file's header, which nothing can be read without.
      let start =
        round == 0 ? 0 : Int.random(in: 0..<bytes.count - 600, using: &maker.generator)
      for index in start..<start + 600 {
        bytes[index] = UInt8.random(in: 0...255, using: &maker.generator)
      }
      let copy = try TemporaryDirectory()
      try Data(bytes).write(to: URL(fileURLWithPath: copy.file))
      if let message = askEverything(copy) {
        errors += 1
        #expect(message.contains(copy.file))
      }
    }
    #expect(errors > 0)
  }

  /// Opens and reads all there is; the message when something refused.
  private func askEverything(_ directory: TemporaryDirectory) -> String? {
    do {
      let store = try TileStore(path: directory.path)
      _ = try store.read(from: 0, to: .max)
      _ = try store.read(from: epoch, to: epoch + 59 * .minute)
      _ = try store.allNames()
      _ = try store.newestWindow()
      try store.deleteExpired(now: epoch + .hour, retention: .hour)
      return nil
    } catch {
      return error.message
    }
  }

  /// Scenario: rows that cannot have been written: unknown kinds, unreadable sums, no checkpoint.
  /// Guarantees: readings fail and say which.
  @Test func impossibleRowsSaySo() throws {
    let cases: [(sql: String, says: String)] = [
      ("INSERT INTO tiles VALUES (3, 0, 5, 1, 2, 3, x'01')", "series 5/0000000000000001"),
      ("INSERT INTO tiles VALUES (3, 0, 99, 1, 2, 3, x'01')", "no known kind (99)"),
      ("INSERT INTO names VALUES (1, 0, 77, 0, x'61', 0)", "name 0000000000000001"),
      ("DELETE FROM checkpoint", "last checkpoint is missing"),
    ]
    for (sql, says) in cases {
      let directory = try TemporaryDirectory()
      let store = try TileStore(path: directory.path)
      try store.pool.write { try $0.execute(sql: sql) }
      let error = #expect(throws: StoreError.self) {
        _ = try store.read(from: 0, to: .day)
        _ = try store.allNames()
      }
      #expect(error?.description.contains(says) == true)
      #expect(error?.description.contains("is damaged") == true)
    }
  }

  /// Scenario: a newer version added a migration.
  /// Guarantees: the store is refused with a message that says so, and is not touched.
  @Test func newerStoresAreRefused() throws {
    let directory = try TemporaryDirectory()
    do {
      let store = try TileStore(path: directory.path)
      try store.pool.write {
        try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('9 from the future')")
      }
      try store.close()
    }
    let error = #expect(throws: StoreError.self) { try TileStore(path: directory.path) }
    #expect(error == .newerVersion(path: directory.file))
    #expect(error?.message.contains("newer version") == true)
  }

  /// Scenario: reading goes on while checkpoints are committed.
  /// Guarantees: each reading is of one checkpoint: its sums are exactly those up to that number.
  @Test func readingsSeeOneCheckpoint() async throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    let key = SeriesKey.node(NameID(1))
    let commits = Task.detached {
      for number in 1...30 as ClosedRange<UInt64> {
        var counters = Counters()
        counters[.requests] = 1
        var sums = WindowSums()
        for window in 0..<10 as Range<Nanos> {
          sums.add(Finding(window: epoch + window * windowNanos, key: key, counters: counters))
        }
        try store.commit(CheckpointContent(number: number, mark: 0, sums: sums, names: []))
      }
    }
    var checkpoint: UInt64 = 0
    while checkpoint < 30 {
      let reading = try store.read(from: epoch, to: epoch + 100 * .second)
      #expect(reading.checkpoint >= checkpoint)
      checkpoint = reading.checkpoint
      let requests = reading.window.series[key]?.counters[.requests] ?? 0
      #expect(requests == Int64(checkpoint) * 10)
    }
    try await commits.value
  }

  /// Scenario: one of each error.
  /// Guarantees: every message says what to do, and ends no sentence twice.
  @Test(arguments: ["d", "d."])
  func messagesSayWhatToDo(detail: String) {
    for code in [5, 10, 14, 1, 0] as [Int32] {
      let error = StoreError.failed(.open, path: "p", code: code, detail: detail)
      #expect(error.message.hasPrefix("Cannot open p: d. "))
      #expect(error.message.count > 30)
    }
  }
}
