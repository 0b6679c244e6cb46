/// Figures as a person reads them: three digits that matter, with their unit.
public enum HumanText {
  /// `12.3 ms`, `1.24 s`, `340 µs`; `–` for nothing.
  public static func duration(milliseconds: Double?) -> String {
    guard let milliseconds, milliseconds.isFinite else { return "–" }
    if milliseconds < 0.9995 { return "\(number(milliseconds * 1_000)) µs" }
    if milliseconds < 999.5 { return "\(number(milliseconds)) ms" }
    return "\(number(milliseconds / 1_000)) s"
  }

  /// `12.3/s`; slower than one in ten seconds by the minute or the hour.
  public static func rate(perSecond: Double) -> String {
    guard perSecond.isFinite, perSecond > 0 else { return "0/s" }
    if perSecond >= 0.1 { return "\(number(perSecond))/s" }
    if perSecond >= 0.1 / 60 { return "\(number(perSecond * 60))/min" }
    return "\(number(perSecond * 3600))/h"
  }

  /// `340 B`, `12.3 kB`, `1.24 GB`, in powers of ten.
  static func bytes(_ count: Double) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    var value = count
    var unit = 0
    while value >= 999.5, unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    return "\(number(value)) \(units[unit])"
  }

  /// `1.3%`; `–` for nothing.
  public static func percent(_ share: Double?) -> String {
    guard let share, share.isFinite else { return "–" }
    return "\(number(share * 100))%"
  }

  /// Three digits that matter below a thousand, whole numbers above.
  static func number(_ value: Double) -> String {
    let magnitude = abs(value)
    if magnitude >= 1e15 { return value.description }
    let places = magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2
    return decimal(value, places: places)
  }

  /// With exactly `places` digits after the point, trailing zeros cut.
  private static func decimal(_ value: Double, places: Int) -> String {
    let factor = places == 0 ? 1 : places == 1 ? 10 : 100
    let scaled = Int((abs(value) * Double(factor)).rounded())
    var fraction = String(scaled % factor)
    fraction = String(repeating: "0", count: places - (places == 0 ? 0 : fraction.count)) + fraction
    while fraction.last == "0" { fraction.removeLast() }
    let whole = "\(value < 0 && scaled > 0 ? "-" : "")\(scaled / factor)"
    return places == 0 || fraction.isEmpty ? whole : "\(whole).\(fraction)"
  }
}
