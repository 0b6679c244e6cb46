internal import Glibc

/// Random numbers that are the same for the same seed everywhere (SplitMix64), and the
/// distributions a simulation needs.
struct SimulatedRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A seed for one of many runs: neighbouring runs have nothing in common.
  static func seed(_ seed: UInt64, run: Int) -> UInt64 {
    var random = SimulatedRandom(seed: seed &+ UInt64(run) &* 0xD1B5_4A32_D192_ED03)
    return random.next()
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// Between 0 and 1, neither included.
  mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) / Double(UInt64(1) << 53) }

  /// Standard normal (Box and Muller).
  mutating func normal() -> Double {
    (-2 * log(uniform())).squareRoot() * cos(2 * Double.pi * uniform())
  }

  /// Poisson: by multiplication for small means, by the normal distribution for large ones.
  mutating func poisson(_ mean: Double) -> Int64 {
    guard mean > 0 else { return 0 }
    if mean > 40 { return Int64(max(0, mean + mean.squareRoot() * normal()).rounded()) }
    let limit = exp(-mean)
    var product = uniform()
    var count: Int64 = 0
    while product > limit {
      product *= uniform()
      count += 1
    }
    return count
  }

  /// How many of `count` happen, each with `chance`.
  mutating func binomial(_ count: Int64, chance: Double) -> Int64 {
    var happened: Int64 = 0
    for _ in 0..<count where uniform() < chance { happened += 1 }
    return happened
  }
}
