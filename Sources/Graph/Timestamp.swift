public import Model

/// Times as people write them.
/// - Source: RFC 3339. Years 1970 to 2261: what fits into 63 bits of nanoseconds.
public enum Timestamp {
  /// The latest time that can be written or read.
  public static let latest: Nanos = 9_223_372_036_000_000_000

  /// `2026-11-23T08:44:10Z`, with as many digits of a second as are needed (0, 3, 6 or 9).
  /// - Parameter nanos: Unix nanoseconds; what is later than `latest` is written as `latest`.
  public static func text(_ nanos: Nanos) -> String {
    let time = min(nanos, latest)
    let seconds = Int(time / .second)
    let date = CivilDate(daysSinceEpoch: seconds / 86_400)
    let rest = seconds % 86_400
    let day = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    let clock =
      "\(padded(rest / 3600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))"
    return "\(day)T\(clock)\(fraction(Int(time % .second)))Z"
  }

  private static func fraction(_ nanos: Int) -> String {
    if nanos == 0 { return "" }
    if nanos % 1_000_000 == 0 { return "." + padded(nanos / 1_000_000, 3) }
    if nanos % 1_000 == 0 { return "." + padded(nanos / 1_000, 6) }
    return "." + padded(nanos, 9)
  }

  private static func padded(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  /// Reads RFC 3339, or a bare number of 10, 13, 16 or 19 digits: Unix seconds, milliseconds,
  /// microseconds or nanoseconds. nil for anything else and for times before 1970 or after
  /// `latest`. A blank may stand where `+` does: a query string turns one into the other.
  public static func parse(_ text: String) -> Nanos? {
    let bytes = Array(text.utf8)
    guard bytes.count <= 64 else { return nil }
    let nanos = bytes.allSatisfy(isDigit) ? bareNumber(bytes) : civil(bytes)
    return nanos.flatMap { $0 <= latest ? $0 : nil }
  }

  private static func bareNumber(_ digits: [UInt8]) -> Nanos? {
    let units: [Int: Nanos] = [10: .second, 13: .millisecond, 16: 1_000, 19: 1]
    guard let unit = units[digits.count],
      let number = Nanos(String(decoding: digits, as: UTF8.self))
    else { return nil }
    let (nanos, overflow) = number.multipliedReportingOverflow(by: unit)
    return overflow ? nil : nanos
  }

  private static func civil(_ bytes: [UInt8]) -> Nanos? {
    var scan = Scan(bytes)
    guard let year = scan.number(4), scan.take("-"), let month = scan.number(2), scan.take("-"),
      let day = scan.number(2), scan.take("T", "t", " "),
      let hour = scan.number(2), scan.take(":"), let minute = scan.number(2), scan.take(":"),
      let second = scan.number(2)
    else { return nil }
    guard let fraction = scan.fraction(), let offsetSeconds = scan.offsetSeconds(), scan.isAtEnd,
      hour < 24, minute < 60, second <= 60, (1970...2262).contains(year),
      let date = CivilDate(year: year, month: month, day: day)
    else { return nil }
    // A leap second is read as the first moment after it.
    let seconds = date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offsetSeconds
    guard seconds >= 0 else { return nil }
    return Nanos(seconds) * .second + fraction
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Reads a timestamp from left to right.
  private struct Scan {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ choices: Unicode.Scalar...) -> Bool {
      guard let first = rest.first, choices.contains(where: { UInt8(ascii: $0) == first }) else {
        return false
      }
      rest = rest.dropFirst()
      return true
    }

    mutating func number(_ digits: Int) -> Int? {
      let taken = rest.prefix(digits)
      guard taken.count == digits, taken.allSatisfy(isDigit) else { return nil }
      rest = rest.dropFirst(digits)
      return taken.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// Nanoseconds; digits beyond the ninth are cut off. nil for a point without digits.
    mutating func fraction() -> Nanos? {
      guard take(".", ",") else { return 0 }
      let digits = rest.prefix(while: isDigit)
      guard !digits.isEmpty else { return nil }
      rest = rest.dropFirst(digits.count)
      var nanos: Nanos = 0
      for place in 0..<9 {
        let index = digits.startIndex + place
        nanos = nanos * 10 + (index < digits.endIndex ? Nanos(digits[index] - 0x30) : 0)
      }
      return nanos
    }

    mutating func offsetSeconds() -> Int? {
      if take("Z", "z") { return 0 }
      let sign: Int
      if take("+", " ") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
      guard let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
      else { return nil }
      return sign * (hours * 3600 + minutes * 60)
    }
  }
}

/// A day of the Gregorian calendar.
/// - Source: Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March,
///   so that the leap day is the last of a year, and 400 years (146 097 days) are one era.
struct CivilDate: Equatable {
  var year: Int
  var month: Int
  var day: Int

  /// nil when there is no such day.
  init?(year: Int, month: Int, day: Int) {
    guard (1...12).contains(month), day >= 1 else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard day <= lengths[month - 1] else { return nil }
    self.year = year
    self.month = month
    self.day = day
  }

  /// - Parameter daysSinceEpoch: 0 is 1970-01-01; not negative.
  init(daysSinceEpoch: Int) {
    let shifted = daysSinceEpoch + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  var daysSinceEpoch: Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear / 400
    let yearOfEra = shiftedYear % 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
