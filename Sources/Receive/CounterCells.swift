import HTTP2
import OTLP
import Synchronization

/// The counters while they count: shared by all event loops.
final class CounterCells: Sendable {
  final class Transport: Sendable {
    let requests = Atomic(0)
    let bytes = Atomic(0)
    private let spansAccepted = Atomic(0)
    private let logRecordsAccepted = Atomic(0)
    let requestsRefused = Atomic(0)
    let requestsBad = Atomic(0)
    let requestsAbandoned = Atomic(0)
    /// Rejections are rare, so a lock does.
    private let spansRejected = Mutex<[RejectionReason: Int]>([:])
    private let logRecordsRejected = Mutex<[RejectionReason: Int]>([:])
    private let logRecordsIgnored = Mutex<[IgnoredLog: Int]>([:])

    func add(accepted count: Int, of signal: OTLPSignal) {
      switch signal {
      case .traces: spansAccepted.add(count)
      case .logs: logRecordsAccepted.add(count)
      }
    }

    func add(_ counts: [RejectionReason: Int], of signal: OTLPSignal) {
      guard !counts.isEmpty else { return }
      switch signal {
      case .traces: spansRejected.withLock { $0.merge(counts, uniquingKeysWith: &+) }
      case .logs: logRecordsRejected.withLock { $0.merge(counts, uniquingKeysWith: &+) }
      }
    }

    func add(ignored counts: [IgnoredLog: Int]) {
      guard !counts.isEmpty else { return }
      logRecordsIgnored.withLock { $0.merge(counts, uniquingKeysWith: &+) }
    }

    var snapshot: ReceiverCounters.Transport {
      var snapshot = ReceiverCounters.Transport()
      snapshot.requests = requests.load(ordering: .relaxed)
      snapshot.bytes = bytes.load(ordering: .relaxed)
      snapshot.spansAccepted = spansAccepted.load(ordering: .relaxed)
      snapshot.spansRejected = spansRejected.withLock { $0 }
      snapshot.logRecordsAccepted = logRecordsAccepted.load(ordering: .relaxed)
      snapshot.logRecordsRejected = logRecordsRejected.withLock { $0 }
      snapshot.logRecordsIgnored = logRecordsIgnored.withLock { $0 }
      snapshot.requestsRefused = requestsRefused.load(ordering: .relaxed)
      snapshot.requestsBad = requestsBad.load(ordering: .relaxed)
      snapshot.requestsAbandoned = requestsAbandoned.load(ordering: .relaxed)
      return snapshot
    }
  }

  let grpc = Transport()
  let http = Transport()
  let connectionsOpen = Atomic(0)
  let connectionsAccepted = Atomic(0)
  let connectionsRefused = Atomic(0)
  let connectionsNotHTTP = Atomic(0)
  /// Rare, so a lock does.
  private let protections = Mutex<[HTTP2Protection: Int]>([:])

  func count(_ protection: HTTP2Protection) {
    protections.withLock { $0[protection, default: 0] += 1 }
  }

  var snapshot: ReceiverCounters {
    var snapshot = ReceiverCounters()
    snapshot.grpc = grpc.snapshot
    snapshot.http = http.snapshot
    snapshot.connectionsOpen = connectionsOpen.load(ordering: .relaxed)
    snapshot.connectionsAccepted = connectionsAccepted.load(ordering: .relaxed)
    snapshot.connectionsRefused = connectionsRefused.load(ordering: .relaxed)
    snapshot.connectionsNotHTTP = connectionsNotHTTP.load(ordering: .relaxed)
    snapshot.protections = protections.withLock { $0 }
    return snapshot
  }
}

extension Atomic where Value == Int {
  func add(_ count: Int) { wrappingAdd(count, ordering: .relaxed) }
}
