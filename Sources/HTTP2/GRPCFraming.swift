/// Takes length-prefixed messages apart, whatever the pieces they arrive in.
///
/// Bytes are not copied: a step names the range of the piece at hand. The size limit is checked
/// on the prefix, before a byte of the message was asked for.
/// - Shape: each message is one flag byte, four bytes of length (big-endian), then that many bytes.
/// - Source: gRPC's PROTOCOL-HTTP2, Length-Prefixed-Message.
public struct GRPCFraming: Sendable {
  private enum State: Sendable, Equatable {
    case prefix(bytes: Int, length: UInt32)
    case message(remaining: Int)
    case failed(GRPCFramingError)
  }

  private var state = State.prefix(bytes: 0, length: 0)
  private var isCompressed = false
  private var messages = 0
  private let messageBytesMax: Int
  private let messagesMax: Int

  /// - Units: `messageBytesMax` counts the bytes of one message as sent, compressed or not.
  public init(messageBytesMax: Int, messagesMax: Int = 1) {
    self.messageBytesMax = messageBytesMax
    self.messagesMax = messagesMax
  }

  public enum Step: Sendable, Equatable {
    /// The piece is used up.
    case exhausted
    /// A message of this many bytes begins.
    case began(bytes: Int, compressed: Bool)
    /// Bytes of the message, as a range of the piece.
    case bytes(Range<Int>)
    /// The message is complete.
    case ended
    case failed(GRPCFramingError)
  }

  /// The next step within `piece`, from `offset` on, which is moved.
  public mutating func next(in piece: RawSpan, at offset: inout Int) -> Step {
    switch state {
    case .failed(let error): return .failed(error)
    case .message(remaining: 0):
      messages += 1
      state = .prefix(bytes: 0, length: 0)
      return .ended
    case .message(let remaining):
      let count = min(remaining, piece.byteCount - offset)
      guard count > 0 else { return .exhausted }
      state = .message(remaining: remaining - count)
      defer { offset += count }
      return .bytes(offset..<offset + count)
    case .prefix(var bytes, var length):
      while offset < piece.byteCount {
        let byte = unsafe piece.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        offset += 1
        bytes += 1
        if bytes == 1 {
          if let error = begin(flag: byte) { return fail(error) }
        } else {
          length = length << 8 | UInt32(byte)
        }
        if bytes == 5 { return prefixCompleted(Int(length)) }
      }
      state = .prefix(bytes: bytes, length: length)
      return .exhausted
    }
  }

  /// The request ended here: nil when it may, else what is missing.
  public mutating func finish() -> GRPCFramingError? {
    switch state {
    case .failed(let error): error
    case .prefix(bytes: 0, _): messages == 0 ? .noMessage : nil
    case .message(remaining: 0): nil
    case .prefix, .message: .truncated
    }
  }

  private mutating func begin(flag: UInt8) -> GRPCFramingError? {
    guard messages < messagesMax else { return .tooManyMessages }
    guard flag <= 1 else { return .badFlag(flag) }
    isCompressed = flag == 1
    return nil
  }

  private mutating func prefixCompleted(_ length: Int) -> Step {
    guard length <= messageBytesMax else { return fail(.tooLarge(bytes: length)) }
    state = .message(remaining: length)
    return .began(bytes: length, compressed: isCompressed)
  }

  private mutating func fail(_ error: GRPCFramingError) -> Step {
    state = .failed(error)
    return .failed(error)
  }

  /// A message with its prefix.
  public static func framed(_ message: [UInt8], compressed: Bool = false) -> [UInt8] {
    let length = UInt32(clamping: message.count)
    var bytes: [UInt8] = [compressed ? 1 : 0]
    bytes.reserveCapacity(5 + message.count)
    for shift in [24, 16, 8, 0] as [UInt32] {
      bytes.append(UInt8(truncatingIfNeeded: length >> shift))
    }
    bytes.append(contentsOf: message)
    return bytes
  }
}

/// What is wrong with the framing of a request's messages.
public enum GRPCFramingError: Error, Equatable, Sendable {
  case noMessage
  case tooManyMessages
  case truncated
  case badFlag(UInt8)
  case tooLarge(bytes: Int)
}
