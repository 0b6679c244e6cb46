/// Where a value came from.
public enum ConfigurationOrigin: Sendable, Hashable {
  case standard
  /// Without a line when it is about the file as a whole.
  case file(path: String, line: Int?)
  case environment(variable: String)
  /// As it was typed, with its dashes.
  case flag(String)
}

extension ConfigurationOrigin: CustomStringConvertible {
  public var description: String {
    switch self {
    case .standard: "default"
    case .file(let path, let line): line.map { "\(path):\($0)" } ?? path
    case .environment(let variable): "environment \(variable)"
    case .flag(let text): "flag \(text)"
    }
  }
}

/// One value somebody set, before it is read.
public struct ConfigurationSetting: Sendable, Hashable {
  public var path: String
  public var text: String
  public var origin: ConfigurationOrigin

  public init(path: String, text: String, origin: ConfigurationOrigin) {
    self.path = path
    self.text = text
    self.origin = origin
  }
}
