import CProtobufC

/// Holds the C structs of one small reply while libprotobuf-c packs them, and frees them after.
@safe struct Packing: ~Copyable {
  private var pieces: [UnsafeMutableRawPointer] = unsafe []

  private init() {}

  deinit {
    for index in unsafe pieces.indices { unsafe pieces[index].deallocate() }
  }

  /// The serial form of the message `build` makes out of pieces of the pool.
  static func pack(
    _ build: (inout Packing) -> UnsafeMutablePointer<ProtobufCMessage>
  ) -> [UInt8] {
    var pool = Packing()
    let message = unsafe build(&pool)
    let count = unsafe protobuf_c_message_get_packed_size(message)
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      guard let start = buffer.baseAddress else { return }
      initializedCount = unsafe protobuf_c_message_pack(message, start)
    }
  }

  mutating func text(_ text: String) -> ProtobufCBinaryData { unsafe bytes(Array(text.utf8)) }

  mutating func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
    unsafe ProtobufCBinaryData(len: bytes.count, data: keep(bytes))
  }

  /// Room of the pool's own for a struct, which must hold nothing that needs to be released.
  mutating func keep<Piece: BitwiseCopyable>(_ piece: Piece) -> UnsafeMutablePointer<Piece> {
    let pointer = UnsafeMutablePointer<Piece>.allocate(capacity: 1)
    unsafe pointer.initialize(to: piece)
    unsafe pieces.append(UnsafeMutableRawPointer(pointer))
    return unsafe pointer
  }

  mutating func keep<Piece: BitwiseCopyable>(_ array: [Piece]) -> UnsafeMutablePointer<Piece> {
    let pointer = UnsafeMutablePointer<Piece>.allocate(capacity: max(1, array.count))
    for (index, piece) in array.enumerated() {
      unsafe (pointer + index).initialize(to: piece)
    }
    unsafe pieces.append(UnsafeMutableRawPointer(pointer))
    return unsafe pointer
  }

  /// The outermost struct, as the type all generated structs begin with.
  mutating func message<Message: BitwiseCopyable>(
    _ message: Message
  ) -> UnsafeMutablePointer<ProtobufCMessage> {
    unsafe UnsafeMutableRawPointer(keep(message)).assumingMemoryBound(to: ProtobufCMessage.self)
  }
}
