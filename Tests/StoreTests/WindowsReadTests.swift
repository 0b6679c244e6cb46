import Model
import TestSupport
import Testing

@testable import Store

@Suite("Windows of the store, one by one") struct WindowsReadTests {
  private let kinds: [SeriesKind] = [.node, .version, .unreached]

  /// Findings of several kinds over a few ids.
  private func findings(
    _ count: Int, within length: Nanos, _ random: inout SeededGenerator
  ) -> [Finding] {
    (0..<count).map { _ in
      var finding = Finding(
        window: (epoch + random.below(length)).floored(to: windowNanos),
        key: SeriesKey(
          kinds[random.below(kinds.count)], UInt64(1 + random.below(3)), UInt64(random.below(2))),
        latency: random.once(in: 2) ? random.anyMagnitude() : nil)
      finding.counters[.traces] = 1
      return finding
    }
  }

  /// Scenario: random findings, split at random over several checkpoints and what is not stored
  /// yet, are read by random selections, over random ranges, in windows of every width.
  /// Guarantees: the store's windows with the rest are those of all findings together, whatever was
  /// where.
  @Test func aSplitChangesNothing() throws {
    var random = SeededGenerator()
    for _ in 0..<8 {
      let directory = try TemporaryDirectory()
      let store = try TileStore(path: directory.path)
      let all = findings(300, within: 100 * .minute, &random)
      var parts = [WindowSums](repeating: WindowSums(), count: 4)
      for finding in all { parts[random.below(4)].add(finding) }
      for number in 1...3 {
        try store.commit(
          CheckpointContent(number: UInt64(number), mark: 0, sums: parts[number], names: []))
      }
      for width in TileWidth.allCases {
        let selection = SeriesSelection([
          .node: .first([1, UInt64(random.below(4))]), .unreached: .all,
        ])
        let from = epoch + random.below(60 * .minute)
        let to = from + random.below(50 * .minute)
        let reading = try store.windows(selection, from: from, to: to, by: width)
        #expect(reading.checkpoint == 3)
        #expect(reading.start == from.floored(to: windowNanos) && reading.end >= to)
        #expect(reading.end - to < windowNanos)
        var sums = reading.sums
        sums.merge(
          parts[0].selected(selection, from: reading.start, to: reading.end, by: width.nanos))
        let expected = WindowSums(all).selected(
          selection, from: reading.start, to: reading.end, by: width.nanos)
        #expect(sums.hasSameCounts(as: expected), "\(width)")
      }
    }
  }

  /// Scenario: a week passes: fine tiles are too old, then deleted; both are read in fine windows.
  /// Guarantees: wider tiles stand at their own beginnings, nothing is missing or twice; the
  /// finest width that is kept is told before and after.
  @Test func whatIsOldIsWide() throws {
    var random = SeededGenerator()
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    let length = 10 * Nanos.day
    var all = findings(600, within: length, &random)
    // A few within the last hours, of which the finest are still there.
    all += findings(60, within: 90 * .minute, &random).map {
      var finding = $0
      finding.window += (length - 90 * .minute).floored(to: windowNanos)
      return finding
    }
    try store.commit(CheckpointContent(number: 1, mark: 0, sums: WindowSums(all), names: []))
    let now = epoch + length
    let selection = SeriesSelection(Set(kinds))
    for isDeleted in [false, true] {
      if isDeleted { try store.deleteExpired(now: now, retention: 30 * .day) }
      let ages: [(Nanos, TileWidth)] = [
        (.minute, .tenSeconds), (3 * .hour, .minute), (3 * .day, .tenMinutes), (8 * .day, .hour),
      ]
      for (age, finest) in ages {
        #expect(try store.finestWidth(at: now - age, now: now) == finest)
        for width in TileWidth.allCases {
          let reading = try store.windows(
            selection, from: now - age, to: now, by: width, now: now)
          let expected = WindowSums(all).merged(from: reading.start, to: reading.end)
          #expect(reading.sums.merged(from: 0, to: .max).hasSameCounts(as: expected))
          for start in reading.sums.windows.keys {
            let least = try store.finestWidth(at: start, now: now)
            #expect(start.isMultiple(of: max(width, least).nanos))
          }
        }
      }
      #expect(try store.finestWidth(at: 0, now: now) == .hour)
      #expect(try store.finestWidth(at: now + .day, now: now) == .tenSeconds)
    }
  }

  /// Scenario: empty and backward ranges, an empty store.
  /// Guarantees: nothing, and no trap.
  @Test func nothing() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    for (from, to) in [(epoch, epoch), (epoch + .hour, epoch), (0, 0)] as [(Nanos, Nanos)] {
      let reading = try store.windows(
        SeriesSelection(SeriesKind.all), from: from, to: to, by: .minute, now: epoch)
      #expect(reading.sums.isEmpty && reading.start == reading.end)
    }
    #expect(try store.versionSightings(of: NameID(1)).isEmpty)
    #expect(try store.serviceNames(tenant: .standard).isEmpty)
  }

  /// Scenario: names of services of two tenants, and of other kinds, are stored.
  /// Guarantees: of a tenant its services, and no other names.
  @Test func services() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    let names = [
      Name(tenant: .standard, kind: .service, text: "a"),
      Name(tenant: .standard, kind: .service, text: "b"),
      Name(tenant: TenantID(3), kind: .service, text: "a"),
      Name(tenant: .standard, kind: .external, text: "a"),
    ]
    try store.commit(CheckpointContent(number: 1, mark: 0, sums: WindowSums(), names: names))
    #expect(Set(try store.serviceNames(tenant: .standard)) == Set(names[..<2]))
    #expect(try store.serviceNames(tenant: TenantID(3)) == [names[2]])
  }

  /// Scenario: versions of two services over two checkpoints.
  /// Guarantees: of a service each version once, with the first and the newest window of both.
  @Test func sightings() throws {
    let directory = try TemporaryDirectory()
    let store = try TileStore(path: directory.path)
    func sums(_ service: UInt64, _ version: UInt64, _ time: Nanos) -> WindowSums {
      WindowSums([
        Finding(window: time, key: .version(NameID(service), NameID(version)), latency: 1)
      ])
    }
    var first = sums(1, 10, epoch + .minute)
    first.merge(sums(2, 20, epoch))
    var second = sums(1, 10, epoch)
    second.merge(sums(1, 11, epoch + .hour))
    second.merge(sums(1, 0, epoch))
    for (number, sums) in [first, second].enumerated() {
      try store.commit(
        CheckpointContent(number: UInt64(number + 1), mark: 0, sums: sums, names: []))
    }
    let seen = try store.versionSightings(of: NameID(1)).sorted { $0.version < $1.version }
    #expect(
      seen == [
        VersionSighting(
          service: NameID(1), version: NameID(10), first: epoch, newest: epoch + .minute),
        VersionSighting(
          service: NameID(1), version: NameID(11), first: epoch + .hour, newest: epoch + .hour),
      ])
  }
}

extension CoverTests {
  /// Scenario: random ranges, covered by tiles up to a width.
  /// Guarantees: no tile is wider, but where finer ones are not kept; nothing is left out.
  @Test func noWiderThanAskedFor() {
    var random = SeededGenerator()
    for _ in 0..<300 {
      let now = epoch + random.below(Nanos.day)
      let horizons = Horizons(now: now)
      let from = now - random.below(9 * Nanos.day)
      let to = from + 1 + random.below(3 * Nanos.hour)
      let widest = TileWidth.allCases[random.below(4)]
      let cover = TileCover(from: from, to: to, horizons: horizons, widest: widest)
      var time = cover.start
      for piece in cover.pieces {
        #expect(piece.start == time)
        #expect(piece.width <= max(widest, horizons.finest(at: piece.start)))
        time = piece.end
      }
      #expect(time == cover.end && cover.start <= from && cover.end >= to)
    }
  }
}
