internal import Glibc

/// Random numbers that are the same for the same seed everywhere (SplitMix64).
public struct Randomness: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// Between 0 and 1, neither included.
  mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) / Double(UInt64(1) << 53) }

  mutating func happens(_ probability: Double) -> Bool {
    probability >= 1 || (probability > 0 && uniform() < probability)
  }

  /// Standard normal (Box and Muller).
  mutating func normal() -> Double {
    (-2 * log(uniform())).squareRoot() * cos(2 * Double.pi * uniform())
  }

  /// Of a median, with the standard deviation of the logarithm.
  mutating func logNormal(median: Double, spread: Double) -> Double {
    median * exp(spread * normal())
  }

  mutating func exponential(mean: Double) -> Double { -mean * log(uniform()) }

  mutating func position(below count: Int) -> Int { Int(next() % UInt64(max(count, 1))) }
}
