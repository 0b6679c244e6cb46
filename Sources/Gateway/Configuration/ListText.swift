import Access
import OTLP

/// A list as text: its parts, divided by commas, which no part holds.
enum ListText {
  static let separator = ", "

  /// The parts without the spaces around them; none in a text of spaces.
  static func parts(of text: String) -> [String] {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
    return parts.count == 1 && parts[0].isEmpty ? [] : parts
  }

  private static func trimmed(_ part: Substring) -> String {
    let rest = part.drop { $0 == " " }
    return String(rest.prefix(rest.count - rest.reversed().prefix { $0 == " " }.count))
  }
}

extension ConfigurationType {
  /// Several values of one type: a YAML list, or a text with commas.
  static func list<Part>(
    of part: ConfigurationType<Part>, countMax: Int
  ) -> Self where Value == [Part] {
    Self(
      name: "list", range: "at most \(countMax): \(part.range)",
      parse: { text throws(InvalidValue) in
        let texts = ListText.parts(of: text)
        guard texts.count <= countMax else {
          throw InvalidValue("holds \(texts.count) values", remedy: "use at most \(countMax)")
        }
        var parts: [Part] = []
        for text in texts { parts.append(try part.parse(text)) }
        return parts
      },
      format: { $0.map(part.format).joined(separator: ListText.separator) },
      checkPart: { text throws(InvalidValue) in _ = try part.parse(text) })
  }
}

// What lists hold.

extension ConfigurationType where Value == ClosedRange<Int> {
  /// A code of HTTP, or a range of them.
  static var httpCodes: Self {
    Self(
      name: "codes", range: "HTTP codes such as 404 or ranges such as 400-499",
      parse: { text throws(InvalidValue) in
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(code)
        guard let first = ends.first, let first, let last = ends.last, let last, ends.count <= 2
        else {
          throw InvalidValue(
            "'\(InvalidValue.shown(text))' is no HTTP code and no range of them",
            remedy: "write a code from 100 to 599 such as 404, or a range such as 400-499")
        }
        guard first <= last else {
          throw InvalidValue(
            "'\(InvalidValue.shown(text))' is a range that ends before it begins",
            remedy: "write \(last)-\(first)")
        }
        return first...last
      },
      format: {
        $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
      })
  }

  @Sendable
  private static func code(_ text: Substring) -> Int? {
    guard text.count == 3, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(text).flatMap { (100...599).contains($0) ? $0 : nil }
  }
}

extension ConfigurationType where Value == RPCCode {
  /// A code of gRPC, by its name or number. OK is not among them: with it nothing failed anyway.
  static var grpcCode: Self {
    let codes = RPCCode.allCases.filter { $0 != .ok }
    return Self(
      name: "code", range: "gRPC codes such as NOT_FOUND or 5",
      parse: { text throws(InvalidValue) in
        let known = codes.first { $0.name == text.uppercased() || "\($0.rawValue)" == text }
        if let known { return known }
        let nearest = Suggestion.nearest(to: text, among: codes.map(\.name))
        throw InvalidValue(
          "'\(InvalidValue.shown(text))' is no gRPC code of a failure",
          remedy: nearest.map { "did you mean \($0)?" }
            ?? "write a name such as NOT_FOUND, or a number from 1 to 16")
      },
      format: \.name)
  }
}

extension ConfigurationType where Value == String {
  /// The key of an attribute.
  static var attributeKey: Self {
    Self(
      name: "key", range: "keys of attributes",
      parse: { text throws(InvalidValue) in
        let isKey = text.utf8.allSatisfy { byte in
          byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: ",") && byte != UInt8(ascii: "=")
        }
        guard isKey, (1...DecodeRules.keyBytesMax).contains(text.utf8.count) else {
          throw InvalidValue(
            "'\(InvalidValue.shown(text))' is no key of an attribute",
            remedy: "write a key such as peer.service, of 1 to \(DecodeRules.keyBytesMax) bytes "
              + "without spaces, commas and equals signs")
        }
        guard !Redaction.isSecret(attribute: text) else {
          throw InvalidValue(
            "'\(InvalidValue.shown(text))' holds secrets, which are not kept",
            remedy: "name another attribute")
        }
        return text
      },
      format: \.self)
  }

  /// The key of a query parameter.
  static var queryKey: Self {
    Self(
      name: "key", range: "keys of query parameters",
      parse: { text throws(InvalidValue) in
        let isKey = text.utf8.allSatisfy { byte in
          byte > 0x20 && byte < 0x7F && !"&;=?#,\"".utf8.contains(byte)
        }
        guard isKey, (1...DecodeRules.keyBytesMax).contains(text.utf8.count) else {
          throw InvalidValue(
            "'\(InvalidValue.shown(text))' is no key of a query parameter",
            remedy: "write a key such as invite_token, of 1 to \(DecodeRules.keyBytesMax) bytes of "
              + "ASCII, without its '=' and value")
        }
        return text
      },
      format: \.self)
  }
}

extension ConfigurationType where Value == TokenLine {
  /// A token that is known by its digest.
  static var token: Self {
    Self(
      name: "token", range: "lines such as ci ingest+query sha256:…",
      parse: { text throws(InvalidValue) in
        do throws(TokenLineError) {
          return try TokenLine(parsing: text)
        } catch {
          throw InvalidValue(error.problem, remedy: error.remedy)
        }
      },
      format: \.description)
  }
}
