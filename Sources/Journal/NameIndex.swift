internal import Model

/// The distinct names of one batch, numbered in the order they are met. Open addressing, because it
/// is asked several times a span; emptied without touching memory by counting generations.
struct NameIndex: Sendable {
  private struct Slot {
    var raw: UInt64 = 0
    var number: UInt32 = 0
    var generation: UInt32 = 0
  }

  /// Names come from clients: nobody outside this process can tell which share a slot.
  private static let salt = UInt64.random(in: 0...UInt64.max) | 1

  private var slots = [Slot](repeating: Slot(), count: 64)
  private var generation: UInt32 = 1
  /// Position n holds the name of number n + 1.
  private(set) var names: [NameID] = []

  mutating func removeAll() {
    names.removeAll(keepingCapacity: true)
    generation &+= 1
    if generation == 0 {
      slots = [Slot](repeating: Slot(), count: 64)
      generation = 1
    }
  }

  /// 0 for no name; otherwise the name's number, from 1.
  mutating func number(of name: NameID) -> UInt32 {
    guard !name.isNone else { return 0 }
    let position = self.position(of: name.raw)
    if slots[position].generation == generation { return slots[position].number }
    names.append(name)
    let number = UInt32(truncatingIfNeeded: names.count)
    slots[position] = Slot(raw: name.raw, number: number, generation: generation)
    if names.count &* 2 > slots.count { grow() }
    return number
  }

  /// Where the name is, or the free slot where it belongs.
  private func position(of raw: UInt64) -> Int {
    let mask = slots.count &- 1
    var position = Int(truncatingIfNeeded: (raw &* NameIndex.salt) >> 32) & mask
    while slots[position].generation == generation, slots[position].raw != raw {
      position = (position &+ 1) & mask
    }
    return position
  }

  private mutating func grow() {
    slots = [Slot](repeating: Slot(), count: slots.count * 2)
    for (index, name) in names.enumerated() {
      slots[position(of: name.raw)] = Slot(
        raw: name.raw, number: UInt32(truncatingIfNeeded: index + 1), generation: generation)
    }
  }
}
