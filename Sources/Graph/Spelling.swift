/// Finds what somebody probably meant.
public enum Spelling {
  /// How much of a name is compared: names come from outside and may be long.
  static let comparedScalarsMax = 96

  /// Up to `countMax` candidates spelled like `word`, best first, each once: those that differ in a
  /// third of their letters at most, or that contain the word.
  public static func nearest(
    to word: String, among candidates: [String], countMax: Int = 3
  ) -> [String] {
    let wanted = folded(word)
    guard !wanted.isEmpty else { return [] }
    let ranked = Set(candidates).compactMap { candidate -> (String, Int)? in
      let letters = folded(candidate)
      let distanceMax = max(2, wanted.count / 3)
      if abs(letters.count - wanted.count) <= distanceMax {
        let distance = distance(wanted, letters)
        if distance <= distanceMax { return (candidate, distance) }
      }
      return contains(letters, wanted) ? (candidate, comparedScalarsMax) : nil
    }
    return ranked.sorted { $0.1 != $1.1 ? $0.1 < $1.1 : $0.0 < $1.0 }
      .prefix(countMax).map(\.0)
  }

  private static func folded(_ text: String) -> [Unicode.Scalar] {
    Array(text.lowercased().unicodeScalars.prefix(comparedScalarsMax))
  }

  private static func contains(_ text: [Unicode.Scalar], _ part: [Unicode.Scalar]) -> Bool {
    guard part.count >= 3, text.count >= part.count else { return false }
    return (0...(text.count - part.count)).contains { text[$0...].starts(with: part) }
  }

  /// How many insertions, deletions, replacements and swaps of neighbours lie between two words.
  static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for row in 0..<a.count {
      var current = [row + 1]
      for column in 0..<b.count {
        var best = min(last[column + 1], current[column]) + 1
        best = min(best, last[column] + (a[row] == b[column] ? 0 : 1))
        if row > 0, column > 0, a[row] == b[column - 1], a[row - 1] == b[column] {
          best = min(best, beforeLast[column - 1] + 1)
        }
        current.append(best)
      }
      beforeLast = last
      last = current
    }
    return last[b.count]
  }
}
