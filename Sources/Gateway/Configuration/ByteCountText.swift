/// Amounts of bytes as people write them: `64MiB`, `512MB`, `65536`.
enum ByteCountText {
  private static let units: [(name: String, bytes: UInt64)] = [
    ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000),
    ("KB", 1_000), ("B", 1),
  ]

  static func parse(_ text: String) throws(InvalidValue) -> Int {
    let number = text.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
    let name = text.dropFirst(number.count).drop { $0 == " " }
    let unit = name.isEmpty ? 1 : units.first { $0.name == name }?.bytes
    guard let unit, let value = ScaledNumber(number) else {
      throw InvalidValue(
        "'\(InvalidValue.shown(text))' is not an amount of bytes",
        remedy: "write a number with KiB, MiB, GiB, kB, MB or GB, such as 64MiB")
    }
    guard let bytes = value.times(unit) else {
      throw InvalidValue(
        "'\(InvalidValue.shown(text))' is more than any machine has", remedy: "write less")
    }
    return Int(bytes)
  }

  /// The largest unit that gives a whole number, such as `64MiB`.
  static func format(_ bytes: Int) -> String {
    for unit in units.prefix(4) where bytes > 0 && UInt64(bytes) % unit.bytes == 0 {
      return "\(UInt64(bytes) / unit.bytes)\(unit.name)"
    }
    return "\(bytes)"
  }
}
