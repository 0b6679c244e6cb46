internal import Glibc
public import Model

/// Finds where and when a system went over to another level, from its windows alone.
///
/// Of each place only what is its own is looked at: the time a service takes itself, the gap of an edge,
/// errors that began there, calls an operation makes, requests that come in. What load, another mix of
/// operations or a common cause explains says so.
///
/// In a system that does not change, any shift at all is found with a chance of at most `alpha`, over all
/// places and metrics of one question together.
public struct Shifts: Sendable {
  public var shifts: [LevelShift]
  /// How many series were looked at.
  public var seriesCount: Int

  /// How likely it is that a question about a system without changes is answered with a shift.
  public static let alpha = 0.01
  /// Smaller changes are not told: times and rates by this factor, shares by this much.
  static let timeRatioMin = 1.05
  static let rateRatioMin = 1.3
  static let shareMin = 0.002
  static let callShareMin = 0.05
  /// So many shifts at most, those that deviate most.
  public static let countMax = 500

  /// - Parameters:
  ///   - windows: in order of time, all of one width.
  ///   - seconds: how long one window is.
  ///   - first: shifts whose onset lies before this window are left out: what is before is history.
  ///   - days: earlier days over the same time of day.
  ///   - isIncluded: which nodes are asked about; all are looked at, because what happened elsewhere
  ///     may explain it.
  public init(
    _ windows: [Window], seconds: Double, from first: Int = 0, days: EarlierDays = EarlierDays(),
    isIncluded: (NameID) -> Bool = { _ in true }
  ) {
    var search = ShiftSearch(windows, seconds: seconds, days: days)
    search.findAll()
    search.explainLoadAndMix()
    search.explainPlatform()
    var found = search.found.filter { shift in
      shift.onset >= first && (isIncluded(shift.place.node) || isIncluded(shift.place.other))
    }
    found.sort(by: Shifts.isStronger)
    found = Array(found.prefix(Shifts.countMax))
    search.findOrigins(&found, windows)
    shifts = found.sorted { $0.onset != $1.onset ? $0.onset < $1.onset : Shifts.isStronger($0, $1) }
    seriesCount = search.history.series.count
  }

  /// Earlier days, in windows of one width, all beginning at the same time of day.
  public struct EarlierDays: Sendable {
    public var days: [[Window]]
    /// How long one window is, seconds.
    public var seconds: Double
    /// How long before the first window of today the first one of each day begins, were it today; seconds.
    public var lead: Double

    public init(_ days: [[Window]] = [], seconds: Double = 600, lead: Double = 0) {
      self.days = days
      self.seconds = seconds
      self.lead = lead
    }
  }

  static func isStronger(_ a: LevelShift, _ b: LevelShift) -> Bool {
    if a.deviation.magnitude != b.deviation.magnitude {
      return a.deviation.magnitude > b.deviation.magnitude
    }
    return (a.place.node, a.place.other, a.place.part) < (b.place.node, b.place.other, b.place.part)
  }
}
