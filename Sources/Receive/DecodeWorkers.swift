import Model
import NIOCore
import NIOPosix
import OTLP
import Synchronization

/// A bounded pool of threads for bodies that would keep an event loop busy too long.
final class DecodeWorkers: Sendable {
  private let pool: NIOThreadPool
  private let waiting = Atomic(0)
  private let waitingMax: Int
  private let names: NameTable
  private let limits: DecodeLimits
  private let rules: DecodeRules
  private let decoders = Mutex<[WorkerDecoder]>([])

  init(
    threads: Int, waitingMax: Int, names: NameTable, limits: DecodeLimits, rules: DecodeRules
  ) {
    pool = NIOThreadPool(numberOfThreads: max(1, threads))
    self.waitingMax = waitingMax
    self.names = names
    self.limits = limits
    self.rules = rules
    pool.start()
  }

  func shutDown() async throws { try await pool.shutdownGracefully() }

  /// Decodes on a worker; nil when too much waits already.
  func decode(
    _ body: BodyDecoding, for loop: any EventLoop
  ) -> EventLoopFuture<Result<DecodedRequest, DecodeError>>? {
    guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= waitingMax else {
      waiting.wrappingSubtract(1, ordering: .relaxed)
      return nil
    }
    return pool.runIfActive(eventLoop: loop) { [self] in
      defer { waiting.wrappingSubtract(1, ordering: .relaxed) }
      let decoder = takeDecoder()
      defer { decoders.withLock { $0.append(decoder) } }
      return body.run(decoder.decoder)
    }
  }

  /// At most as many come to be as there are threads.
  private func takeDecoder() -> WorkerDecoder {
    decoders.withLock { $0.popLast() }
      ?? WorkerDecoder(OTLPDecoder(names: names, limits: limits, rules: rules))
  }
}

// SAFETY: a decoder is in the list or with the one job that took it, never both, and the list's
// lock orders one job's use before the next one's.
private final class WorkerDecoder: @unchecked Sendable {
  let decoder: OTLPDecoder
  init(_ decoder: OTLPDecoder) { self.decoder = decoder }
}
