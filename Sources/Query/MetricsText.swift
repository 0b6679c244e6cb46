/// Writes metrics as Prometheus scrapes them.
/// - Source: Prometheus documentation, "Exposition formats", text format 0.0.4.
struct MetricsText {
  private(set) var text = ""

  /// Begins a metric: its samples follow at once.
  mutating func begin(_ name: String, type: String, help: String) {
    let help = help.replacing(["\\": "\\\\", "\n": "\\n"])
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  /// Values that are no numbers are left out.
  mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
    guard value.isFinite else { return }
    text += name
    if !labels.isEmpty {
      let pairs = labels.map { label, value in
        "\(label)=\"\(value.replacing(["\\": "\\\\", "\"": "\\\"", "\n": "\\n"]))\""
      }
      text += "{\(pairs.joined(separator: ","))}"
    }
    text += " \(MetricsText.number(value))\n"
  }

  mutating func metric(_ metric: Metric) {
    let name = MetricsText.legal(metric.name)
    begin(name, type: metric.kind.rawValue, help: metric.help)
    let samples = metric.samples.map { sample in
      (sample.labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, sample.value)
    }
    for (labels, value) in samples.sorted(by: { precedes($0.0, $1.0) }) {
      sample(name, labels.map { (MetricsText.legal($0.0), $0.1) }, value)
    }
  }

  private func precedes(_ a: [(String, String)], _ b: [(String, String)]) -> Bool {
    a.lexicographicallyPrecedes(b) { $0 < $1 }
  }

  /// Whole numbers without a point: that is how counts are read.
  static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : value.description
  }

  /// Names may hold letters, digits, `_` and `:` and must not begin with a digit.
  private static func legal(_ name: String) -> String {
    let scalars = name.unicodeScalars.map { scalar -> Unicode.Scalar in
      let isLegal =
        scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_"
          || scalar == ":")
      return isLegal ? scalar : "_"
    }
    let text = String(String.UnicodeScalarView(scalars))
    return text.first.map { $0.isNumber ? "_" + text : text } ?? "_"
  }
}

extension String {
  fileprivate func replacing(_ replacements: [Unicode.Scalar: String]) -> String {
    unicodeScalars.reduce(into: "") { text, scalar in
      if let replacement = replacements[scalar] {
        text += replacement
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}
