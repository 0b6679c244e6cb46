/// Durations as people write them: `500ms`, `11s`, `1h30m`, `14d`; nanoseconds inside.
public enum DurationText {
  static let units: [(name: String, nanos: UInt64)] = [
    ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
    ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1),
  ]

  /// - Errors: `InvalidValue`, with what to write instead.
  public static func parse(_ text: String) throws(InvalidValue) -> UInt64 {
    if text == "0" { return 0 }
    var rest = Substring(text)
    var total: UInt64 = 0
    while !rest.isEmpty {
      let number = rest.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
      rest = rest.dropFirst(number.count)
      let name = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(name.count)
      guard let value = ScaledNumber(number) else { throw invalid(text) }
      if name.isEmpty {
        throw InvalidValue(
          "'\(InvalidValue.shown(text))' has no unit",
          remedy: "write ms, s, m, h or d after the number, such as \(number)s")
      }
      guard let unit = units.first(where: { $0.name == name }) else { throw invalid(text) }
      guard let nanos = value.times(unit.nanos),
        case let (sum, overflow) = total.addingReportingOverflow(nanos),
        !overflow, sum <= UInt64(Int64.max)
      else {
        throw InvalidValue(
          "'\(InvalidValue.shown(text))' is longer than 292 years",
          remedy: "write a shorter duration")
      }
      total = sum
    }
    if text.isEmpty { throw invalid(text) }
    return total
  }

  private static func invalid(_ text: String) -> InvalidValue {
    InvalidValue(
      "'\(InvalidValue.shown(text))' is not a duration",
      remedy: "write a number and a unit (ms, s, m, h, d), such as 11s or 1h30m")
  }

  /// The shortest exact form, such as `1h30m`.
  public static func format(_ nanos: UInt64) -> String {
    if nanos == 0 { return "0s" }
    var rest = nanos
    var text = ""
    for unit in units where rest >= unit.nanos {
      text += "\(rest / unit.nanos)\(unit.name)"
      rest %= unit.nanos
    }
    return text
  }
}
