public import Model

/// Single calls over one edge that can be looked at: the last one of each bucket, by what the server
/// and the client saw, and the last one that failed.
public struct EdgeExemplars: Sendable, Equatable {
  /// One call.
  public struct Call: Sendable, Equatable {
    public var trace: TraceID
    /// How long it took, and when its trace ended; nanoseconds, Unix nanoseconds.
    public var duration: Nanos
    public var end: Nanos

    /// Whether it is the one to show of two, whichever came first: the later one, of two that ended
    /// together the one that took longer, then the one with the smaller id.
    func goes(before other: Call) -> Bool {
      if end != other.end { return end > other.end }
      if duration != other.duration { return duration > other.duration }
      return trace < other.trace
    }
  }

  /// By bucket of the metric: the first whose bound is not below the duration; the one after the
  /// last bound for all longer ones.
  public private(set) var server: [Int: Call] = [:]
  public private(set) var client: [Int: Call] = [:]
  public private(set) var failed: Call?

  public init() {}

  /// - Parameters:
  ///   - server, client: how long the call took as either side saw it; nil when it did not say.
  public mutating func offer(
    trace: TraceID, end: Nanos, server: Nanos?, client: Nanos?, failed: Bool
  ) {
    if let server {
      EdgeExemplars.put(Call(trace: trace, duration: server, end: end), into: &self.server)
    }
    if let client {
      EdgeExemplars.put(Call(trace: trace, duration: client, end: end), into: &self.client)
    }
    guard failed, let duration = server ?? client else { return }
    let call = Call(trace: trace, duration: duration, end: end)
    if self.failed.map(call.goes(before:)) ?? true { self.failed = call }
  }

  /// Those in traces that are kept; nil when none is left.
  public func kept(_ isKept: (TraceID) -> Bool) -> EdgeExemplars? {
    var rest = EdgeExemplars()
    rest.server = server.filter { isKept($0.value.trace) }
    rest.client = client.filter { isKept($0.value.trace) }
    rest.failed = failed.flatMap { isKept($0.trace) ? $0 : nil }
    return rest == EdgeExemplars() ? nil : rest
  }

  /// The later ones of both.
  mutating func merge(_ other: EdgeExemplars) {
    for call in other.server.values { EdgeExemplars.put(call, into: &server) }
    for call in other.client.values { EdgeExemplars.put(call, into: &client) }
    if let call = other.failed, failed.map(call.goes(before:)) ?? true { failed = call }
  }

  private static func put(_ call: Call, into calls: inout [Int: Call]) {
    let bucket = EdgeMetrics.bucket(of: call.duration)
    if calls[bucket].map(call.goes(before:)) ?? true { calls[bucket] = call }
  }
}
