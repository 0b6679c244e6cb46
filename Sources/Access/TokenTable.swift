/// The tokens that are known at one moment.
struct TokenTable: Sendable, Equatable {
  private(set) var lines: [TokenLine]

  /// More than a gateway needs; every one is compared with every request.
  static let linesMax = 256
  /// Tokens of one name: the one in use, and the one that is to take its place.
  static let perNameMax = 2

  /// - Errors: what is wrong between lines that are each right by themselves.
  init(_ lines: [TokenLine]) throws(TokenLineError) {
    guard lines.count <= TokenTable.linesMax else {
      throw TokenLineError(
        "holds more than \(TokenTable.linesMax) tokens", remedy: "take away those nobody uses")
    }
    var counts: [String: Int] = [:]
    var digests: Set<[UInt8]> = []
    for line in lines {
      counts[line.name, default: 0] += 1
      guard counts[line.name, default: 0] <= TokenTable.perNameMax else {
        throw TokenLineError(
          "holds more than \(TokenTable.perNameMax) tokens called \(line.name)",
          remedy: "take away the oldest")
      }
      guard digests.insert(line.digest).inserted else {
        throw TokenLineError(
          "holds the same token twice, the second time as \(line.name)",
          remedy: "keep one of the two lines, with all its scopes")
      }
    }
    self.lines = lines
  }

  /// Reads the lines of a file; empty ones and those that begin with # say nothing.
  /// - Errors: the first thing that is wrong, with its line.
  init(reading bytes: [UInt8]) throws(TokenLineError) {
    var lines: [TokenLine] = []
    let text = String(decoding: bytes, as: UTF8.self)
    let all = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in all.enumerated() {
      guard let first = line.first(where: { !$0.isWhitespace }), first != "#" else { continue }
      do throws(TokenLineError) {
        lines.append(try TokenLine(parsing: line))
      } catch {
        throw TokenLineError("line \(index + 1) \(error.problem)", remedy: error.remedy)
      }
      guard lines.count <= TokenTable.linesMax else { break }
    }
    try self.init(lines)
  }

  /// The line of a token; nil when it is not known. Takes as long whatever is shown, as long as it has
  /// the same length: every digest is compared, and all of each.
  func line(of token: some StringProtocol) -> TokenLine? {
    let shown = TokenLine.digest(of: token)
    var found = -1
    for (index, line) in lines.enumerated() where TokenTable.isSame(shown, line.digest) {
      found = index
    }
    return found < 0 ? nil : lines[found]
  }

  private static func isSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    var difference: UInt8 = one.count == other.count ? 0 : 1
    for (left, right) in zip(one, other) { difference |= left ^ right }
    return difference == 0
  }
}
