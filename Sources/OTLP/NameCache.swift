import Model

/// The names one decoder met lately, so that a span does not lock the name table.
///
/// It also tells which names the current batch used already. Open addressing on the id, which is a
/// hash; salted, because whoever sends names can choose them to collide.
struct NameCache {
  private struct Entry {
    var key: UInt64 = 0
    var interned: UInt64 = 0
    var batch: UInt32 = 0
  }

  private var entries: [Entry]
  private(set) var count = 0
  private var batch: UInt32 = 0
  private var clearedAt: Nanos = 0
  private let salt: UInt64
  /// Set when entries were forgotten within a batch: its list of names may then repeat some.
  private(set) var forgotInBatch = false

  /// More names than this are not held.
  static let countMax = 65_536
  /// The name table must hear of a name in use more often than once an hour.
  static let keptNanos: Nanos = 5 * .minute
  private static let slotsAtFirst = 1024

  init(salt: UInt64 = .random(in: 0 ... .max)) {
    entries = Array(repeating: Entry(), count: NameCache.slotsAtFirst)
    self.salt = salt | 1
  }

  mutating func beginBatch(now: Nanos) {
    if now < clearedAt || now &- clearedAt >= NameCache.keptNanos {
      clear()
      clearedAt = now
    }
    batch &+= 1
    if batch == 0 {
      clear()
      batch = 1
    }
    forgotInBatch = false
  }

  /// What the name table made of an id (itself, or the overflow name); nil when it has to be asked.
  func interned(_ id: NameID) -> NameID? {
    let entry = entries[slot(of: id)]
    return entry.key == id.raw ? NameID(entry.interned) : nil
  }

  mutating func insert(_ id: NameID, interned: NameID) {
    if count >= NameCache.countMax {
      clear()
      forgotInBatch = true
    }
    if count * 2 >= entries.count { grow() }
    let slot = slot(of: id)
    if entries[slot].key == 0 { count += 1 }
    entries[slot] = Entry(key: id.raw, interned: interned.raw, batch: 0)
    if interned != id, self.interned(interned) == nil { insert(interned, interned: interned) }
  }

  /// Whether the batch uses this name for the first time. The name was inserted before.
  mutating func noteUse(of id: NameID) -> Bool {
    let slot = slot(of: id)
    if entries[slot].batch == batch { return false }
    entries[slot].batch = batch
    return true
  }

  /// The slot that holds the id, or the empty one where it belongs.
  private func slot(of id: NameID) -> Int {
    let mask = entries.count - 1
    var slot = Int(truncatingIfNeeded: ((id.raw ^ salt) &* salt) >> 32) & mask
    while entries[slot].key != 0, entries[slot].key != id.raw { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func grow() {
    let old = entries
    entries = Array(repeating: Entry(), count: old.count * 2)
    for entry in old where entry.key != 0 { entries[slot(of: NameID(entry.key))] = entry }
  }

  private mutating func clear() {
    for index in entries.indices { entries[index] = Entry() }
    count = 0
  }
}
