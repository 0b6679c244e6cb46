import Foundation
import Model
import TestSupport
import Testing

@testable import Journal

/// Every moment at which the power may fail, on a disk that then forgets whatever was not synced.
@Suite struct PowerCutTests {
  /// Scenario: a log of small groups over several segments, the oldest deleted now and then, and
  /// the process started again in between. The power fails before each call to the disk, and every
  /// length of what was not synced may be left, with and without each new name in the directory.
  /// Guarantees: what was acknowledged is there, exactly; nothing that was never sent is; the
  /// journal opens, gives no acknowledged number again, and what it then takes in can be read.
  @Test func everyCutAndEveryTornTail() throws {
    var generator = SeededGenerator("everyCutAndEveryTornTail")
    var log = RecordedLog(
      seed: generator.next(), batchesMax: 2, spansMax: 1, segmentBytesMax: 250, groups: 8,
      deletions: 2)
    var images = 0
    try log.run { disk, log in
      for changesKept in 0...disk.unsyncedChanges {
        for bytesKept in 0...disk.unsyncedBytes {
          let image = disk.afterPowerCut(changesKept: changesKept, bytesKept: bytesKept)
          // Opening takes longest, and does not care at which byte of many a record is torn.
          if bytesKept % 10 == 0 {
            try log.check(image)
          } else {
            try log.checkContents(of: DiskModel(image))
          }
          images += 1
        }
      }
    }
    #expect(images > 500, "\(images)")
  }

  /// Scenario: a log of 1,000 records. At each call to the disk one image by chance: a beginning of
  /// the unsynced changes and bytes, in which blocks may be zeros or anything; and while the journal
  /// recovers from it, the power fails again.
  /// Guarantees: the same, after the first cut and after the second.
  @Test func randomCutsAndCutsOfRecoveries() async throws {
    await onOwnThread {
      #expect(throws: Never.self) { try randomCuts() }
    }
  }

  private func randomCuts() throws {
    var generator = SeededGenerator("randomCutsAndCutsOfRecoveries")
    var log = RecordedLog(
      seed: generator.next(), batchesMax: 4, spansMax: 8, segmentBytesMax: 4_000, groups: 100,
      deletions: 2)
    try log.run { disk, log in
      let image = disk.afterPowerCut(&generator, blockBytes: 64)
      let recovering = DiskModel(image)
      var second: [String: [UInt8]]?
      var cut = Int.random(in: 0..<4, using: &generator)
      var dice = generator
      recovering.beforeChange = { [unowned recovering] in
        if cut == 0 { second = recovering.afterPowerCut(&dice, blockBytes: 64) }
        cut -= 1
      }
      try log.check(on: recovering)
      generator = dice
      if let second { try log.check(second) }
    }
    #expect(log.batches > 150, "\(log.batches)")
  }

  /// Scenario: the check itself is given an image from which one byte of an acknowledged batch is
  /// missing, and one with a batch nobody sent.
  /// Guarantees: it says so; the tests above can fail.
  @Test func theModelSeesLoss() throws {
    var log = RecordedLog(
      seed: 1, batchesMax: 2, spansMax: 3, segmentBytesMax: 100_000, groups: 5, deletions: 0)
    var seen: [String: [UInt8]] = [:]
    try log.run { disk, _ in seen = disk.seen }
    let segment = try #require(seen.keys.first { $0.hasPrefix("journal-") })
    var shortened = seen
    shortened[segment]!.removeLast()
    #expect(throws: RecordedLog.Broken.self) { try log.check(shortened) }
    let other = DiskModel()
    var journal = try Journal(opening: RecordedLog.configuration(.max), storage: other)
    journal.append(SpanBatch(tenant: TenantID(77))) { _ in nil }
    try journal.commit()
    #expect(throws: RecordedLog.Broken.self) { try log.check(other.seen) }
  }
}

/// A journal at work on a modelled disk, and what its user was told.
private struct RecordedLog {
  struct Broken: Error, CustomStringConvertible {
    var description: String
  }

  /// What is written after a power cut.
  private static let later = SpanBatch(tenant: TenantID(9))

  private let segmentBytesMax: Int
  /// At least so many groups, and at least so many segments deleted meanwhile.
  private let groups: UInt64
  private let deletions: Int
  private let batchesMax: Int
  private let spansMax: Int
  private var maker: BatchMaker
  private var generator: SeededGenerator
  /// What was ever given to the journal under a number, and which of it was acknowledged.
  private var sent: [UInt64: [SpanBatch]] = [:]
  private var acknowledged: [UInt64: SpanBatch] = [:]
  private var seals: Set<UInt64> = []
  /// Acknowledged seals, and the number the next batch had then. They matter as long as batches
  /// before them are read.
  private var sealsAcknowledged: [UInt64: UInt64] = [:]
  /// Below it nothing is to be read any more.
  private var mark: UInt64 = 0
  private var segmentsDeleted = 0

  var batches: Int { sent.count }

  init(
    seed: UInt64, batchesMax: Int, spansMax: Int, segmentBytesMax: Int, groups: UInt64,
    deletions: Int
  ) {
    self.batchesMax = batchesMax
    self.spansMax = spansMax
    self.segmentBytesMax = segmentBytesMax
    self.groups = groups
    self.deletions = deletions
    generator = SeededGenerator(seed: seed)
    maker = BatchMaker(SeededGenerator(seed: seed &+ 1), namesCount: 2)
  }

  static func configuration(_ segmentBytesMax: Int) -> JournalConfiguration {
    JournalConfiguration(directory: "journal", segmentBytesMax: segmentBytesMax)
  }

  /// Writes the log and calls `atEach` before each change to the disk and at the end.
  mutating func run(_ atEach: (DiskModel, RecordedLog) throws -> Void) throws {
    try withoutActuallyEscaping(atEach) { atEach in
      let disk = DiskModel()
      var failure: (any Error)?
      let now = Holder(self)
      disk.beforeChange = { [unowned disk] in
        guard failure == nil else { return }
        do { try atEach(disk, now.log) } catch { failure = error }
      }
      var journal = try Journal(
        opening: RecordedLog.configuration(segmentBytesMax), storage: disk)
      var number: UInt64 = 0
      while number < groups || segmentsDeleted < deletions {
        try writeGroup(&journal, now, number: number)
        number += 1
        if let failure { throw failure }
        if Int.random(in: 0..<20, using: &generator) == 0 {
          journal = try Journal(
            opening: RecordedLog.configuration(segmentBytesMax), sequenceMin: mark, storage: disk)
        }
      }
      disk.beforeChange = {}
      try atEach(disk, self)
    }
  }

  private mutating func writeGroup(
    _ journal: inout Journal, _ now: Holder, number: UInt64
  ) throws {
    var group: [UInt64: SpanBatch] = [:]
    for _ in 0..<Int.random(in: 1...batchesMax, using: &generator) {
      let batch = maker.batch(spansMax: spansMax)
      let names = maker.names
      let sequence = journal.append(batch) { names[$0] }
      group[sequence] = batch
      sent[sequence, default: []].append(batch)
    }
    let hasSeal = Int.random(in: 0..<4, using: &generator) == 0
    if hasSeal {
      journal.appendSeal(checkpoint: number, traces: maker.traces(countMax: 3))
      seals.insert(number)
    }
    now.log = self
    try journal.commit()
    acknowledged.merge(group) { $1 }
    if hasSeal { sealsAcknowledged[number] = journal.nextSequence }
    now.log = self
    guard deletions > 0, Int.random(in: 0..<3, using: &generator) == 0 else { return }
    mark = UInt64.random(
      in: max(mark, journal.nextSequence &- min(journal.nextSequence, 4))...journal.nextSequence,
      using: &generator)
    acknowledged = acknowledged.filter { $0.key >= mark }
    let before = journal.statistics.segments
    now.log = self
    try journal.deleteSegments(below: mark)
    segmentsDeleted += before - journal.statistics.segments
  }

  /// What a power cut left must hold all that was acknowledged, and open.
  func check(_ image: [String: [UInt8]]) throws { try check(on: DiskModel(image)) }

  func check(on disk: DiskModel) throws {
    try checkContents(of: disk)
    var journal = try Journal(
      opening: RecordedLog.configuration(segmentBytesMax), sequenceMin: mark, storage: disk)
    if let last = acknowledged.keys.max(), journal.nextSequence <= last {
      throw Broken(description: "number \(journal.nextSequence) is given again, \(last) was last")
    }
    let sequence = journal.append(RecordedLog.later) { _ in nil }
    try journal.commit()
    var read: [UInt64: SpanBatch] = [:]
    _ = try JournalReader.read(directory: "journal", from: mark, storage: disk) { record in
      if case .batch(let sequence, let batch, _) = record { read[sequence] = batch }
    }
    guard read[sequence] == RecordedLog.later else {
      throw Broken(description: "what was taken in after the power cut cannot be read")
    }
    for (sequence, batch) in acknowledged where read[sequence] != batch {
      throw Broken(description: "batch \(sequence) was lost by what came after the power cut")
    }
  }

  func checkContents(of disk: DiskModel) throws {
    var read: [UInt64: SpanBatch] = [:]
    var sealsRead: Set<UInt64> = []
    _ = try JournalReader.read(directory: "journal", from: mark, storage: disk) { record in
      switch record {
      case .batch(let sequence, let batch, _):
        guard read.updateValue(batch, forKey: sequence) == nil else {
          throw Broken(description: "batch \(sequence) is read twice")
        }
        guard batch == RecordedLog.later || sent[sequence, default: []].contains(batch) else {
          throw Broken(description: "batch \(sequence) was never sent")
        }
      case .seal(let checkpoint, _): sealsRead.insert(checkpoint)
      }
    }
    for (sequence, batch) in acknowledged where read[sequence] != batch {
      throw Broken(description: "batch \(sequence) was acknowledged and is lost")
    }
    let needed = Set(sealsAcknowledged.filter { $0.value > mark }.keys)
    guard needed.isSubset(of: sealsRead), sealsRead.isSubset(of: seals) else {
      throw Broken(
        description: "seals \(sealsRead.sorted()) for \(needed.sorted())")
    }
  }
}

/// The log as it is now, for those who are called from within.
private final class Holder {
  var log: RecordedLog

  init(_ log: RecordedLog) { self.log = log }
}
