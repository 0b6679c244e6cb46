internal import Model

/// Series of many tiles on their way into one window.
///
/// A long range is read from a dozen tiles with mostly the same series, each tile in the order of
/// the primary key. So they are kept in that order and walked along, and what a row holds is added
/// where it belongs while it is read: no search in a table, and nothing made for a row.
/// - Cost: O(rows) comparisons while neighbouring tiles have the same series; each tile may add one
///   walk along all of them.
struct TileMerge: Sendable {
  private struct Entry: Sendable {
    var key: SeriesKey
    var sums: Sums
  }

  private var entries: [Entry] = []
  /// Series met in the present tile that no tile before had, in the same order.
  private var added: [Entry] = []
  /// Everything before it comes before the present row.
  private var position = 0
  private var last: SeriesKey?

  /// Adds the serial form of a series' sums to what there is of it.
  mutating func add(_ reader: inout ByteReader, at key: SeriesKey) throws(MalformedBytes) {
    // The next tile begins at the front again.
    if let last, !TileMerge.precedes(last, key) { settle() }
    last = key
    while position < entries.count, TileMerge.precedes(entries[position].key, key) {
      position += 1
    }
    if position < entries.count, entries[position].key == key {
      try entries[position].sums.merge(from: &reader)
    } else {
      added.append(Entry(key: key, sums: try Sums(from: &reader)))
    }
  }

  /// Adds what another one holds.
  mutating func add(_ other: TileMerge) {
    settle()
    var other = other
    other.settle()
    for entry in other.entries {
      while position < entries.count, TileMerge.precedes(entries[position].key, entry.key) {
        position += 1
      }
      if position < entries.count, entries[position].key == entry.key {
        entries[position].sums.merge(entry.sums)
      } else {
        added.append(entry)
      }
    }
    settle()
  }

  /// Everything added so far; series that sum to nothing are left out.
  var window: Window {
    var settled = self
    settled.settle()
    return Window(settled.entries.lazy.filter { !$0.sums.isZero }.map { ($0.key, $0.sums) })
  }

  /// All names the keys refer to.
  var names: Set<NameID> {
    var names: Set<NameID> = []
    for entry in entries + added {
      for name in entry.key.names where !name.isNone { names.insert(name) }
    }
    return names
  }

  private mutating func settle() {
    position = 0
    last = nil
    guard !added.isEmpty else { return }
    guard !entries.isEmpty else {
      swap(&entries, &added)
      return
    }
    var merged: [Entry] = []
    merged.reserveCapacity(entries.count + added.count)
    var rest = added[...]
    for entry in entries {
      while let next = rest.first, TileMerge.precedes(next.key, entry.key) {
        merged.append(next)
        rest.removeFirst()
      }
      merged.append(entry)
    }
    merged.append(contentsOf: rest)
    entries = merged
    added.removeAll(keepingCapacity: true)
  }

  /// The order of the primary key: as SQLite has no unsigned numbers, that of the signed ones.
  private static func precedes(_ a: SeriesKey, _ b: SeriesKey) -> Bool {
    if a.kind != b.kind { return a.kind.rawValue < b.kind.rawValue }
    if a.first != b.first { return a.first.signed < b.first.signed }
    if a.second != b.second { return a.second.signed < b.second.signed }
    return a.third.signed < b.third.signed
  }
}
