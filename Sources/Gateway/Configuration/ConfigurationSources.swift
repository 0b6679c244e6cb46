/// The layers a configuration is made of, least to most important: defaults, file, environment,
/// flags.
public struct ConfigurationSources: Sendable {
  /// Named by `--config`; where that is nil, `SPANGATE_CONFIG` is asked.
  public var file: String?
  public var environment: [String: String]
  /// From the command line, in the order they were given: the last one of a key counts.
  public var flags: [ConfigurationSetting]

  public init(
    file: String? = nil, environment: [String: String] = [:], flags: [ConfigurationSetting] = []
  ) {
    self.file = file
    self.environment = environment
    self.flags = flags
  }

  /// Reads all layers.
  /// - Errors: every problem of every layer at once, also of values a later layer overrides.
  public func load() throws(ConfigurationError) -> LoadedConfiguration {
    let named = environment["SPANGATE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    return try load(file: (file ?? named).map(ConfigurationFile.init(path:)))
  }

  /// The same with the file's contents at hand.
  func load(file: ConfigurationFile?) throws(ConfigurationError) -> LoadedConfiguration {
    let variables = ConfigurationEnvironment(environment)
    var loaded = LoadedConfiguration()
    var problems = file?.problems ?? []
    for setting in file?.settings ?? [] { loaded.take(setting, &problems) }
    problems += variables.problems
    for setting in variables.settings + flags { loaded.take(setting, &problems) }
    // Relations between values that could not be read would only confuse.
    if problems.isEmpty { problems = loaded.brokenRelations() }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
    return loaded
  }
}

/// A configuration, and where each of its values came from.
public struct LoadedConfiguration: Sendable, Equatable {
  public internal(set) var configuration = Configuration()
  private var origins: [String: ConfigurationOrigin] = [:]

  public func origin(of path: String) -> ConfigurationOrigin { origins[path] ?? .standard }

  fileprivate mutating func take(
    _ setting: ConfigurationSetting, _ problems: inout [ConfigurationProblem]
  ) {
    guard let key = ConfigurationKey.at(setting.path) else {
      let nearest = Suggestion.nearest(
        to: setting.path, among: ConfigurationKey.all.map(\.path) + ConfigurationKey.sections)
      problems.append(
        ConfigurationProblem(
          setting.origin, key: setting.path, "is no known key",
          remedy: nearest.map { "did you mean \($0)?" }
            ?? "`spangate config print` lists all keys"))
      return
    }
    do {
      try key.apply(&configuration, setting.text)
      if case .file = setting.origin, origins[key.path] != nil {
        problems.append(
          ConfigurationProblem(
            setting.origin, key: key.path, "is given twice", remedy: "keep one of the two"))
      }
      origins[key.path] = setting.origin
    } catch {
      problems.append(
        ConfigurationProblem(
          setting.origin, key: key.path, error.problem, remedy: error.remedy))
    }
  }
}
