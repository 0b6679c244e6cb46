import CProtobufC

/// The memory one request is unpacked into: a bump allocator that gives everything back at once.
///
/// libprotobuf-c makes dozens of small allocations a span. Bumping a cursor is several times faster
/// than asking the heap for each, and the cap turns a body made to explode in memory into a plain
/// failure to unpack.
/// - Shape: `prepare` → any number of allocations → `reset`, once for every request. Memory handed
///   out is valid until `reset`.
/// - Units: bytes.   - Errors: an allocation past `bytesMax` gives null, which makes the unpacking
///   fail without leaking.
@safe final class Arena {
  private let state: UnsafeMutablePointer<ArenaState>
  private let allocator: UnsafeMutablePointer<ProtobufCAllocator>

  init(bytesMax: Int) {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: ArenaState(bytesMax: max(0, bytesMax)))
    unsafe allocator = .allocate(capacity: 1)
    unsafe allocator.initialize(
      to: ProtobufCAllocator(
        alloc: { data, size in
          unsafe data?.assumingMemoryBound(to: ArenaState.self).pointee.allocate(size)
        },
        // Single pieces are never given back; `reset` takes all of them.
        free: { _, _ in },
        allocator_data: UnsafeMutableRawPointer(state)))
  }

  deinit {
    unsafe state.pointee.releaseBlocks()
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
    unsafe allocator.deallocate()
  }

  /// Makes room for `bytes` in one piece; false when they are over the cap or there is no memory.
  func prepare(bytes: Int) -> Bool { unsafe state.pointee.prepare(bytes) }

  /// Takes back everything handed out. Memory up to `bytesKept` stays for the next request.
  func reset() { unsafe state.pointee.reset() }

  /// What libprotobuf-c is to allocate with; valid as long as the arena.
  @unsafe var protobufAllocator: UnsafeMutablePointer<ProtobufCAllocator> { unsafe allocator }

  /// Bytes handed out since the last reset.
  var bytesUsed: Int { unsafe state.pointee.bytesUsed }
  /// Something was asked for since the last reset that had no room under the cap.
  var wasExhausted: Bool { unsafe state.pointee.wasExhausted }
  /// Bytes taken from the heap.
  var bytesHeld: Int { unsafe state.pointee.bytesHeld }

  /// What an idle decoder keeps: room for a request of about a thousand spans.
  static let bytesKept = 2 << 20
  /// Everything handed out begins at a multiple of this: no type of the messages asks for more.
  static let alignment = 8

  /// What an allocation of `bytes` takes from the arena.
  @inline(__always)
  static func rounded(_ bytes: Int) -> Int { (bytes &+ (alignment - 1)) & ~(alignment - 1) }
}

/// The arena as the allocation callback sees it: the block being filled, and all blocks.
@safe private struct ArenaState {
  private let bytesMax: Int
  private var cursor: UnsafeMutableRawPointer?
  private var bytesLeft = 0
  private var blocks: [UnsafeMutableRawBufferPointer] = unsafe []
  private(set) var bytesUsed = 0
  private(set) var bytesHeld = 0
  private(set) var wasExhausted = false

  /// Below this a block of its own would be all overhead.
  private static let blockBytesMin = 64 << 10

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  mutating func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
    // A size that is negative here was beyond any cap as the unsigned number it came as.
    guard size >= 0, size <= bytesMax else {
      wasExhausted = true
      return nil
    }
    let rounded = max(Arena.alignment, Arena.rounded(size))
    if rounded > bytesLeft, !addBlock(atLeast: rounded) { return nil }
    guard let start = unsafe cursor else { return nil }
    unsafe cursor = start + rounded
    bytesLeft -= rounded
    bytesUsed += rounded
    return unsafe start
  }

  mutating func prepare(_ bytes: Int) -> Bool {
    guard bytes > bytesLeft else { return true }
    if bytesUsed == 0 { releaseBlocks() }
    return addBlock(atLeast: bytes)
  }

  mutating func reset() {
    while unsafe blocks.count > 1 { releaseLastBlock() }
    if bytesHeld > Arena.bytesKept { releaseBlocks() }
    unsafe cursor = blocks.first?.baseAddress
    bytesLeft = bytesHeld
    bytesUsed = 0
    wasExhausted = false
  }

  mutating func releaseBlocks() {
    while unsafe !blocks.isEmpty { releaseLastBlock() }
    unsafe cursor = nil
    bytesLeft = 0
  }

  private mutating func releaseLastBlock() {
    let block = unsafe blocks.removeLast()
    bytesHeld -= block.count
    unsafe block.deallocate()
  }

  private mutating func addBlock(atLeast bytes: Int) -> Bool {
    let room = bytesMax - bytesHeld
    guard bytes <= room else {
      wasExhausted = true
      return false
    }
    let size = min(room, max(bytes, ArenaState.blockBytesMin))
    let block = UnsafeMutableRawBufferPointer.allocate(
      byteCount: size, alignment: Arena.alignment)
    unsafe blocks.append(block)
    bytesHeld += size
    unsafe cursor = block.baseAddress
    bytesLeft = size
    return true
  }
}
