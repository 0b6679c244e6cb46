public import Model

/// What happened about a service around a change, as far as it may explain what became of the service:
/// other changes, when and where it got worse, how many requests came and which, how many instances there
/// were.
///
/// Figures and names only, few enough to be kept with a verdict: what is said of them follows from them.
public struct Circumstances: Equatable, Sendable {
  /// Where something is, seen from the service asked about.
  public enum Place: UInt8, Sendable, CaseIterable {
    /// At the service itself.
    case own = 1
    /// At what it calls, through however many others.
    case below = 2
    /// Everywhere at once.
    case everywhere = 3
  }

  /// Another change near the one asked about.
  public struct Change: Equatable, Sendable {
    public var marker: MarkerID
    public var kind: MarkerKind
    /// As users read it; empty for what concerns everything.
    public var service: String
    public var version: String
    public var place: Place
    public var time: Nanos
    /// When it was taken back; nil where it stands.
    public var undone: Nanos?

    public init(
      marker: MarkerID, kind: MarkerKind, service: String, version: String, place: Place,
      time: Nanos, undone: Nanos? = nil
    ) {
      self.marker = marker
      self.kind = kind
      self.service = service
      self.version = version
      self.place = place
      self.time = time
      self.undone = undone
    }
  }

  /// When a level shifted: surely between these times, and when it went back.
  public struct Moment: Equatable, Sendable {
    public var earliest: Nanos
    public var latest: Nanos
    public var ended: Nanos?

    public init(earliest: Nanos, latest: Nanos, ended: Nanos? = nil) {
      self.earliest = earliest
      self.latest = max(earliest, latest)
      self.ended = ended
    }
  }

  /// Where it began that something got worse.
  public struct Cause: Equatable, Sendable {
    public var kind: RootCause.Kind
    public var place: Place
    /// As users read it; empty where it is no one place.
    public var service: String
    /// Who calls it on the way there; empty for the service asked about.
    public var caller: String
    /// Of all causes that are here, below or everywhere; 0…1.
    public var share: Double

    public init(
      kind: RootCause.Kind, place: Place, service: String, caller: String, share: Double
    ) {
      self.kind = kind
      self.place = place
      self.service = service
      self.caller = caller
      self.share = min(max(share.finite(or: 0), 0), 1)
    }
  }

  /// An operation of the service whose part in the requests grew.
  public struct Operation: Equatable, Sendable {
    public var name: String
    /// Of the mix: how much of the rise other operations being asked for explain, 0…1; of the load: how
    /// many times as many requests.
    public var amount: Double

    public init(name: String, amount: Double) {
      self.name = name
      self.amount = max(0, amount.finite(or: 0))
    }
  }

  /// How many instances there were just before the change, and in the end.
  public struct Instances: Equatable, Sendable {
    public var before: Int
    public var now: Int

    public init(before: Int, now: Int) {
      self.before = max(0, before)
      self.now = max(0, now)
    }
  }

  /// In order of time.
  public var changes: [Change]
  /// When it got worse, here or below; nil where no such moment stands out.
  public var onset: Moment?
  /// When requests rose; nil where they did not.
  public var surge: Moment?
  /// The first of the ranking.
  public var causes: [Cause]
  /// nil where the service is no slower and fails no more, or its operations are not known.
  public var mix: Operation?
  /// The operation that most of the added requests ask for.
  public var busiest: Operation?
  /// nil where spans do not name instances.
  public var instances: Instances?
  /// When the change asked about was taken back; nil where it stands.
  public var undone: Nanos?

  /// So many windows at most are read for them: the two hours about a change by tens of seconds.
  public static let windowsMax = 720
  /// So many sums of one series and window at most are read for them, about a hundred megabytes.
  public static let sumsMax = 80_000
  /// Operations of what is called are looked at where there are no more of them.
  public static let operationsMax = 200
  /// More are not looked at.
  public static let changesMax = 8
  public static let causesMax = 5

  public init(
    changes: [Change] = [], onset: Moment? = nil, surge: Moment? = nil, causes: [Cause] = [],
    mix: Operation? = nil, busiest: Operation? = nil, instances: Instances? = nil,
    undone: Nanos? = nil
  ) {
    self.changes = Array(changes.prefix(Circumstances.changesMax))
    self.onset = onset
    self.surge = surge
    self.causes = Array(causes.prefix(Circumstances.causesMax))
    self.mix = mix
    self.busiest = busiest
    self.instances = instances
    self.undone = undone
  }

  /// What of the causes lies at one place.
  func share(_ place: Place) -> Double {
    causes.filter { $0.place == place && $0.kind != .load }.reduce(0) { $0 + $1.share }
  }
}
