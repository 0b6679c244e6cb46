import Foundation

/// Numbers that look random and are the same for the same seed, on every machine.
/// - Source: SplitMix64; Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
struct Random {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// An id, which must not be 0.
  mutating func identity() -> UInt64 { next() | 1 }

  /// Above 0, at most 1.
  mutating func share() -> Double { Double((next() >> 11) + 1) / Double(1 << 53) }

  mutating func isTrue(withChance chance: Double) -> Bool { share() <= chance }

  mutating func index(below count: Int) -> Int { Int(next() % UInt64(count)) }

  /// How long until the next of events that come independently, `rate` a second; seconds.
  mutating func interval(rate: Double) -> Double { -log(share()) / rate }

  /// Normally distributed, mean 0 and deviation 1.
  mutating func normal() -> Double {
    (-2 * log(share())).squareRoot() * cos(2 * .pi * share())
  }
}
