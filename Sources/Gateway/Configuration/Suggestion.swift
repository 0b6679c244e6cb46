/// Finds the known word somebody probably meant.
enum Suggestion {
  /// The nearest of `known`, or nil when none is near enough to be a likely slip.
  static func nearest(to word: String, among known: [String]) -> String? {
    guard word.utf8.count <= wordBytesMax else { return nil }
    let asked = comparable(word)
    var best: (word: String, rank: (Int, Int))?
    for candidate in known {
      let target = comparable(candidate)
      let distance = distance(asked, target)
      // The section was left out or is another one: `idle`, `trace.idle`.
      var slip = lastPart(word) == lastPart(candidate) ? min(distance, 2) : distance
      if !word.isEmpty, candidate.hasSuffix("." + word) { slip = min(slip, 1) }
      guard slip <= max(2, min(asked.count, target.count) / 3) else { continue }
      if best.map({ (slip, distance) < $0.rank }) ?? true { best = (candidate, (slip, distance)) }
    }
    return best?.word
  }

  private static let wordBytesMax = 128

  /// Case and the choice of divider are not what makes two keys different.
  private static func comparable(_ word: String) -> [UInt8] {
    word.lowercased().utf8.map { byte in
      byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") ? UInt8(ascii: ".") : byte
    }
  }

  private static func lastPart(_ key: String) -> String {
    String(key.lowercased().replacing("-", with: "_").split(separator: ".").last ?? "")
  }

  /// Insertions, deletions, replacements and swaps of neighbours between two words.
  /// - Cost: O(n·m).
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      row.reserveCapacity(b.count + 1)
      for j in 0..<b.count {
        var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, beforeLast[j - 1] + 1)
        }
        row.append(cost)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}
