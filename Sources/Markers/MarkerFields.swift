import Model

/// The members of one object; what is wrong with them is gathered, each with its place.
struct MarkerFields {
  private let values: [String: JSONValue]
  /// What stands before a key: empty, or `scaling.`.
  private let place: String
  private let language: MarkerReader.Language
  private let limits: MarkerLimits
  private(set) var problems: [MarkerProblem] = []

  /// A null is the same as nothing.
  init(
    _ values: [String: JSONValue], place: String = "", language: MarkerReader.Language,
    limits: MarkerLimits
  ) {
    self.values = values.filter { $0.value != .null }
    self.place = place
    self.language = language
    self.limits = limits
  }

  func has(_ key: String) -> Bool { values[key] != nil }

  mutating func refuse(_ key: String, _ message: String) {
    problems.append(MarkerProblem(place + key, message))
  }

  /// Takes over what is wrong with an object inside this one.
  mutating func take(_ inner: [MarkerProblem]) { problems += inner }

  /// How many keys nobody knows are named.
  private static let unknownShownMax = 16

  mutating func refuseUnknown(_ known: [String]) {
    let unknown = values.keys.filter { !known.contains($0) }.sorted()
    for key in unknown.prefix(MarkerFields.unknownShownMax) {
      let shown = MarkerFields.shown(key)
      let hint =
        language.nearest(shown, known).map { "Did you mean \"\($0)\"?" }
        ?? "There are \(known.joined(separator: ", "))."
      refuse(shown, "Unknown key \"\(shown)\". \(hint)")
    }
  }

  /// A key of a sender's as it may stand in an answer.
  private static func shown(_ key: String) -> String { String(key.prefix(64)) }

  /// nil when it is missing or no text.
  mutating func optionalText(_ key: String, bytesMax: Int) -> String? {
    guard let value = values[key] else { return nil }
    guard case .text(let text) = value else {
      refuse(key, "Must be a text, not \(value.kind).")
      return nil
    }
    guard text.utf8.count <= bytesMax else {
      refuse(key, "Has \(text.utf8.count) bytes; \(bytesMax) are allowed.")
      return nil
    }
    guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
      refuse(key, "Must not hold line breaks or other control characters.")
      return nil
    }
    return text
  }

  /// Empty when it is missing or wrong.
  mutating func text(_ key: String, bytesMax: Int) -> String {
    optionalText(key, bytesMax: bytesMax) ?? ""
  }

  mutating func name(_ key: String) -> String { text(key, bytesMax: limits.nameBytesMax) }

  mutating func count(_ key: String) -> Int? {
    guard let value = values[key] else { return nil }
    guard case .integer(let number) = value, (0...Int64(limits.instancesMax)).contains(number)
    else {
      refuse(key, "Must be a whole number from 0 to \(limits.instancesMax).")
      return nil
    }
    return Int(number)
  }

  /// RFC 3339 in a text, or a bare number.
  mutating func time(_ key: String) -> Nanos? {
    let text: String?
    switch values[key] {
    case nil: return nil
    case .text(let written): text = written.isEmpty ? nil : written
    case .integer(let number): text = String(number)
    default: text = nil
    }
    if let time = text.flatMap(language.time) { return time }
    refuse(
      key,
      "Must be a time from 1970 to 2261: RFC 3339 (2026-11-23T08:00:00Z), or Unix time as 10, 13, "
        + "16 or 19 digits (seconds, milli-, micro- or nanoseconds).")
    return nil
  }

  mutating func object(_ key: String) -> MarkerFields? {
    guard let value = values[key] else { return nil }
    guard case .object(let members) = value else {
      refuse(key, "Must be an object, not \(value.kind).")
      return nil
    }
    return MarkerFields(members, place: "\(place)\(key).", language: language, limits: limits)
  }

  mutating func attributes(_ key: String) -> [String: MarkerAttribute] {
    guard var inner = object(key) else { return [:] }
    guard inner.values.count <= limits.attributesMax else {
      refuse(
        key, "Has \(inner.values.count) attributes; \(limits.attributesMax) are allowed.")
      return [:]
    }
    var attributes: [String: MarkerAttribute] = [:]
    for name in inner.values.keys.sorted() { attributes[name] = inner.attribute(name) }
    take(inner.problems)
    return attributes
  }

  private mutating func attribute(_ name: String) -> MarkerAttribute? {
    guard !name.isEmpty, name.utf8.count <= limits.attributeKeyBytesMax else {
      refuse(
        MarkerFields.shown(name), "A name has 1 to \(limits.attributeKeyBytesMax) bytes.")
      return nil
    }
    switch values[name] {
    case .integer(let value): return .integer(value)
    case .number(let value): return .number(value)
    case .boolean(let value): return .boolean(value)
    // Texts may have several lines: a commit message is one.
    case .text(let value) where value.utf8.count <= limits.textBytesMax: return .text(value)
    case .text(let value):
      refuse(name, "Has \(value.utf8.count) bytes; \(limits.textBytesMax) are allowed.")
    case let value:
      refuse(name, "Must be a text, a number, true or false, not \(value?.kind ?? "null").")
    }
    return nil
  }
}
