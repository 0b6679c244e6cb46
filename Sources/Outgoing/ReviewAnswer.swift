/// What GitHub is told about a job that waits.
public struct ReviewAnswer: Hashable, Sendable, Codable {
  public enum State: String, Sendable, CaseIterable, Codable {
    case rejected, approved
  }

  /// nil for a report: it goes on waiting.
  public var state: State?
  /// Why, for a person.
  public var comment: String

  /// What GitHub takes of one, in characters.
  /// - Source: docs.github.com, "Creating custom deployment protection rules".
  public static let commentMax = 1_024

  /// - Parameter comment: cut where it is too long.
  public init(_ state: State?, _ comment: String) {
    self.state = state
    // GitHub may count what a reader sees as one character as several.
    let scalars = comment.unicodeScalars.prefix(ReviewAnswer.commentMax)
    self.comment = String(String.UnicodeScalarView(scalars))
  }
}
