import Foundation

/// Figures as a table shows them; `–` where there is none.
enum Figure {
  /// At most one digit after the point.
  static func count(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    let rounded = (value * 10).rounded() / 10
    return rounded == rounded.rounded()
      ? String(format: "%.0f", rounded) : String(format: "%.1f", rounded)
  }

  /// A count with its noun: `1 edge`, `2 edges`, `0 batches`.
  static func count(_ value: Double?, _ noun: String, plural: String? = nil) -> String {
    let figure = count(value)
    return "\(figure) \(figure == "1" ? noun : plural ?? noun + "s")"
  }

  static func count(_ value: Int, _ noun: String, plural: String? = nil) -> String {
    count(Double(value), noun, plural: plural)
  }

  /// Three digits that matter: `340 µs`, `12.3 ms`, `1.24 s`.
  static func milliseconds(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    if value < 1 { return digits(value * 1_000) + " µs" }
    if value < 1_000 { return digits(value) + " ms" }
    return digits(value / 1_000) + " s"
  }

  /// With its sign: `+12.3 ms`, `-340 µs`, `0 µs`.
  static func change(milliseconds value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    return sign(value) + milliseconds(value.magnitude)
  }

  /// With its sign: `+12.3%`.
  static func change(share: Double?) -> String {
    guard let share, share.isFinite else { return "–" }
    return sign(share) + percent(share.magnitude)
  }

  private static func sign(_ value: Double) -> String { value > 0 ? "+" : value < 0 ? "-" : "" }

  static func percent(_ share: Double?) -> String {
    guard let share, share.isFinite else { return "–" }
    return digits(share * 100) + "%"
  }

  /// A value of any unit, with the three digits that count.
  static func level(_ value: Double) -> String {
    value.formatted(
      .number.precision(.significantDigits(1...3)).grouping(.never)
        .locale(Locale(identifier: "en_US_POSIX")))
  }

  /// How many times as much.
  static func ratio(_ ratio: Double?) -> String {
    guard let ratio, ratio.isFinite else { return "–" }
    return digits(ratio)
  }

  private static func digits(_ value: Double) -> String {
    switch abs(value) {
    case 0: "0"
    case ..<10: String(format: "%.2f", value)
    case ..<100: String(format: "%.1f", value)
    default: String(format: "%.0f", value)
    }
  }
}
