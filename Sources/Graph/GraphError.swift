/// Why a question about the graph has no answer.
public enum GraphError: Error, Equatable, Sendable {
  /// Several services have the name; each id names one.
  case ambiguous(service: String, ids: [String])
  /// The id exists in several environments, and the question is about one.
  case ambiguousEnvironment(id: String, environments: [String])
  /// Nothing in the range has the name or id. `nearest`: ids that are spelled alike, best first.
  case unknownService(service: String, nearest: [String])
  /// The service was seen in the range, and not in this version. `seen`: the versions that were.
  case unknownVersion(service: String, version: String, seen: [String])
  /// The service was seen in the range, and not in this operation. `nearest`: those spelled alike.
  case unknownOperation(service: String, operation: String, nearest: [String])
  /// The service was seen in the range, and nobody traced enters by it. `entries`: by which they do.
  case noEntryPoint(service: String, entries: [String])

  /// The name or id the question used.
  public var service: String {
    switch self {
    case .ambiguous(let service, _): service
    case .ambiguousEnvironment(let id, _): id
    case .unknownService(let service, _): service
    case .unknownVersion(let service, _, _): service
    case .unknownOperation(let service, _, _): service
    case .noEntryPoint(let service, _): service
    }
  }

  /// What happened and what to do, for a person.
  public var message: String {
    switch self {
    case .ambiguous(let service, let ids):
      "Several services are called \"\(service)\". Ask for one by its id: "
        + ids.joined(separator: ", ") + "."
    case .ambiguousEnvironment(let id, let environments):
      "\"\(id)\" exists in several environments. Name one with `environment`: "
        + environments.map { $0.isEmpty ? "\"\"" : $0 }.joined(separator: ", ") + "."
    case .unknownService(let service, let nearest) where nearest.isEmpty:
      "No service \"\(service)\" was seen in the range. Check the name, or ask for a longer range."
    case .unknownService(let service, let nearest):
      "No service \"\(service)\" was seen in the range. Spelled alike: "
        + nearest.joined(separator: ", ") + "."
    case .unknownVersion(let service, let version, let seen):
      "No version \"\(version)\" of \"\(service)\" was seen in the range. "
        + (seen.isEmpty ? "Its spans name none." : "Seen: \(seen.joined(separator: ", ")).")
    case .unknownOperation(let service, let operation, let nearest):
      "No operation \"\(operation)\" of \"\(service)\" was seen in the range. "
        + (nearest.isEmpty
          ? "GET /api/v1/services/{namespace}/{name} lists them."
          : "Spelled alike: \(nearest.joined(separator: ", ")).")
    case .noEntryPoint(let service, let entries):
      "No trace begins at \"\(service)\": it is called by others. Traces begin at: "
        + entries.joined(separator: ", ") + "."
    }
  }
}
