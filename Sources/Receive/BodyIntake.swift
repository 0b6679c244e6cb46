import HTTP2

/// Collects the body of one request, and has room reserved for it before it keeps a byte.
///
/// A declared length is reserved at once; without one the reservation doubles as the body grows.
struct BodyIntake {
  private(set) var bytes: [UInt8]
  /// How much was reserved for this request and must be released when it is over.
  private(set) var reservedBytes = 0
  /// The gRPC message's flag says it is compressed.
  private(set) var isMessageCompressed = false
  /// Body bytes that came, framing included.
  private(set) var receivedBytes = 0

  private var framing: GRPCFraming?
  private let bytesMax: Int

  /// The first reservation for a body that does not say how long it is.
  private static let firstReservationBytes = 16 << 10
  /// Memory taken on a sender's word alone; more only as bytes arrive.
  private static let trustedBytesMax = 1 << 20

  /// - Parameter buffer: storage to reuse; its content is dropped.
  init(isGRPC: Bool, bytesMax: Int, buffer: consuming [UInt8]) {
    bytes = buffer
    bytes.removeAll(keepingCapacity: true)
    framing = isGRPC ? GRPCFraming(messageBytesMax: bytesMax) : nil
    self.bytesMax = bytesMax
  }

  /// The length the request's head declares, if any. For gRPC the message's prefix tells.
  mutating func declare(
    bytes declared: Int?, reserve: (Int) -> Bool
  ) -> Refusal? {
    guard framing == nil, let declared, declared > 0 else { return nil }
    guard declared <= bytesMax else { return .bodyTooLarge(bytesMax: bytesMax) }
    return expect(declared, reserve)
  }

  /// Takes the next piece of the body.
  mutating func append(_ piece: RawSpan, reserve: (Int) -> Bool) -> Refusal? {
    receivedBytes &+= piece.byteCount
    guard framing != nil else { return keep(piece, reserve) }
    var offset = 0
    while let step = framing?.next(in: piece, at: &offset) {
      switch step {
      case .exhausted: return nil
      case .began(let count, let compressed):
        isMessageCompressed = compressed
        if let refusal = expect(count, reserve) { return refusal }
      case .bytes(let range):
        if let refusal = keep(piece.extracting(range), reserve) { return refusal }
      case .ended: break
      case .failed(let error): return .framing(error, bytesMax: bytesMax)
      }
    }
    return nil
  }

  /// The request ended: nil when its body is complete.
  mutating func finish() -> Refusal? {
    framing?.finish().map { .framing($0, bytesMax: bytesMax) }
  }

  /// Reserves beyond the body itself, for what it unpacks to.
  mutating func reserveMore(_ count: Int, reserve: (Int) -> Bool) -> Bool {
    guard count > 0 else { return true }
    guard reserve(count) else { return false }
    reservedBytes += count
    return true
  }

  /// Hands the collected body over.
  mutating func takeBytes() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &bytes)
    return taken
  }

  /// How much to release; 0 from then on.
  mutating func takeReservation() -> Int {
    defer { reservedBytes = 0 }
    return reservedBytes
  }

  private mutating func expect(_ count: Int, _ reserve: (Int) -> Bool) -> Refusal? {
    guard reserveMore(count - reservedBytes, reserve: reserve) else { return .noRoom }
    bytes.reserveCapacity(min(count, BodyIntake.trustedBytesMax))
    return nil
  }

  private mutating func keep(_ piece: RawSpan, _ reserve: (Int) -> Bool) -> Refusal? {
    let needed = bytes.count + piece.byteCount
    guard needed <= bytesMax else { return .bodyTooLarge(bytesMax: bytesMax) }
    if needed > reservedBytes {
      let wanted = max(needed, reservedBytes * 2, BodyIntake.firstReservationBytes)
      guard reserveMore(min(wanted, bytesMax) - reservedBytes, reserve: reserve) else {
        return .noRoom
      }
    }
    unsafe piece.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    return nil
  }
}

extension Refusal {
  /// The sink, or the workers' queue, had no room.
  static let noRoom = Refusal.overloaded(
    reason: "the gateway has no room for this request now; send it again", retryAfterSeconds: 1)
}
