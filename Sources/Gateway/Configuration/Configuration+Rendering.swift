extension LoadedConfiguration {
  /// The configuration as a YAML file that gives the same configuration; comments say where each
  /// value came from.
  public var yaml: String {
    var lines: [String] = []
    var open: [Substring] = []
    for key in ConfigurationKey.all {
      let parts = key.path.split(separator: ".")
      let sections = Array(parts.dropLast())
      let shared = zip(open, sections).prefix { $0 == $1 }.count
      for depth in shared..<sections.count {
        lines.append(LoadedConfiguration.indent(depth) + sections[depth] + ":")
      }
      open = sections
      guard !key.isSecret else {
        // As a comment: what is printed can be used as a file, and must not set a secret called so.
        lines.append(
          "\(LoadedConfiguration.indent(sections.count))# \(parts[parts.count - 1]): "
            + "\(key.text(configuration))  # \(InvalidValue.shown(origin(of: key.path).description))"
        )
        continue
      }
      let value = key.yaml(key.text(configuration))
      lines.append(
        "\(LoadedConfiguration.indent(sections.count))\(parts[parts.count - 1]): \(value)"
          + "  # \(InvalidValue.shown(origin(of: key.path).description))")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

  /// Double-quoted YAML where the plain form could be read as something else.
  static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
        || "./_-".utf8.contains($0)
    }
    let first = text.utf8.first ?? 0
    let isWord = !["null", "Null", "NULL", "true", "false"].contains(text)
    if isPlain, isWord, first != UInt8(ascii: "-"), !text.isEmpty { return text }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        quoted += "\\x" + (digits.count == 1 ? "0" : "") + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

extension ConfigurationKey {
  /// All keys as a Markdown table, as docs/configuration.md holds it.
  public static var markdownTable: String {
    var lines = [
      "| key | type | default | allowed | flag | what it does |", "|---|---|---|---|---|---|",
    ]
    for key in all {
      let flag = key.flag.map { "`--\($0)`" } ?? ""
      let written = key.defaultText.isEmpty && key.checkPart != nil ? key.yaml("") : key.defaultText
      let standard = key.isSecret ? key.defaultText : written.isEmpty ? "" : "`\(written)`"
      lines.append(
        "| `\(key.path)` | \(key.type) | \(standard) | \(key.range) | \(flag) "
          + "| \(key.summary) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
