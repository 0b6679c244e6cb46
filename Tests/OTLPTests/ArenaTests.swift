import CProtobufC
import Testing

@testable import OTLP

@Suite struct ArenaTests {
  private func allocate(_ arena: Arena, _ bytes: Int) -> UnsafeMutableRawPointer? {
    let allocator = arena.protobufAllocator.pointee
    return allocator.alloc(allocator.allocator_data, bytes)
  }

  /// Scenario: pieces of odd sizes are asked for, one after the other.
  /// Guarantees: each is aligned to eight bytes, and none overlaps another.
  @Test func piecesAreAlignedAndApart() throws {
    let arena = Arena(bytesMax: 1 << 20)
    var end: UInt = 0
    for size in [1, 7, 8, 9, 200, 3] {
      let start = try #require(allocate(arena, size))
      let piece = UInt(bitPattern: start)
      #expect(piece % 8 == 0)
      #expect(piece >= end)
      end = piece + UInt(size)
    }
    #expect(arena.bytesUsed == 8 + 8 + 8 + 16 + 200 + 8)
  }

  /// Scenario: more is asked for than the cap allows, at once and bit by bit.
  /// Guarantees: null, nothing taken beyond the cap, and the exhaustion shows until the reset.
  @Test func capIsHard() {
    let arena = Arena(bytesMax: 100_000)
    #expect(allocate(arena, 100_001) == nil)
    #expect(allocate(arena, -1) == nil)
    #expect(arena.wasExhausted)
    arena.reset()
    #expect(!arena.wasExhausted)
    while allocate(arena, 1000) != nil {}
    #expect(arena.wasExhausted)
    #expect(arena.bytesHeld <= 100_000)
    #expect(arena.bytesUsed > 60_000)
  }

  /// Scenario: a small request, then a large one, each followed by a reset.
  /// Guarantees: the small one's memory is kept and used again, the large one's is given back.
  @Test func keepsABoundedAmount() throws {
    let arena = Arena(bytesMax: 64 << 20)
    #expect(arena.prepare(bytes: 500_000))
    let first = try #require(allocate(arena, 1000))
    arena.reset()
    #expect(arena.bytesHeld == 500_000)
    #expect(arena.bytesUsed == 0)
    #expect(allocate(arena, 1000) == first)
    arena.reset()
    #expect(arena.prepare(bytes: Arena.bytesKept + 1))
    arena.reset()
    #expect(arena.bytesHeld == 0)
    #expect(allocate(arena, 8) != nil)
  }

  /// Scenario: room is prepared, and then more than that is used.
  /// Guarantees: further blocks are added as long as the cap allows, and go with the reset.
  @Test func growsPastWhatWasPrepared() {
    let arena = Arena(bytesMax: 1 << 20)
    #expect(arena.prepare(bytes: 1000))
    #expect(allocate(arena, 60_000) != nil)
    #expect(allocate(arena, 60_000) != nil)
    #expect(arena.bytesHeld == 2 * (64 << 10))
    #expect(arena.prepare(bytes: 100))
    #expect(!arena.prepare(bytes: 2 << 20))
    arena.reset()
    #expect(arena.bytesHeld == 64 << 10)
  }
}
