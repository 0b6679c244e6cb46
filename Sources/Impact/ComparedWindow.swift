// What a change did, as numbers: pure functions of windows. Nothing here reads a clock, a disk or
// a socket, so the same history always gives the same verdict, and a simulation runs the very code
// that decides about a rollout.
//
// Everything is an e-value: a bet against the hypothesis that would have to hold if one were to
// stay put ("this version errs no more than 1.1 times as often"). Whatever stays below 1 on average
// reaches 100 at any time, however often one looks, with a chance of at most 1 in 100. p-values
// were rejected because a gate that is polled every ten seconds looks a hundred times.
//
// The window is the unit of evidence, never the request: requests of one window share fate, so
// what varies together is paid for by pairing (latency) or by a dispersion (errors).

public import Model

/// One stretch of time, ten seconds as long as so fine sums are kept, in which two versions can be compared.
public struct ComparedWindow: Equatable, Sendable {
  /// The start of the window, Unix nanoseconds.
  public let start: Nanos
  /// How long it is, nanoseconds.
  public let width: Nanos
  /// The version the question is about.
  public let current: Side
  /// The version it is compared with.
  public let baseline: Side
  /// Calls to the service that failed without a server span and whose version nobody knows. They
  /// count against the safety of every live version, and as harm against none.
  public let unknownFailures: Int64
  /// No instance of the new version that was seen in it had been there for long: how fast it is says
  /// little of how fast it will be.
  public let isWarmingUp: Bool

  public init(
    start: Nanos, width: Nanos = windowNanos, current: Side, baseline: Side,
    unknownFailures: Int64 = 0, isWarmingUp: Bool = false
  ) {
    self.start = start
    self.width = max(width, windowNanos)
    self.current = current
    self.baseline = baseline
    self.unknownFailures = Side.clamped(unknownFailures)
    self.isWarmingUp = isWarmingUp
  }

  /// Both versions had requests, so what they share (load, time of day, dependencies) cancels.
  public var isPaired: Bool { current.requests > 0 && baseline.requests > 0 }
}

/// What one version did in one stretch of time.
///
/// Counts are raw, not adjusted for sampling: what was not seen is no evidence.
public struct Side: Equatable, Sendable {
  /// Traces that touched the version.
  public let traces: Int64
  /// Those in which it failed: at most one a trace.
  public let errorTraces: Int64
  /// Failed calls to an instance known to run this version of which no server span arrived.
  public let unseenFailures: Int64
  /// How long requests took; nil where nothing was measured.
  public let latency: LogLatency?

  public init(
    traces: Int64, errorTraces: Int64, unseenFailures: Int64 = 0, latency: LogLatency? = nil
  ) {
    self.traces = Side.clamped(traces)
    self.errorTraces = min(Side.clamped(errorTraces), self.traces)
    self.unseenFailures = Side.clamped(unseenFailures)
    self.latency = latency
  }

  public init(
    traces: Int64, errorTraces: Int64, unseenFailures: Int64 = 0, latency: Histogram
  ) {
    self.init(
      traces: traces, errorTraces: errorTraces, unseenFailures: unseenFailures,
      latency: LogLatency(latency))
  }

  /// The side a series `.version(service, version)` describes.
  public init(_ sums: Sums, unseenFailures: Int64 = 0) {
    self.init(
      traces: sums.counters[.traces], errorTraces: sums.counters[.errorTraces],
      unseenFailures: unseenFailures, latency: sums.latency)
  }

  public static let nothing = Side(traces: 0, errorTraces: 0)

  /// Everything that was asked of the version, seen by itself or only by its callers.
  public var requests: Int64 { traces + unseenFailures }
  /// Everything of it that failed.
  public var failures: Int64 { errorTraces + unseenFailures }

  public func merged(with other: Side) -> Side {
    Side(
      traces: traces + other.traces, errorTraces: errorTraces + other.errorTraces,
      unseenFailures: unseenFailures + other.unseenFailures,
      latency: LogLatency.merged(latency, other.latency))
  }

  /// A count no window can reach (10¹² in ten seconds), so that sums over any number of windows
  /// cannot overflow; and none is negative.
  static func clamped(_ count: Int64) -> Int64 { min(max(count, 0), 1 << 40) }
}
