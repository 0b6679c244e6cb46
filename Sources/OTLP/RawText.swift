/// Reading text in the request's bytes without making a `String` of it.
extension UnsafeRawBufferPointer {
  @inline(__always)
  func equals(_ text: StaticString) -> Bool {
    unsafe count == text.utf8CodeUnitCount && hasPrefix(text)
  }

  func hasPrefix(_ text: StaticString) -> Bool {
    guard count >= text.utf8CodeUnitCount else { return false }
    for index in 0..<text.utf8CodeUnitCount
    where unsafe self[index] != text.utf8Start[index] {
      return false
    }
    return true
  }

  /// Whether the ASCII letters are those of `text`, which is in upper case.
  func equalsIgnoringCase(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in 0..<count {
      let byte = unsafe self[index]
      let upper = byte >= 0x61 && byte <= 0x7A ? byte & 0xDF : byte
      if unsafe upper != text.utf8Start[index] { return false }
    }
    return true
  }

  func equals(_ bytes: [UInt8]) -> Bool {
    guard count == bytes.count else { return false }
    for index in 0..<count where unsafe self[index] != bytes[index] { return false }
    return true
  }

  func position(of byte: UInt8, from start: Int = 0) -> Int? {
    for index in start..<Swift.max(start, count) where unsafe self[index] == byte { return index }
    return nil
  }

  func lastPosition(of byte: UInt8) -> Int? {
    for index in (0..<count).reversed() where unsafe self[index] == byte { return index }
    return nil
  }

  func hasSuffix(_ text: UnsafeRawBufferPointer) -> Bool {
    guard count >= text.count else { return false }
    for index in 0..<text.count where unsafe self[count - text.count + index] != text[index] {
      return false
    }
    return true
  }

  /// The bytes of a range within bounds.
  @inline(__always)
  func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: self[range])
  }

  func part(from start: Int) -> UnsafeRawBufferPointer { unsafe part(start..<count) }

  /// Without the spaces and tabs at both ends.
  var trimmed: UnsafeRawBufferPointer {
    var start = 0
    var end = count
    while start < end, unsafe self[start] == 0x20 || self[start] == 0x09 { start += 1 }
    while end > start, unsafe self[end - 1] == 0x20 || self[end - 1] == 0x09 { end -= 1 }
    return unsafe part(start..<end)
  }
}
