/// The time as HTTP writes it.
/// - Source: RFC 9110 section 5.6.7, IMF-fixdate.
enum HTTPDate {
  private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  static func text(unixSeconds: UInt64) -> String {
    let day = unixSeconds / 86_400
    let second = unixSeconds % 86_400
    let (year, month, dayOfMonth) = civil(daysSince1970: day)
    let clock = [second / 3600, second / 60 % 60, second % 60].map(twoDigits)
    let weekday = days[Int(day % 7)]
    let date = "\(twoDigits(dayOfMonth)) \(months[Int(month) - 1]) \(year)"
    return "\(weekday), \(date) \(clock.joined(separator: ":")) GMT"
  }

  private static func twoDigits(_ number: UInt64) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }

  /// Counts in years that begin in March, so that the leap day is the last of its year.
  private static func civil(
    daysSince1970 days: UInt64
  ) -> (year: UInt64, month: UInt64, day: UInt64) {
    let shifted = days + 719_468  // since 1 March of year 0
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}
