import Model

/// Traces sealed since the last checkpoint that may turn out to be examples. Owned by one shard.
///
/// Those handed over to the last checkpoint stay until the next one: whoever asks for one of them
/// finds it here until it is in the store.
struct ExemplarCandidates: Sendable {
  /// 0: none are kept.
  let bytesMax: Int
  private var traces: [ExemplarTrace] = []
  private var handedOver: [ExemplarTrace] = []
  private var bytesTaken = 0
  /// Traces left out because there was no room for them.
  private(set) var dropped: UInt64 = 0

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  mutating func offer(_ trace: ExemplarTrace) {
    guard bytesMax > 0 else { return }
    guard trace.bytes <= bytesMax else {
      dropped &+= 1
      return
    }
    traces.append(trace)
    bytesTaken += trace.bytes
    if bytesTaken > bytesMax { makeRoom() }
  }

  func trace(_ key: TraceKey) -> ExemplarTrace? {
    traces.last { $0.key == key } ?? handedOver.last { $0.key == key }
  }

  /// Hands them over and begins anew.
  mutating func take() -> [ExemplarTrace] {
    handedOver = traces
    traces = []
    bytesTaken = 0
    return handedOver
  }

  /// About what it takes in memory; at most twice its bound.
  var bytes: Int { bytesTaken + handedOver.reduce(0) { $0 + $1.bytes } }

  /// Those with the smallest places stay: most series show them. Half of the room is made, so that it
  /// is not for every trace.
  private mutating func makeRoom() {
    traces.sort { Exemplars.place(of: $0.key.trace) < Exemplars.place(of: $1.key.trace) }
    while bytesTaken > bytesMax / 2, traces.count > 1, let last = traces.popLast() {
      bytesTaken -= last.bytes
      dropped &+= 1
    }
  }
}
