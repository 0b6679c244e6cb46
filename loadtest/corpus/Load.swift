internal import Glibc

/// How many requests come in at a time, as a multiple of the average.
public struct Load: Sendable, Equatable {
  /// How far the daily wave goes up and down, 0 to 1, and its length.
  public var wave: Double
  public var waveSeconds: Double
  /// Where on the wave the simulation begins, in turns.
  public var phase: Double
  /// Standard deviation of the logarithm of what changes from minute to minute.
  public var restlessness: Double

  public init(
    wave: Double = 0, waveSeconds: Double = 86_400, phase: Double = 0, restlessness: Double = 0.05
  ) {
    self.wave = wave
    self.waveSeconds = waveSeconds
    self.phase = phase
    self.restlessness = restlessness
  }

  /// The level goes over to a new one like this from one ten seconds to the next.
  static let persistence = 0.9

  func factor(at seconds: Double, level: Double) -> Double {
    let turn = seconds / waveSeconds + phase
    return max(0, 1 + wave * sin(2 * Double.pi * turn)) * exp(level)
  }

  func next(_ level: Double, _ random: inout Randomness) -> Double {
    let kept = Load.persistence
    return kept * level + (1 - kept * kept).squareRoot() * restlessness * random.normal()
  }
}
