import Model
import TestSupport
import Testing

@testable import OTLP

@Suite struct NameCacheTests {
  /// Scenario: many names are inserted and looked up, against a dictionary.
  /// Guarantees: what was inserted is found, nothing else is, and each is new to a batch once.
  @Test func agreesWithDictionary() {
    var random = SeededGenerator()
    var cache = NameCache()
    var expected: [NameID: NameID] = [:]
    cache.beginBatch(now: Sample.now)
    for _ in 0..<20_000 {
      let id = NameID(UInt64.random(in: 1...30_000, using: &random))
      let other = NameID(UInt64.random(in: 1...5, using: &random) << 40)
      #expect(cache.interned(id) == expected[id])
      if expected[id] == nil {
        let interned = id.raw % 7 == 0 ? other : id
        cache.insert(id, interned: interned)
        expected[id] = interned
        expected[interned] = interned
      }
    }
    #expect(cache.count == expected.count)
    for id in expected.keys {
      let isNew = cache.noteUse(of: id)
      let isNewAgain = cache.noteUse(of: id)
      #expect(isNew && !isNewAgain)
    }
    cache.beginBatch(now: Sample.now)
    let areAllNew = expected.keys.allSatisfy { cache.noteUse(of: $0) }
    #expect(areAllNew)
  }

  /// Scenario: five minutes pass, the clock goes back, the cache fills up.
  /// Guarantees: it forgets, so that the name table hears of names in use; and says so in a batch.
  @Test func forgets() {
    var cache = NameCache()
    cache.beginBatch(now: Sample.now)
    cache.insert(NameID(1), interned: NameID(1))
    cache.beginBatch(now: Sample.now + 5 * .minute - 1)
    #expect(cache.interned(NameID(1)) != nil)
    cache.beginBatch(now: Sample.now + 5 * .minute)
    #expect(cache.interned(NameID(1)) == nil)
    cache.insert(NameID(1), interned: NameID(1))
    cache.beginBatch(now: Sample.now)
    #expect(cache.interned(NameID(1)) == nil)
    for raw in 1...UInt64(NameCache.countMax) { cache.insert(NameID(raw), interned: NameID(raw)) }
    #expect(!cache.forgotInBatch && cache.count == NameCache.countMax)
    cache.insert(NameID(.max), interned: NameID(.max))
    #expect(cache.forgotInBatch && cache.count == 1)
    cache.beginBatch(now: Sample.now)
    #expect(!cache.forgotInBatch)
  }

  /// Scenario: one batch with more names than the cache holds, the first ones used again at the end.
  /// Guarantees: every name is listed once all the same.
  @Test func batchLargerThanCache() {
    var limits = NameLimits()
    limits.operationsMax = 100_000
    let table = NameTable(limits: limits)
    var builder = SpanBuilder(names: table, limits: DecodeLimits())
    builder.begin(tenant: .standard, now: Sample.now)
    builder.beginResource()
    builder.endResource()
    for number in Array(0..<NameCache.countMax) + Array(0..<100) {
      builder.beginSpan()
      builder.traceID(.success(Sample.trace))
      builder.spanID(.success(SpanID(7)))
      builder.end(Sample.end)
      Array("op \(number)".utf8).withUnsafeBytes {
        builder.name($0)
        builder.endSpan()
      }
    }
    let batch = builder.finish().batch
    #expect(batch.names.count == NameCache.countMax + 1)
    #expect(Set(batch.names).count == batch.names.count)
  }
}
