import Model

/// The parameters of a request, decoded.
/// - Source: URL Standard, application/x-www-form-urlencoded: `&` between pairs, `+` for a blank.
struct QueryString {
  /// In the order given.
  private(set) var pairs: [(key: String, value: String)] = []

  /// - Errors: bytes that are no UTF-8 after decoding, and `%` without two hexadecimal digits.
  init(_ raw: String) throws(QueryProblem) {
    for part in raw.utf8.split(separator: UInt8(ascii: "&")) {
      let halves = part.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let key = PercentEncoding.decode(halves[0], plusIsBlank: true),
        let value = PercentEncoding.decode(
          halves.count > 1 ? halves[1] : "".utf8[...], plusIsBlank: true)
      else {
        throw QueryProblem(
          .invalidRequest,
          "The query string is not properly encoded: after each % two hexadecimal digits are "
            + "expected, and the decoded bytes must be UTF-8.")
      }
      pairs.append((key, value))
    }
  }
}

/// - Source: RFC 3986, section 2.1.
enum PercentEncoding {
  /// nil for a `%` without two hexadecimal digits, and for what is no UTF-8 once decoded.
  static func decode(_ encoded: some Sequence<UInt8>, plusIsBlank: Bool = false) -> String? {
    var bytes: [UInt8] = []
    var rest = encoded.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = rest.next()?.hexadecimalValue, let low = rest.next()?.hexadecimalValue
        else { return nil }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsBlank: bytes.append(UInt8(ascii: " "))
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
