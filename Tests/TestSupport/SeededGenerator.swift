import Foundation

/// Random numbers that can be had again: SplitMix64 from a seed that the test prints. Setting
/// SPANGATE_SEED to it repeats the run.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  public let seed: UInt64
  private var state: UInt64

  public init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  /// The generator of one test: a new seed, or that of the environment; printed either way.
  public init(_ test: String = #function) {
    let given = ProcessInfo.processInfo.environment["SPANGATE_SEED"].flatMap { UInt64($0) }
    self.init(seed: given ?? UInt64.random(in: 0..<1 << 32))
    print("\(test): SPANGATE_SEED=\(seed)")
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  public mutating func below<Bound: BinaryInteger>(_ bound: Bound) -> Bound {
    Bound(next() % UInt64(bound))
  }

  /// True once in `count`.
  public mutating func once(in count: Int) -> Bool { below(count) == 0 }

  /// Any magnitude is as likely as any other.
  public mutating func anyMagnitude() -> UInt64 { next() >> UInt64(below(64)) }
}
