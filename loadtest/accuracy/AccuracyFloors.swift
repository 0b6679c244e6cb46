import Foundation

/// What has to be reached at least, and what is held back from tuning.
struct AccuracyFloors: Decodable {
  struct RootCauses: Decodable {
    /// Shares of cases whose truth is among the first one, three and five.
    var firstMin: Double
    var firstThreeMin: Double
    var firstFiveMin: Double
    /// Share of healthy systems in which something was found.
    var falseMax: Double
  }

  /// Kinds of faults and sorts of systems that nobody looks at while rules are changed: their figures are
  /// printed, and have no floor.
  struct HeldBack: Decodable {
    var faults: [String]
    var systems: [String]
  }

  struct Attribution: Decodable {
    /// Runs of each case.
    var runs: Int
    /// Share of runs in which the likeliest hypothesis is the truth.
    var rightMin: Double
    /// Share of harmful runs in which it is told apart whether this deployment did it.
    var toldApartMin: Double
    var calibrationErrorMax: Double
    /// Cases that nobody looks at while weights are chosen: printed, without a floor.
    var heldBack: [String]
  }

  var seed: UInt64
  var each: Int
  var rootCauses: RootCauses
  var attribution: Attribution
  var heldBack: HeldBack
}

extension AccuracyFloors {
  static func read(_ path: String) throws -> AccuracyFloors {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(
      AccuracyFloors.self, from: Data(contentsOf: URL(filePath: path)))
  }
}
