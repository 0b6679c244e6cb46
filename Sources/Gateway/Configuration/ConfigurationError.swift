/// Everything that is wrong with a configuration, found in one go.
public struct ConfigurationError: Error, Sendable, Equatable {
  public var problems: [ConfigurationProblem]

  public init(_ problems: [ConfigurationProblem]) { self.problems = problems }
}

/// One thing that is wrong, where, and what to do about it.
public struct ConfigurationProblem: Sendable, Equatable {
  /// nil when the problem belongs to no one place.
  public var origin: ConfigurationOrigin?
  /// The key it is about; empty when it is about the whole source.
  public var key: String
  public var problem: String
  public var remedy: String

  public init(
    _ origin: ConfigurationOrigin?, key: String, _ problem: String, remedy: String
  ) {
    self.origin = origin
    self.key = key
    self.problem = problem
    self.remedy = remedy
  }
}

extension ConfigurationProblem: CustomStringConvertible {
  /// `file:line: key: what is wrong; what to do`, without the line when it is about the whole file.
  public var description: String {
    let place = origin.map { "\($0): " } ?? ""
    let subject = key.isEmpty ? "" : "\(InvalidValue.shown(key)): "
    return "\(place)\(subject)\(problem); \(remedy)"
  }
}

extension ConfigurationError: CustomStringConvertible {
  /// How many problems are written out; a file of another kind can have thousands.
  static let shownMax = 50

  /// One line a problem.
  public var description: String {
    var lines = problems.prefix(ConfigurationError.shownMax).map(\.description)
    if problems.count > ConfigurationError.shownMax {
      lines.append("… and \(problems.count - ConfigurationError.shownMax) more")
    }
    return lines.joined(separator: "\n")
  }
}
