import Model

/// The wall clock, and times as logs show them.
public enum LogClock {
  /// Unix nanoseconds.
  @Sendable
  public static func now() -> UInt64 {
    UInt64(WallClock.now())
  }

  /// RFC 3339 in UTC with milliseconds: `2026-11-23T08:50:40.123Z`.
  /// - Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
  public static func text(_ nanos: UInt64) -> String {
    let seconds = nanos / 1_000_000_000
    let (days, ofDay) = seconds.quotientAndRemainder(dividingBy: 86_400)
    // Years are counted from March 1st of the year 0, in eras of 400 years.
    let shifted = days + 719_468
    let (era, ofEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * ofYear + 2) / 153
    let day = ofYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    let clock =
      "\(padded(ofDay / 3_600, 2)):\(padded(ofDay / 60 % 60, 2)):\(padded(ofDay % 60, 2))"
    return "\(date)T\(clock).\(padded(nanos / 1_000_000 % 1_000, 3))Z"
  }

  private static func padded(_ number: UInt64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}
