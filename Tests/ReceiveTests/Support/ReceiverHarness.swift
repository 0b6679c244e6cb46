import Dispatch
import Glibc
import Logging
import Model
import NIOPosix
import Receive
import Testing

/// A running receiver on ports of its own, for the length of one test.
struct ReceiverHarness: Sendable {
  let receiver: Receiver
  let sink: TestSink
  let addresses: BoundAddresses

  var httpPort: Int { addresses.http.port }
  var grpcPort: Int { addresses.grpc.port }

  /// Runs `body` on a thread of its own, because clients here block; then drains, and checks that
  /// every reservation was released.
  static func run(
    on group: MultiThreadedEventLoopGroup = .singleton,
    security: ReceiverSecurity = ReceiverSecurity(),
    _ configure: (inout ReceiverConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (ReceiverHarness) throws -> Void
  ) async throws {
    var configuration = ReceiverConfiguration()
    configuration.grpcAddress.port = 0
    configuration.httpAddress.port = 0
    configure(&configuration)
    let sink = TestSink()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let receiver = Receiver(
      configuration: configuration, security: security, group: group, sink: sink,
      names: NameTable(), clock: { testNow }, logger: logger)
    let addresses = try await receiver.start()
    let harness = ReceiverHarness(receiver: receiver, sink: sink, addresses: addresses)
    let outcome = await onThread { Result { try body(harness) } }
    sink.answerHeld()
    await receiver.drain(within: 1)
    sink.answerHeld()
    let (isReleased, isEmpty) = await onThread {
      (
        harness.eventually { sink.reserved == 0 },
        harness.eventually { receiver.counters.connectionsOpen == 0 }
      )
    }
    #expect(isReleased, "what was reserved must be released")
    #expect(isEmpty, "every connection must be closed")
    try outcome.get()
  }

  /// Begins the drain and gives back how to wait for its end.
  func startDrain(within seconds: Int = 5) -> Drain {
    let ended = DispatchSemaphore(value: 0)
    let receiver = receiver
    Task.detached {
      await receiver.drain(within: seconds)
      ended.signal()
    }
    return Drain(ended: ended)
  }

  struct Drain {
    fileprivate let ended: DispatchSemaphore

    /// Waits for the end of the drain; false when it did not come within thirty seconds.
    func isEnded() -> Bool { ended.wait(timeout: .now() + .seconds(30)) == .success }
  }

  /// Waits for something another thread does; false when it did not come within thirty seconds.
  func eventually(_ condition: () -> Bool) -> Bool {
    let end = DispatchTime.now() + .seconds(30)
    while !condition() {
      if DispatchTime.now() > end { return false }
      usleep(1000)
    }
    return true
  }
}

func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    DispatchQueue(label: "test").async { continuation.resume(returning: work()) }
  }
}
