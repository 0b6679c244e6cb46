import Model
import TestSupport
import Testing

@testable import Assemble

@Suite struct TraceIndexTests {
  /// Scenario: random keys come and go, slots are used again, the index grows.
  /// Guarantees: it finds what a dictionary finds, and nothing else.
  @Test func agreesWithADictionary() {
    var random = SeededGenerator()
    var index = TraceIndex()
    var slots: [Trace] = []
    var free: [Int32] = []
    var oracle: [TraceKey: Int32] = [:]
    for step in 0..<30_000 {
      // Grows for a while, then shrinks, and so on; keys that differ in one part only.
      let key = TraceKey(
        tenant: TenantID(UInt32(random.below(2))),
        trace: TraceID(high: UInt64(random.below(3)) << 60, low: UInt64(random.below(500))))
      #expect(index.find(key, in: slots) == oracle[key])
      let isGrowing = step / 5000 % 2 == 0
      if oracle[key] == nil, isGrowing || random.once(in: 4) {
        let trace = Trace(key: key, firstArrival: 0, firstSequence: 0, nextLookAge: 0)
        let slot = free.popLast() ?? Int32(slots.count)
        if Int(slot) == slots.count { slots.append(trace) } else { slots[Int(slot)] = trace }
        index.insert(slot, in: slots)
        oracle[key] = slot
      } else if let slot = oracle[key], !isGrowing || random.once(in: 4) {
        index.remove(key, in: slots)
        slots[Int(slot)] = Trace.vacant
        free.append(slot)
        oracle[key] = nil
      }
      #expect(index.count == oracle.count)
    }
    for (key, slot) in oracle { #expect(index.find(key, in: slots) == slot) }
  }

  /// Scenario: a key that is not there is removed.
  /// Guarantees: nothing changes.
  @Test func removingWhatIsNotThere() {
    var index = TraceIndex()
    let slots = [Trace(key: .test(1), firstArrival: 0, firstSequence: 0, nextLookAge: 0)]
    index.remove(.test(1), in: slots)
    index.insert(0, in: slots)
    index.remove(.test(2), in: slots)
    #expect(index.count == 1 && index.find(.test(1), in: slots) == 0)
  }

  /// Scenario: many keys, of which all but a few are removed.
  /// Guarantees: those that stay are still found: no hole cuts a probe short.
  @Test func holesAreClosed() {
    var random = SeededGenerator()
    for _ in 0..<50 {
      var index = TraceIndex()
      let slots = (0..<200).map { _ in
        Trace(
          key: TraceKey(
            tenant: .standard, trace: TraceID(high: random.next(), low: random.next())),
          firstArrival: 0, firstSequence: 0, nextLookAge: 0)
      }
      for slot in slots.indices { index.insert(Int32(slot), in: slots) }
      let removed = Set(slots.indices.filter { _ in random.once(in: 2) })
      for slot in removed.shuffled(using: &random) { index.remove(slots[slot].key, in: slots) }
      for slot in slots.indices {
        #expect(
          index.find(slots[slot].key, in: slots) == (removed.contains(slot) ? nil : Int32(slot)))
      }
    }
  }

  /// Scenario: more traces are remembered than there is room for, some of them twice.
  /// Guarantees: the last ones are known, the ones before are not: the memory is bounded.
  @Test(arguments: [0, 1, 7, 64])
  func rememberedTracesAreBounded(countMax: Int) {
    var remembered = RememberedTraces(countMax: countMax)
    let room = max(1, countMax)
    for id in UInt64(1)...300 {
      remembered.insert(.test(id))
      remembered.insert(.test(id))
      let oldest = id > UInt64(room) ? id - UInt64(room) + 1 : 1
      #expect((oldest...id).allSatisfy { remembered.contains(.test($0)) })
      #expect(oldest == 1 || !remembered.contains(.test(oldest - 1)))
    }
    #expect((UInt64(1)...300).count { remembered.contains(.test($0)) } == room)
  }
}
