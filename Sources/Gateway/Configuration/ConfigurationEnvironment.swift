/// Reads the variables of an environment into settings.
///
/// `SPANGATE_TRACES__IDLE` is `traces.idle`. An empty variable counts as not set, as OpenTelemetry's
/// own variables do.
struct ConfigurationEnvironment {
  private(set) var settings: [ConfigurationSetting] = []
  private(set) var problems: [ConfigurationProblem] = []

  /// Read elsewhere: by the command line, and by the tests.
  private static let others: Set<String> = [
    "SPANGATE_CONFIG", "SPANGATE_SERVER", "SPANGATE_TOKEN", "SPANGATE_SEED",
    "SPANGATE_CA_FILE", "SPANGATE_CERTIFICATE_FILE", "SPANGATE_KEY_FILE",
  ]

  init(_ environment: [String: String]) {
    let byVariable = Dictionary(
      uniqueKeysWithValues: ConfigurationKey.all.map { ($0.variable, $0) })
    for variable in environment.keys.sorted() {
      guard let text = environment[variable], !text.isEmpty,
        variable.hasPrefix(ConfigurationKey.variablePrefix),
        !ConfigurationEnvironment.others.contains(variable)
      else { continue }
      if let key = byVariable[variable] {
        settings.append(
          ConfigurationSetting(
            path: key.path, text: text, origin: .environment(variable: variable)))
      } else if !ConfigurationEnvironment.isServiceLink(variable) {
        problems.append(ConfigurationEnvironment.unknown(variable))
      }
    }
  }

  /// Kubernetes sets these for every service of the namespace; one named `spangate` must not keep
  /// the gateway from starting.
  private static func isServiceLink(_ variable: String) -> Bool {
    variable.contains("_SERVICE_HOST") || variable.contains("_SERVICE_PORT")
      || variable.hasSuffix("_PORT") || variable.contains("_PORT_")
  }

  private static func unknown(_ variable: String) -> ConfigurationProblem {
    let nearest = Suggestion.nearest(to: variable, among: ConfigurationKey.all.map(\.variable))
    return ConfigurationProblem(
      .environment(variable: InvalidValue.shown(variable)), key: "", "is no known variable",
      remedy: nearest.map { "did you mean \($0)?" }
        ?? "sections are divided by two underscores, as in SPANGATE_STORE__PATH")
  }
}
