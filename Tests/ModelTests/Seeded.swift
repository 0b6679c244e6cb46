import Foundation

/// Random numbers that can be had again (SplitMix64): a failure is repeated by setting
/// SPANGATE_SEED.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  /// The generator of one test: its seed is printed, and taken from the environment if given there.
  static func forTest(_ name: String = #function) -> Seeded {
    let given = ProcessInfo.processInfo.environment["SPANGATE_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: .min ... .max)
    print("SPANGATE_SEED=\(seed) in \(name)")
    return Seeded(seed)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// True once in `count`.
  mutating func once(in count: Int) -> Bool { below(count) == 0 }

  /// Any magnitude is as likely as any other.
  mutating func anyMagnitude() -> UInt64 { next() >> UInt64(below(64)) }
}
