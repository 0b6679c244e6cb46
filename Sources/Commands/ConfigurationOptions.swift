import ArgumentParser
import Gateway

/// The flags that make a configuration.
struct ConfigurationOptions: ParsableArguments {
  @Option(help: ArgumentHelp("YAML file (or SPANGATE_CONFIG).", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Sets any key; may be repeated.", valueName: "key=value"))
  var assignments: [String] = []

  @Option(help: ArgumentHelp("receiver.grpc.address", valueName: "host:port"))
  var grpcAddress: String?
  @Option(help: ArgumentHelp("receiver.http.address", valueName: "host:port"))
  var httpAddress: String?
  @Option(help: ArgumentHelp("query.address", valueName: "host:port"))
  var queryAddress: String?
  @Option(help: ArgumentHelp("store.path", valueName: "directory"))
  var store: String?
  @Option(help: ArgumentHelp("store.retention", valueName: "duration"))
  var retention: String?
  @Option(help: ArgumentHelp("limits.memory", valueName: "bytes|auto"))
  var memory: String?
  @Option(help: ArgumentHelp("journal.durability", valueName: "fsync|os|none"))
  var durability: String?
  @Option(help: ArgumentHelp("log.format", valueName: "auto|text|json"))
  var logFormat: String?
  @Option(help: ArgumentHelp("log.level", valueName: "level"))
  var logLevel: String?
  @Option(help: ArgumentHelp("workers", valueName: "count"))
  var workers: String?

  /// All layers, read.
  /// - Errors: `CommandFailure` of kind usage that lists every problem.
  func load(in context: CommandContext) throws(CommandFailure) -> LoadedConfiguration {
    do throws(ConfigurationError) {
      return try loadListingProblems(in: context)
    } catch {
      throw CommandFailure(.usage, "the configuration has problems:\n\(error)")
    }
  }

  func loadListingProblems(
    in context: CommandContext
  ) throws(ConfigurationError) -> LoadedConfiguration {
    var settings: [ConfigurationSetting] = []
    var malformed: [ConfigurationProblem] = []
    for text in assignments {
      guard let equals = text.firstIndex(of: "=") else {
        malformed.append(
          ConfigurationProblem(
            .flag("--set"), key: text, "has no value", remedy: "write --set key=value"))
        continue
      }
      settings.append(
        ConfigurationSetting(
          path: String(text[..<equals]), text: String(text[text.index(after: equals)...]),
          origin: .flag("--set")))
    }
    let sources = ConfigurationSources(
      file: config, environment: context.environment, flags: settings + named)
    do throws(ConfigurationError) {
      let loaded = try sources.load()
      if malformed.isEmpty { return loaded }
    } catch {
      malformed += error.problems
    }
    throw ConfigurationError(malformed)
  }

  /// The main keys' own flags, which win over `--set`.
  private var named: [ConfigurationSetting] {
    let values: [String: String?] = [
      "grpc-address": grpcAddress, "http-address": httpAddress, "query-address": queryAddress,
      "store": store, "retention": retention, "memory": memory, "durability": durability,
      "log-format": logFormat, "log-level": logLevel, "workers": workers,
    ]
    return ConfigurationKey.all.compactMap { key in
      guard let flag = key.flag, let text = values[flag] ?? nil else { return nil }
      return ConfigurationSetting(path: key.path, text: text, origin: .flag("--\(flag)"))
    }
  }
}
