/// Reads an object of Kubernetes out of a log record's body that is a list of keys and values: the
/// object itself, or what a watch wraps around it.
///
/// A decoder tells each member with the place it stands at, and goes into the lists that `place` names.
/// There are three levels of these at most, however deep a sender nests.
@safe struct KubernetesObjectReader {
  /// A list of keys and values whose members are read.
  enum Place: Equatable {
    case body
    /// What a watch wrapped.
    case object
    /// A part of the object, by its number.
    case part(Int)
  }

  private static let objectKey = Array("object".utf8)
  private static let partKeys = KubernetesObject.partKeys.map { Array($0.part.utf8) }
  private static let deleted = "DELETED"

  private var isWrapped = false
  /// Whether any member was told.
  private var isEmpty = true
  /// What a watch saw happen to the object.
  private var change = ChosenAttributes(["type"])
  private var values = ChosenAttributes(KubernetesObject.keys)
  private var parts = KubernetesObject.partKeys.map { ChosenAttributes($0.keys) }

  mutating func removeAll() {
    guard !isEmpty else { return }
    isEmpty = true
    isWrapped = false
    change.removeAll()
    removeObject()
  }

  private mutating func removeObject() {
    values.removeAll()
    for index in parts.indices { parts[index].removeAll() }
  }

  mutating func note(_ key: UnsafeRawBufferPointer, _ value: AttributeValue, in place: Place) {
    isEmpty = false
    switch place {
    case .body:
      unsafe change.note(key, value)
      if !isWrapped { unsafe values.note(key, value) }
    case .object: unsafe values.note(key, value)
    case .part(let index): unsafe parts[index].note(key, value)
    }
  }

  /// The place a list of keys and values stands at, which begins there; nil where nothing of it is read.
  mutating func begin(_ key: UnsafeRawBufferPointer, in outer: Place) -> Place? {
    if case .part = outer { return nil }
    if outer == .body {
      if unsafe key.equals(KubernetesObjectReader.objectKey) {
        isWrapped = true
        removeObject()
        return .object
      }
      if isWrapped { return nil }
    }
    for (index, part) in KubernetesObjectReader.partKeys.enumerated()
    where unsafe key.equals(part) {
      parts[index].removeAll()
      return .part(index)
    }
    return nil
  }

  /// - Parameter isDeleted: whether the record says beside its body that the object is gone.
  /// - Returns: nil for what is no event, or one that Kubernetes only forgets.
  func event(isDeleted: Bool) -> KubernetesObject? {
    guard !isDeleted, !isWrapped || !KubernetesObjectReader.isDeleted(change[0]),
      !KubernetesObjectReader.text(values[KubernetesObject.reasonKey]).isEmpty
    else { return nil }
    let kind = KubernetesObjectReader.text(values[KubernetesObject.kindKey])
    guard kind.isEmpty || kind == "Event" else { return nil }
    var object = KubernetesObject()
    object.values = KubernetesObjectReader.read(values, KubernetesObject.keys)
    for (index, part) in KubernetesObject.partKeys.enumerated() where !parts[index].isEmpty {
      object.parts[part.part] = KubernetesObjectReader.read(parts[index], part.keys)
    }
    return object
  }

  static func isDeleted(_ value: AttributeValue) -> Bool { text(value) == deleted }

  private static func read(
    _ chosen: ChosenAttributes, _ keys: [String]
  ) -> [String: KubernetesObject.Value] {
    var read: [String: KubernetesObject.Value] = [:]
    for (index, key) in keys.enumerated() {
      let text = text(chosen[index])
      if !text.isEmpty {
        read[key] = .text(text)
      } else if let number = chosen[index].number {
        read[key] = .number(number)
      }
    }
    return read
  }

  private static func text(_ value: AttributeValue) -> String {
    unsafe value.text.map {
      unsafe String(decoding: $0.prefix(KubernetesObject.textBytesMax), as: UTF8.self)
    } ?? ""
  }
}
