import Model

/// Finds a trace's slot by its key: open addressing with linear probing, deletion by shifting back.
///
/// Ids come from clients, so the hash is salted with a random word of this process: nobody outside
/// can choose ids that collide.
struct TraceIndex: Sendable {
  /// Slot + 1; 0 is empty. The count of places is a power of two, at most half of them taken.
  private var places: [Int32]
  private(set) var count = 0
  private let salt = UInt64.random(in: .min ... .max) | 1

  init() { places = Array(repeating: 0, count: 64) }

  func find(_ key: TraceKey, in slots: [Trace]) -> Int32? {
    var place = home(of: key)
    while places[place] != 0 {
      let slot = places[place] - 1
      if slots[Int(slot)].key == key { return slot }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }

  /// Adds a slot whose key is not there yet.
  mutating func insert(_ slot: Int32, in slots: [Trace]) {
    if (count + 1) * 2 > places.count { grow(slots) }
    place(slot, key: slots[Int(slot)].key)
    count += 1
  }

  mutating func remove(_ key: TraceKey, in slots: [Trace]) {
    let mask = places.count - 1
    var hole = home(of: key)
    while true {
      guard places[hole] != 0 else { return }
      if slots[Int(places[hole] - 1)].key == key { break }
      hole = (hole + 1) & mask
    }
    count -= 1
    var next = (hole + 1) & mask
    while places[next] != 0 {
      let home = home(of: slots[Int(places[next] - 1)].key)
      // The one at `next` may move into the hole if its home is not between the two.
      if (next - home) & mask >= (next - hole) & mask {
        places[hole] = places[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    places[hole] = 0
  }

  private mutating func place(_ slot: Int32, key: TraceKey) {
    var place = home(of: key)
    while places[place] != 0 { place = (place + 1) & (places.count - 1) }
    places[place] = slot + 1
  }

  private mutating func grow(_ slots: [Trace]) {
    let old = places
    places = Array(repeating: 0, count: old.count * 2)
    for taken in old where taken != 0 { place(taken - 1, key: slots[Int(taken - 1)].key) }
  }

  private func home(of key: TraceKey) -> Int {
    var mixed = (key.trace.low ^ salt) &* 0x9E37_79B9_7F4A_7C15
    mixed ^= key.trace.high ^ UInt64(key.tenant.raw) &* 0xD1B5_4A32_D192_ED03
    mixed = (mixed ^ mixed >> 32) &* salt
    return Int(truncatingIfNeeded: mixed >> 20) & (places.count - 1)
  }
}

/// The ids of traces sealed lately, the oldest forgotten first.
///
/// Kept as 64-bit fingerprints, salted with a random word of this process: that two of a quarter of a
/// million traces share one happens once in hundreds of millions of times, and nobody outside can
/// arrange it.
struct RememberedTraces: Sendable {
  private let countMax: Int
  private var members: Set<UInt64> = []
  private var ring: [UInt64] = []
  private var next = 0
  private let salt = UInt64.random(in: .min ... .max) | 1

  init(countMax: Int) { self.countMax = max(1, countMax) }

  func contains(_ key: TraceKey) -> Bool { members.contains(fingerprint(key)) }

  mutating func insert(_ key: TraceKey) {
    let print = fingerprint(key)
    guard members.insert(print).inserted else { return }
    if ring.count < countMax {
      ring.append(print)
    } else {
      members.remove(ring[next])
      ring[next] = print
      next = (next + 1) % countMax
    }
  }

  private func fingerprint(_ key: TraceKey) -> UInt64 {
    var mixed = (key.trace.low ^ salt) &* 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed >> 32 ^ key.trace.high) &* 0xD1B5_4A32_D192_ED03
    mixed = (mixed ^ mixed >> 29 ^ UInt64(key.tenant.raw)) &* salt
    return mixed ^ mixed >> 32
  }
}
