public import Model
public import NIOCore
public import OTLP

/// What happens to a decoded batch: the gateway admits it, makes it durable and hands it on.
public protocol BatchSink: AnyObject, Sendable {
  /// Takes a batch, which is never empty. Called on the event loop that received the request; calls
  /// `done` exactly once, on any thread, when the batch is durable and handed on, or refused.
  func accept(
    _ batch: consuming SpanBatch, from loop: any EventLoop,
    done: @escaping @Sendable (Admission) -> Void)

  /// Keeps the changes that events of Kubernetes tell of; they are never none. Called and answered as
  /// `accept` is. What is kept again, because its sender did not hear that it was, is kept once.
  func keep(
    _ events: [KubernetesEventRecord], from loop: any EventLoop,
    done: @escaping @Sendable (Admission) -> Void)

  /// Room for `bytes` more of a request, asked for before they are kept; false refuses it.
  func reserve(bytes: Int) -> Bool

  /// Gives back room, once for what was reserved.
  func release(bytes: Int)
}

/// What became of a batch.
public enum Admission: Sendable, Equatable {
  /// Durable and handed on: the sender may forget it.
  case accepted
  /// Nothing of it was kept; the sender may try again. UNAVAILABLE with RetryInfo, or 503 with
  /// Retry-After.
  case refused(reason: String, retryAfterSeconds: Int)
}
