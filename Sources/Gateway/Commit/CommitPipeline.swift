import Journal
import Model
import NIOCore
import OTLP
import Receive
import Synchronization

/// From a decoded batch to its acknowledgement: reserve room at every shard it goes to, make it
/// durable, deliver it, answer. What finds no room waits a little, because proxies do not retry; then
/// it is refused with a retryable code. Accepted means all of it.
final class CommitPipeline: BatchSink {
  private let commits: CommitThread
  private let shards: [ShardLoop]
  private let waitNanos: Nanos
  private let clock: @Sendable () -> Nanos
  let events: EventMarkers
  /// Room for bodies, all together.
  let requestBytesMax: Int
  private let requestBytes = Atomic<Int>(0)
  let refusals = RefusalCounters()

  init(
    commits: CommitThread, shards: [ShardLoop], events: EventMarkers, waitNanos: Nanos,
    requestBytesMax: Int, clock: @escaping @Sendable () -> Nanos
  ) {
    self.commits = commits
    self.shards = shards
    self.events = events
    self.waitNanos = waitNanos
    self.requestBytesMax = requestBytesMax
    self.clock = clock
  }

  func accept(
    _ batch: consuming SpanBatch, from loop: any EventLoop,
    done: @escaping @Sendable (Admission) -> Void
  ) {
    let parts = split(batch)
    admit(
      Admittance(
        batch: batch, parts: parts, loop: loop, deadline: clock().saturatingAdding(waitNanos),
        done: done))
  }

  func keep(
    _ events: [KubernetesEventRecord], from loop: any EventLoop,
    done: @escaping @Sendable (Admission) -> Void
  ) {
    self.events.keep(events, done: done)
  }

  func reserve(bytes: Int) -> Bool {
    let before = requestBytes.add(bytes, ordering: .relaxed).oldValue
    guard before > 0, before + bytes > requestBytesMax else { return true }
    requestBytes.subtract(bytes, ordering: .relaxed)
    refusals.memory.add(1, ordering: .relaxed)
    return false
  }

  func release(bytes: Int) { requestBytes.subtract(bytes, ordering: .relaxed) }

  var requestBytesReserved: Int { requestBytes.load(ordering: .relaxed) }

  /// The part of a batch that goes to one shard.
  private struct Part: Sendable {
    var shard: Int
    var batch: SpanBatch
  }

  private struct Admittance: Sendable {
    var batch: SpanBatch
    var parts: [Part]
    var loop: any EventLoop
    var deadline: Nanos
    var done: @Sendable (Admission) -> Void
  }

  /// How long a parked request waits before it asks for room again.
  private static let retryInterval = TimeAmount.milliseconds(5)

  private func admit(_ request: Admittance) {
    if reserveRoom(for: request.parts) { return commit(request) }
    guard clock() < request.deadline else {
      refusals.backlog.add(1, ordering: .relaxed)
      return request.done(.refused(reason: CommitPipeline.backlogText, retryAfterSeconds: 1))
    }
    request.loop.scheduleTask(in: CommitPipeline.retryInterval) { self.admit(request) }
  }

  /// All or nothing.
  private func reserveRoom(for parts: [Part]) -> Bool {
    for (index, part) in parts.enumerated()
    where !shards[part.shard].mailbox.reserve(part.batch.count) {
      for reserved in parts[..<index] {
        shards[reserved.shard].mailbox.release(reserved.batch.count)
      }
      return false
    }
    return true
  }

  private func commit(_ request: Admittance) {
    let shards = shards
    let refusals = refusals
    commits.submit(
      CommitThread.Entry(
        batch: request.batch,
        committed: { result in
          switch result {
          case .success(let sequence):
            for part in request.parts {
              shards[part.shard].deliver([Mailbox.Letter(batch: part.batch, sequence: sequence)])
            }
            return .accepted
          case .failure:
            for part in request.parts { shards[part.shard].mailbox.release(part.batch.count) }
            refusals.journal.add(1, ordering: .relaxed)
            return .refused(reason: CommitPipeline.journalText, retryAfterSeconds: 5)
          }
        },
        loop: request.loop, answer: request.done))
  }

  private func split(_ batch: borrowing SpanBatch) -> [Part] {
    Partition.split(batch, over: shards.count).map { Part(shard: $0.shard, batch: $0.batch) }
  }

  private static let journalText =
    "the gateway cannot make spans durable at the moment; its log says why. Nothing of this request "
    + "was kept; send it again after the delay"
  private static let backlogText =
    "the gateway is busy: spans arrive faster than they are analysed. Nothing of this request was "
    + "kept; send it again after the delay, or give the gateway more cores"
}

/// Requests refused although they were well formed, by reason.
final class RefusalCounters: Sendable {
  let memory = Atomic<UInt64>(0)
  let backlog = Atomic<UInt64>(0)
  let journal = Atomic<UInt64>(0)
}
