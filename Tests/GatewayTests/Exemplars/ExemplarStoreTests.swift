import Model
import TestSupport
import Testing

@testable import Gateway

@Suite struct ExemplarStoreTests {
  private func trace(_ id: TraceID, end: Nanos = TraceGenerator.epoch, spans: Int = 4)
    -> ExemplarTrace
  {
    ExemplarTrace(
      key: TraceKey(tenant: .standard, trace: id),
      spans: (0..<spans).map { number in
        SpanRecord(
          id: SpanID(UInt64(number + 1)), start: end - .second, end: end, service: NameID(1))
      }, isCut: false)
  }

  /// Scenario: traces of which some are shown by series; one of another tenant; one too large.
  /// Guarantees: those shown are kept and found, the others are not.
  @Test func keptAndFound() {
    let store = ExemplarStore(bytesMax: 10_000)
    let ids = (1...3).map { TraceID(high: 1, low: $0) }
    let large = TraceID(high: 2, low: 2)
    let kept = store.keep(
      ids.map { trace($0) } + [trace(large, spans: 500)],
      places: [ids[0]: 0.5, ids[1]: 2, large: 0])
    #expect(kept.map(\.key.trace) == [ids[0], ids[1]])
    #expect(store.trace(TraceKey(tenant: .standard, trace: ids[0]))?.spans.count == 4)
    #expect(store.trace(TraceKey(tenant: TenantID(7), trace: ids[0])) == nil)
    #expect(store.contains(ids[1]) && !store.contains(ids[2]) && !store.contains(large))
    #expect(store.figures.traces == 2 && store.figures.evicted == 0)
    // The same trace again takes no more room.
    let before = store.figures.bytes
    _ = store.keep([trace(ids[0])], places: [ids[0]: 0.5])
    #expect(store.figures.bytes == before)
  }

  /// Scenario: more traces than there is room for, over a day, each with the place its hash gives it.
  /// Guarantees: never over the bound; each that was evicted is counted; of the last hour far more
  /// than of the first are kept, of the first four some, and of those of one hour the ones that come first by hash.
  @Test func makingRoom() {
    var random = SeededGenerator()
    let store = ExemplarStore(bytesMax: 200_000)
    var all: [(id: TraceID, hour: Nanos)] = []
    for minute in 0..<Nanos(24 * 60) {
      let end = TraceGenerator.epoch + minute * .minute
      let ids = (0..<5).map { _ in TraceID(high: random.next(), low: random.next()) }
      all += ids.map { ($0, minute / 60) }
      let places = ids.map { ($0, 5 * Exemplars.place(of: $0)) }
      _ = store.keep(
        ids.map { trace($0, end: end) }, places: Dictionary(uniqueKeysWithValues: places))
      #expect(store.figures.bytes <= store.bytesMax)
    }
    let figures = store.figures
    #expect(figures.traces + Int(figures.evicted) == all.count && figures.evicted > 0)
    func kept(_ hour: Nanos) -> [TraceID] {
      all.filter { $0.hour == hour && store.contains($0.id) }.map(\.id)
    }
    #expect(kept(23).count > 3 * kept(0).count, "seed \(random.seed)")
    // Of one early hour a handful is kept, and by chance sometimes none; of several never.
    #expect((0..<4).contains { !kept($0).isEmpty }, "seed \(random.seed)")
    for hour in [Nanos(0), 12] {
      let places = all.filter { $0.hour == hour }.map { Exemplars.place(of: $0.id) }.sorted()
      let worst = kept(hour).map { Exemplars.place(of: $0) }.max() ?? 0
      // The first half of an hour is a little older than the second.
      #expect(worst <= places[min(places.count - 1, 2 * kept(hour).count)])
    }
  }

  /// Scenario: one series has a thousand traces in its ten seconds, another has one; both keep theirs.
  /// Guarantees: a trace's place is that in its rarest series; of equally good hashes the example of
  /// the rare one stays longer.
  @Test func places() {
    var sums = WindowSums()
    let (rare, busy) = (TraceID(high: 5, low: 5), TraceID(high: 6, low: 6))
    func add(_ key: UInt64, _ count: Int64, _ trace: TraceID) {
      var finding = Finding(window: 0, key: .node(NameID(key)), exemplar: trace)
      finding.counters[.requests] = count
      sums.add(finding)
    }
    add(1, 1_000, busy)
    add(2, 1_000, rare)
    add(3, 1, rare)
    let places = sums.exemplarPlaces(among: [rare, busy, TraceID(high: 9, low: 9)])
    #expect(
      places == [
        busy: 1_000 * Exemplars.place(of: busy), rare: Exemplars.place(of: rare),
      ])
    #expect(sums.exemplarPlaces(among: []).isEmpty)
  }

  /// Scenario: a shard seals more traces between two checkpoints than it has room for.
  /// Guarantees: at its bound; those that come first by hash stay; what was handed over is found until
  /// the next time; without a bound nothing is kept.
  @Test func candidates() {
    var random = SeededGenerator()
    let size = trace(TraceID(high: 1, low: 1)).bytes
    var candidates = ExemplarCandidates(bytesMax: 20 * size)
    let ids = (0..<200).map { _ in TraceID(high: random.next(), low: random.next()) }
    for id in ids {
      candidates.offer(trace(id))
      #expect(candidates.bytes <= 20 * size)
    }
    let first = ids.sorted { Exemplars.place(of: $0) < Exemplars.place(of: $1) }.prefix(9)
    let found = first.filter { id in
      candidates.trace(TraceKey(tenant: .standard, trace: id)) != nil
    }
    #expect(found.count == 9)
    candidates.offer(trace(TraceID(high: 3, low: 3), spans: 1_000))
    let taken = candidates.take()
    #expect(taken.count + Int(candidates.dropped) == ids.count + 1)
    #expect(candidates.trace(taken[0].key) != nil)
    #expect(candidates.take().isEmpty && candidates.trace(taken[0].key) == nil)
    #expect(candidates.bytes == 0)

    var none = ExemplarCandidates(bytesMax: 0)
    none.offer(trace(ids[0]))
    #expect(none.bytes == 0 && none.take().isEmpty && none.dropped == 0)
  }
}
