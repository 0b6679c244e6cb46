/// What is wrong with one value, and what to write instead.
public struct InvalidValue: Error, Sendable, Equatable {
  public var problem: String
  public var remedy: String

  public init(_ problem: String, remedy: String) {
    self.problem = problem
    self.remedy = remedy
  }

  /// A value as an error text shows it: on one line, and not longer than one can read.
  static func shown(_ text: some StringProtocol) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(shownScalarsMax) {
      let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
      shown.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
    }
    return text.unicodeScalars.count > shownScalarsMax ? shown + "…" : shown
  }

  private static let shownScalarsMax = 80
}
