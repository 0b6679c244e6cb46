import Markers
import Model
import Outgoing

/// How a value of one kind is read, bounded and written.
struct ConfigurationType<Value: Sendable & Equatable>: Sendable {
  /// As the documentation names it: `duration`, `bytes`, `address`…
  var name: String
  /// What values are allowed, as the documentation shows it; empty where the type says it all.
  var range: String
  var parse: @Sendable (String) throws(InvalidValue) -> Value
  /// The inverse of `parse`; of a secret, whether there is one.
  var format: @Sendable (Value) -> String
  /// Of a list: checks one of its parts. nil for all other types.
  var checkPart: (@Sendable (String) throws(InvalidValue) -> Void)?
  var isSecret = false
}

extension ConfigurationType where Value == ListenAddress {
  static var address: Self {
    Self(
      name: "address", range: "host:port", parse: ListenAddress.init(parsing:),
      format: \.description)
  }
}

extension ConfigurationType where Value == UInt64 {
  /// Nanoseconds inside.
  static func duration(_ allowed: ClosedRange<UInt64>) -> Self {
    ranged("duration", allowed, parse: DurationText.parse, format: DurationText.format)
  }
}

extension ConfigurationType where Value == Int {
  static func bytes(_ allowed: ClosedRange<Int>) -> Self {
    ranged("bytes", allowed, parse: ByteCountText.parse, format: ByteCountText.format)
  }

  static func integer(_ allowed: ClosedRange<Int>) -> Self {
    ranged("integer", allowed, parse: Self.parseInteger, format: \.description)
  }

  @Sendable
  private static func parseInteger(_ text: String) throws(InvalidValue) -> Int {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      throw InvalidValue(
        "'\(InvalidValue.shown(text))' is not a whole number",
        remedy: "write digits only, such as 1000")
    }
    return Int(text) ?? (text.hasPrefix("-") ? .min : .max)
  }
}

extension ConfigurationType where Value == Double {
  /// A share: `1%` or `0.01`, 0 to 1 inside.
  static func percent(_ allowed: ClosedRange<Double> = 0...1) -> Self {
    ranged("percent", allowed, parse: Self.parseShare, format: Self.formatShare)
  }

  @Sendable
  private static func parseShare(_ text: String) throws(InvalidValue) -> Double {
    let isPercent = text.hasSuffix("%")
    let number = isPercent ? text.dropLast() : text[...]
    guard ScaledNumber(number) != nil, let value = Double(number) else {
      throw InvalidValue(
        "'\(InvalidValue.shown(text))' is not a share",
        remedy: "write a percentage such as 1%, or a fraction such as 0.01")
    }
    return isPercent ? value / 100 : value
  }

  /// To a ten-thousandth of a percent: what dividing by a hundred left over is not shown.
  @Sendable
  private static func formatShare(_ share: Double) -> String {
    let percent = (share * 1_000_000).rounded() / 10_000
    let whole = percent.rounded()
    return percent == whole ? "\(Int(whole))%" : "\(percent)%"
  }
}

extension ConfigurationType where Value == MemoryLimit {
  static var memory: Self {
    let bytes = ConfigurationType<Int>.bytes(MemoryLimit.bytesMin...(1 << 44))
    return Self(
      name: "bytes", range: "auto, or " + bytes.range,
      parse: { text throws(InvalidValue) in
        if text == "auto" { return .automatic }
        do throws(InvalidValue) {
          return .bytes(try bytes.parse(text))
        } catch {
          throw InvalidValue(error.problem, remedy: error.remedy + ", or auto")
        }
      },
      format: { limit in
        switch limit {
        case .automatic: "auto"
        case .bytes(let count): bytes.format(count)
        }
      })
  }
}

extension ConfigurationType where Value == String {
  static var path: Self {
    Self(
      name: "path", range: "",
      parse: { text throws(InvalidValue) in
        guard !text.isEmpty, !text.utf8.contains(0), text.utf8.count <= 4_096 else {
          throw InvalidValue(
            "'\(InvalidValue.shown(text))' is not a path",
            remedy: "write the path of a directory, of 1 to 4096 bytes")
        }
        return text
      },
      format: \.self)
  }
}

extension ConfigurationType where Value == String {
  /// Of a file; nothing for none.
  static var optionalPath: Self {
    Self(
      name: "path", range: "",
      parse: { text throws(InvalidValue) in text.isEmpty ? "" : try Self.path.parse(text) },
      format: \.self)
  }
}

extension ConfigurationType where Value == String {
  /// The id of an App; nothing for none.
  static var githubApp: Self {
    Self(
      name: "text", range: "a number, or a client ID",
      parse: { text throws(InvalidValue) in
        guard text.isEmpty || GitHubApp.isID(text) else {
          throw InvalidValue(
            "'\(InvalidValue.shown(text))' is not the id of an App",
            remedy: "write its App ID or client ID, as the App's page on GitHub shows it")
        }
        return text
      },
      format: \.self)
  }
}

extension ConfigurationType where Value == GitHubAddress {
  static var githubAPI: Self {
    Self(
      name: "url", range: "https://HOST and a path",
      parse: { text throws(InvalidValue) in
        guard let address = GitHubAddress(text) else {
          throw InvalidValue(
            "'\(InvalidValue.shown(text))' is not the address of an API",
            remedy: "write https://, a host in lower case and a path, such as "
              + "https://github.example.com/api/v3; http:// only for this machine")
        }
        return address
      },
      format: \.description)
  }
}

extension ConfigurationType where Value == WebhookSecret? {
  static var secret: Self {
    Self(
      name: "secret", range: "",
      parse: { text throws(InvalidValue) in
        guard text.utf8.count <= 4_096 else {
          throw InvalidValue("is too long for a secret", remedy: "use at most 4096 bytes")
        }
        return WebhookSecret(text)
      },
      format: { $0 == nil ? "not set" : "set" }, isSecret: true)
  }
}

extension ConfigurationType
where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  static var choice: Self {
    let names = Value.allCases.map(\.rawValue)
    return Self(
      name: "choice", range: names.joined(separator: ", "),
      parse: { text throws(InvalidValue) in
        if let value = Value(rawValue: text) { return value }
        let nearest = Suggestion.nearest(to: text, among: names)
        throw InvalidValue(
          "'\(InvalidValue.shown(text))' is not one of \(names.joined(separator: ", "))",
          remedy: nearest.map { "did you mean \($0)?" } ?? "use one of them")
      },
      format: \.rawValue)
  }
}

extension ConfigurationType where Value: Comparable {
  fileprivate static func ranged(
    _ name: String, _ allowed: ClosedRange<Value>,
    parse: @escaping @Sendable (String) throws(InvalidValue) -> Value,
    format: @escaping @Sendable (Value) -> String
  ) -> Self {
    let range = "\(format(allowed.lowerBound)) to \(format(allowed.upperBound))"
    return Self(
      name: name, range: range,
      parse: { text throws(InvalidValue) in
        let value = try parse(text)
        guard allowed.contains(value) else {
          throw InvalidValue(
            "\(InvalidValue.shown(text)) is out of range", remedy: "use \(range)")
        }
        return value
      }, format: format)
  }
}
