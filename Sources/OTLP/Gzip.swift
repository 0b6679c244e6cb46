import CZlib

/// gzip bodies, in and out, with a hard cap on what comes out.
/// - Source: RFC 1952.
public enum Gzip {
  /// The body, unpacked: one member or several, one after the other.
  /// - Units: bytes. Never holds more than `bytesMax` and one step of 64 KiB.
  /// - Errors: `malformedGzip` for a stream that is truncated, damaged, or followed by other bytes;
  ///   `bodyTooLarge` as soon as more than `bytesMax` came out.
  public static func inflate(
    _ body: UnsafeRawBufferPointer, bytesMax: Int
  ) throws(DecodeError) -> [UInt8] {
    var inflater = try Inflater()
    return unsafe try inflater.inflate(body, bytesMax: bytesMax)
  }

  /// One member, at zlib's default level.
  public static func deflate(_ body: [UInt8]) -> [UInt8] {
    precondition(body.count <= Int(UInt32.max), "zlib counts the bytes of one call in 32 bits")
    // On the heap, because zlib insists that a stream stays where it was begun.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let began = unsafe deflateInit2_(
      stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, Gzip.windowBits, 8, Z_DEFAULT_STRATEGY,
      ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    // Fails only without memory or with wrong arguments, as does what follows.
    precondition(began == Z_OK, "zlib could not begin to compress: \(began)")
    defer {
      unsafe deflateEnd(stream)
      unsafe stream.deallocate()
    }
    let capacity = Int(unsafe deflateBound(stream, UInt(body.count)))
    return unsafe body.withUnsafeBufferPointer { source in
      unsafe [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(source.count)
        unsafe stream.pointee.next_out = target.baseAddress
        unsafe stream.pointee.avail_out = UInt32(target.count)
        let ended = unsafe CZlib.deflate(stream, Z_FINISH)
        precondition(ended == Z_STREAM_END, "zlib's own bound was too low: \(ended)")
        count = target.count - Int(unsafe stream.pointee.avail_out)
      }
    }
  }

  /// The largest window, and a gzip header around it.
  fileprivate static let windowBits: Int32 = 15 + 16
}

/// zlib's inflating stream and the step it writes into.
@safe private struct Inflater: ~Copyable {
  private let stream: UnsafeMutablePointer<z_stream>
  private let step: UnsafeMutableBufferPointer<UInt8>

  private static let stepBytes = 64 << 10
  /// zlib counts what it is given in 32 bits.
  private static let inputBytesMax = 1 << 30

  init() throws(DecodeError) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    unsafe step = .allocate(capacity: Inflater.stepBytes)
    let began = unsafe inflateInit2_(
      stream, Gzip.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard began == Z_OK else { throw .malformedGzip(.outOfMemory) }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
    unsafe step.deallocate()
  }

  mutating func inflate(
    _ body: UnsafeRawBufferPointer, bytesMax: Int
  ) throws(DecodeError) -> [UInt8] {
    var output: [UInt8] = []
    var position = 0
    while true {
      let result = unsafe advance(body, &position, &output)
      guard output.count <= bytesMax else { throw .bodyTooLarge(bytesMax: bytesMax) }
      if result == Z_STREAM_END {
        if position == body.count { return output }
        try unsafe beginMember(body, at: position)
      } else if let fault = fault(result, isAtEnd: position == body.count) {
        throw .malformedGzip(fault)
      }
    }
  }

  /// Unpacks one step.
  private func advance(
    _ body: UnsafeRawBufferPointer, _ position: inout Int, _ output: inout [UInt8]
  ) -> Int32 {
    let offered = min(body.count - position, Inflater.inputBytesMax)
    let input = unsafe body.baseAddress.map { unsafe $0 + position }
    unsafe stream.pointee.next_in = UnsafeMutablePointer(
      mutating: input?.assumingMemoryBound(to: UInt8.self))
    unsafe stream.pointee.avail_in = UInt32(offered)
    unsafe stream.pointee.next_out = step.baseAddress
    unsafe stream.pointee.avail_out = UInt32(Inflater.stepBytes)
    let result = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
    position += offered - Int(unsafe stream.pointee.avail_in)
    let written = Inflater.stepBytes - Int(unsafe stream.pointee.avail_out)
    unsafe output.append(contentsOf: step[..<written])
    return result
  }

  private func beginMember(
    _ body: UnsafeRawBufferPointer, at position: Int
  ) throws(DecodeError) {
    guard unsafe body[position] == 0x1F,
      unsafe position + 1 == body.count || body[position + 1] == 0x8B
    else { throw .malformedGzip(.trailingGarbage) }
    unsafe inflateReset(stream)
  }

  /// What a result means; nil when the stream simply goes on.
  private func fault(_ result: Int32, isAtEnd: Bool) -> GzipFault? {
    switch result {
    // Room was left in the step, so only more input could have helped.
    case Z_OK, Z_BUF_ERROR:
      unsafe isAtEnd && stream.pointee.avail_out > 0 ? .truncated : nil
    case Z_MEM_ERROR: .outOfMemory
    default: isChecksumMismatch ? .checksumMismatch : .notGzip
    }
  }

  /// zlib tells a wrong checksum from a damaged stream only in its message.
  private var isChecksumMismatch: Bool {
    guard let message = unsafe stream.pointee.msg else { return false }
    let text = unsafe String(cString: message)
    return text == "incorrect data check" || text == "incorrect length check"
  }
}
