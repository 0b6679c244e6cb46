import Foundation

/// Random numbers that can be had again: SplitMix64 from a seed that the test prints.
struct SeededRandom: RandomNumberGenerator {
  let seed: UInt64
  private var state: UInt64

  init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  /// The seed is `SPANGATE_SEED` where that is set.
  static func fromEnvironment(_ test: String = #function) -> SeededRandom {
    let given = ProcessInfo.processInfo.environment["SPANGATE_SEED"].flatMap(UInt64.init)
    let random = SeededRandom(seed: given ?? UInt64.random(in: 0...UInt64.max))
    print("\(test): SPANGATE_SEED=\(random.seed)")
    return random
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
