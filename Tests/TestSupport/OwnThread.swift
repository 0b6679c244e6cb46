import Foundation

/// Runs work that takes seconds on a thread of its own.
///
/// Tests share a pool with a thread for each core: two that compute for long hold up all others, those
/// included that wait for an answer for so many seconds only.
public func onOwnThread<Value: Sendable>(
  _ work: @escaping @Sendable () -> Value
) async -> Value {
  await withCheckedContinuation { continuation in
    Thread { continuation.resume(returning: work()) }.start()
  }
}
