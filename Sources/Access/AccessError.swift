/// What is wrong with the files or the lines that say who may come in: what happened, where, and
/// what to do about it, for a person.
public struct AccessError: Error, Sendable, Equatable, CustomStringConvertible {
  public var description: String

  init(_ key: String, _ problem: String, remedy: String) {
    description = "\(key): \(problem); \(remedy)"
  }
}
