/// A value as a sender wrote it, before anything is known about it.
public indirect enum JSONValue: Equatable, Sendable {
  case text(String)
  case integer(Int64)
  case number(Double)
  case boolean(Bool)
  case array([JSONValue])
  case object([String: JSONValue])
  case null

  /// What it is, for a person.
  var kind: String {
    switch self {
    case .text: "a text"
    case .integer, .number: "a number"
    case .boolean: "true or false"
    case .array: "an array"
    case .object: "an object"
    case .null: "null"
    }
  }
}

// Reading what others send: a member that is missing, or of another type, is simply not there.
extension JSONValue {
  /// A member; null where there is none, or this is no object.
  public subscript(key: String) -> JSONValue {
    guard case .object(let members) = self else { return .null }
    return members[key] ?? .null
  }

  /// An element; null where there is none, or this is no array.
  subscript(index: Int) -> JSONValue {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return .null }
    return elements[index]
  }

  /// A text; empty for anything else.
  public var text: String {
    if case .text(let text) = self { return text }
    return ""
  }

  /// A text, or a number or truth value as one: ids come as both. Empty for anything else.
  public var plain: String {
    switch self {
    case .text(let text): text
    case .integer(let number): String(number)
    case .number(let number): String(number)
    case .boolean(let truth): String(truth)
    case .array, .object, .null: ""
    }
  }

  /// A whole number that is not negative, also when it is written as a text.
  var count: Int? {
    switch self {
    case .integer(let number): number >= 0 ? Int(exactly: number) : nil
    case .text(let text): Int(text).flatMap { $0 >= 0 ? $0 : nil }
    default: nil
    }
  }

  var isTrue: Bool { self == .boolean(true) }

  var elements: [JSONValue] {
    if case .array(let elements) = self { return elements }
    return []
  }

  public var isObject: Bool {
    if case .object = self { return true }
    return false
  }
}
