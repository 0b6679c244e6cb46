import Model

/// Writes metrics as Prometheus scrapes them.
/// - Source: Prometheus documentation, "Exposition formats", text format 0.0.4; the OpenMetrics
///   specification, version 1.0.0, text format.
struct MetricsText {
  enum Format: Sendable {
    case plain
    /// With units and exemplars.
    case openMetrics
  }

  let format: Format
  private(set) var text = ""

  init(_ format: Format = .plain) { self.format = format }

  /// Begins a metric: its samples follow at once.
  mutating func begin(_ name: String, type: String, help: String) {
    switch format {
    case .plain:
      let help = help.replacing(["\\": "\\\\", "\n": "\\n"])
      text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    case .openMetrics:
      // There a counter goes by its name without the ending its samples have.
      let family = type == "counter" ? MetricsText.withoutTotal(name) : name
      text += "# TYPE \(family) \(type)\n"
      if let unit = MetricsText.unit(of: family) { text += "# UNIT \(family) \(unit)\n" }
      text += "# HELP \(family) \(MetricsText.escaped(help))\n"
    }
  }

  /// Values that are no numbers are left out.
  /// - Parameter exemplar: a call the sample counts, which the plain format cannot show.
  mutating func sample(
    _ name: String, _ labels: [(String, String)], _ value: Double,
    exemplar: EdgeExemplars.Call? = nil
  ) {
    guard value.isFinite else { return }
    text += name
    if !labels.isEmpty {
      let pairs = labels.map { label, value in "\(label)=\"\(MetricsText.escaped(value))\"" }
      text += "{\(pairs.joined(separator: ","))}"
    }
    text += " \(MetricsText.number(value))"
    if format == .openMetrics, let exemplar {
      text += " # {trace_id=\"\(exemplar.trace)\"} \(MetricsText.seconds(exemplar.duration))"
      text += " \(MetricsText.seconds(exemplar.end))"
    }
    text += "\n"
  }

  /// Nothing follows.
  mutating func finish() {
    if format == .openMetrics { text += "# EOF\n" }
  }

  private static func withoutTotal(_ name: String) -> String {
    name.hasSuffix("_total") ? String(name.dropLast("_total".count)) : name
  }

  private static func unit(of family: String) -> String? {
    ["seconds", "bytes"].first { family.hasSuffix("_" + $0) }
  }

  private static func escaped(_ text: String) -> String {
    text.replacing(["\\": "\\\\", "\"": "\\\"", "\n": "\\n"])
  }

  /// To the nanosecond, which a floating point number of the present time could not hold.
  private static func seconds(_ nanos: Nanos) -> String {
    let fraction = String(nanos % .second)
    let zeros = String(repeating: "0", count: 9 - fraction.count)
    return "\(nanos / .second).\(zeros)\(fraction)"
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
