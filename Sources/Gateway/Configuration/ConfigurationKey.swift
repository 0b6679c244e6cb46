/// One thing that can be set: its path, its type, what it does, and how it gets in and out of a
/// `Configuration`.
public struct ConfigurationKey: Sendable {
  /// Dotted, as in the file: `receiver.grpc.address`.
  public let path: String
  /// The kind of value: `duration`, `bytes`, `address`…
  public let type: String
  /// What values are allowed; empty where the type says it all.
  public let range: String
  /// One line: what it does.
  public let summary: String
  /// The flag of its own that the main keys have, without dashes; nil for the others.
  public let flag: String?
  /// The value is never shown, only whether there is one.
  public let isSecret: Bool
  /// Reads a value into a configuration.
  let apply: @Sendable (inout Configuration, String) throws(InvalidValue) -> Void
  /// Of a list: checks one of its parts. nil for keys with one value.
  let checkPart: (@Sendable (String) throws(InvalidValue) -> Void)?
  /// The value a configuration holds, in the form `apply` reads; of a secret, whether it is set.
  public let text: @Sendable (Configuration) -> String

  init<Value>(
    _ path: String, _ field: any WritableKeyPath<Configuration, Value> & Sendable,
    _ type: ConfigurationType<Value>, flag: String? = nil, _ summary: String
  ) {
    self.path = path
    self.type = type.name
    self.range = type.range
    checkPart = type.checkPart
    self.summary = summary
    self.flag = flag
    isSecret = type.isSecret
    apply = { configuration, text throws(InvalidValue) in
      configuration[keyPath: field] = try type.parse(text)
    }
    text = { type.format($0[keyPath: field]) }
  }

  /// The value as YAML.
  func yaml(_ text: String) -> String {
    guard checkPart != nil else { return LoadedConfiguration.quoted(text) }
    return "[" + ListText.parts(of: text).map(LoadedConfiguration.quoted).joined(separator: ", ")
      + "]"
  }

  /// The value without any setting.
  public var defaultText: String { text(Configuration()) }

  /// The variable of the environment: sections are divided by two underscores.
  public var variable: String {
    ConfigurationKey.variablePrefix + path.uppercased().replacing(".", with: "__")
  }

  static let variablePrefix = "SPANGATE_"

  /// The key with this path; nil when there is none.
  public static func at(_ path: String) -> ConfigurationKey? { byPath[path] }

  /// The sections keys are in, outermost included: `receiver`, `receiver.grpc`.
  static let sections: [String] = {
    var sections = Set<String>()
    for key in all {
      let parts = key.path.split(separator: ".")
      for count in 1..<max(1, parts.count) {
        sections.insert(parts.prefix(count).joined(separator: "."))
      }
    }
    return sections.sorted()
  }()

  private static let byPath = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0) })
}
