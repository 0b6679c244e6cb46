internal import Glibc

// Numbers as sentences show them. Written out here because formatting depends on no locale.

/// "1 280".
func grouped(_ count: Int64) -> String {
  let digits = Array(String(count.magnitude))
  var text = count < 0 ? "-" : ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { text += " " }
    text.append(digit)
  }
  return text
}

/// An estimate, to two or three digits, since more would be a lie: "1 280", "47".
func about(_ count: Double) -> String {
  guard count < 1e15 else { return "very many" }
  let magnitude = count >= 1000 ? pow(10, (log10(count) - 2).rounded(.down)) : 1
  return grouped(Int64((count / magnitude).rounded(.up) * magnitude))
}

/// With two decimals, fewer for large numbers: "0.47", "3.1", "128".
func decimals(_ value: Double) -> String {
  fixed(value, places: value.magnitude < 2 ? 2 : value.magnitude < 100 ? 1 : 0)
}

/// "0.83 ms", "5.2 ms", "65 ms".
func milliseconds(_ value: Double) -> String {
  fixed(value, places: value < 1 ? 2 : value < 10 ? 1 : 0) + " ms"
}

/// A share as "0.52 %".
func percent(_ share: Double) -> String {
  if share == 0 { return "0 %" }
  let value = share * 100
  let places = value.magnitude < 1 ? 2 : value.magnitude < 10 ? 1 : 0
  let text = fixed(value, places: places)
  return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + " %"
}

/// A ratio as the change it is: "+4.9 %", "-1.2 %".
func change(_ ratio: Double) -> String {
  let share = ratio - 1
  return (share < 0 ? "-" : "+") + percent(share.magnitude)
}

/// "50 s", "4 min", "3.5 h".
func duration(_ seconds: Double) -> String {
  if seconds < 120 { return "\(about(seconds)) s" }
  if seconds < 7200 { return "\(about(seconds / 60)) min" }
  return "\(decimals(seconds / 3600)) h"
}

private func fixed(_ value: Double, places: Int) -> String {
  let scale = pow(10, Double(places))
  let scaled = (value.magnitude * scale).rounded()
  guard scaled < 1e15 else { return value < 0 ? "-very much" : "very much" }
  let whole = Int64(scaled)
  let unit = Int64(scale)
  let sign = value < 0 && whole > 0 ? "-" : ""
  guard places > 0 else { return sign + grouped(whole) }
  let fraction = String(whole % unit)
  return sign + grouped(whole / unit) + "."
    + String(repeating: "0", count: places - fraction.count) + fraction
}
