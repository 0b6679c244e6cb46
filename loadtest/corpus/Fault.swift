/// Something that goes wrong, from when to when. Times are seconds of the simulation.
public struct Fault: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// The work of a service takes longer: `size` times.
    case slowCode
    /// A database answers more slowly: `size` times.
    case slowDatabase
    /// Requests to a service take longer on the way: `size` milliseconds, both ways together.
    case networkDelay
    /// A share of a service's requests fails: `size`.
    case errors
    /// A share of a service's requests is answered at once and well, without the calls that belong to it:
    /// `size`.
    case earlyReturn
    /// All requests of an instance stand still for `size` milliseconds, every five seconds.
    case pauses
    /// A share of the calls a service makes to one other goes to an address where nobody is: `size`.
    case wrongAddress
    /// All but one instance of a service are gone; for ten seconds calls still go there.
    case lostInstances
    /// `size` times as many requests come in.
    case surge
    /// Everything takes longer at once: `size` times.
    case shock
    /// A service gives up the calls it makes after `size` milliseconds.
    case shortTimeout
    /// A share of the requests to a service takes a hundred milliseconds longer on the way: `size`.
    case partialDelay
    /// The work of a service takes ever longer: `size` times after ten minutes.
    case leak
    /// A service makes `size` calls to each other one at a time; further ones wait before they are sent.
    case smallPool
  }

  public var kind: Kind
  /// The service at fault; of `surge` and `shock` without meaning.
  public var service: Int
  /// Of `wrongAddress`, whom it calls there.
  public var callee: Int?
  public var size: Double
  public var start: Double
  public var end: Double
  /// Only instances of this version have it: the fault came with a deployment. Empty for all.
  public var version: String

  public init(
    _ kind: Kind, service: Int = 0, callee: Int? = nil, size: Double, start: Double,
    end: Double = .infinity, version: String = ""
  ) {
    self.kind = kind
    self.service = service
    self.callee = callee
    self.size = size
    self.start = start
    self.end = end
    self.version = version
  }

  func applies(at seconds: Double, to service: Int, version: String) -> Bool {
    self.service == service && isActive(at: seconds)
      && (self.version.isEmpty || self.version == version)
  }

  func isActive(at seconds: Double) -> Bool { start <= seconds && seconds < end }
}

/// A version that takes over from the one before.
public struct Rollout: Sendable, Equatable {
  public var service: Int
  public var version: String
  public var previous: String
  /// Seconds of the simulation.
  public var start: Double
  /// The share of requests that goes to the new version, from when on; the last share stays.
  public var shares: [(after: Double, share: Double)]

  public init(
    service: Int, version: String, previous: String, start: Double,
    shares: [(after: Double, share: Double)] = [(0, 1)]
  ) {
    self.service = service
    self.version = version
    self.previous = previous
    self.start = start
    self.shares = shares
  }

  public static func == (a: Rollout, b: Rollout) -> Bool {
    a.service == b.service && a.version == b.version && a.previous == b.previous
      && a.start == b.start && a.shares.elementsEqual(b.shares) { $0 == $1 }
  }

  func share(at seconds: Double) -> Double {
    shares.last { start + $0.after <= seconds }?.share ?? 0
  }
}
