/// Holds the strings whose escapes were resolved, until they are all forgotten together. Never
/// larger than the document they come from.
@safe struct JSONTextArena: ~Copyable {
  private var chunks: [UnsafeMutableRawBufferPointer] = unsafe []
  private var used = 0

  static let chunkBytes = 16 << 10

  /// A copy of the text with its escapes resolved.
  mutating func unescaped(
    _ raw: UnsafeRawBufferPointer
  ) throws(JSONEscapes.Malformed) -> UnsafeRawBufferPointer {
    let room = unsafe reserve(raw.count)
    let written = try unsafe JSONEscapes.resolve(raw, into: room)
    used += written
    return unsafe UnsafeRawBufferPointer(rebasing: room[0..<written])
  }

  /// Gives all texts up; one chunk is kept for the next.
  mutating func removeAll() {
    used = 0
    while unsafe chunks.count > 1 { unsafe chunks.removeLast().deallocate() }
  }

  private mutating func reserve(_ bytes: Int) -> UnsafeMutableRawBufferPointer {
    if let last = unsafe chunks.last, last.count - used >= bytes {
      return unsafe UnsafeMutableRawBufferPointer(rebasing: last[used..<used + bytes])
    }
    let chunk = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(bytes, JSONTextArena.chunkBytes), alignment: 1)
    unsafe chunks.append(chunk)
    used = 0
    return unsafe UnsafeMutableRawBufferPointer(rebasing: chunk[0..<bytes])
  }

  deinit {
    for index in unsafe chunks.indices { unsafe chunks[index].deallocate() }
  }
}
