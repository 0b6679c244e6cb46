public import Logging
public import NIOCore
import NIOSSL
import Synchronization

/// The certificate of one listener, from files that may change while the gateway runs. Connections
/// keep what they began with; each new one gets what is in the files now.
public final class TLSCredentials: Sendable {
  /// What the listener is called in logs and metrics: `grpc`, `http` or `query`.
  public let port: String
  private let section: String
  private let files: TLSFiles
  private let protocols: [String]
  private let clock: @Sendable () -> Int
  private let logger: Logger
  private let state: Mutex<State>
  private let handshakes = HandshakeCounters()

  private struct State {
    var identity: TLSIdentity
    /// What the files held when it was made.
    var contents: TLSContents
    /// Why what they held at the last look could not be used.
    var failure: AccessError?
    var taken = 0
    var failed = 0
    var hasWarnedOfEnd: Bool
  }

  /// How long a client may take to agree on keys.
  static let handshakeTime = TimeAmount.seconds(10)

  /// - Parameters:
  ///   - section: of the configuration, for messages: `receiver.grpc.tls`.
  ///   - protocols: what the listener speaks, by the names of ALPN, the best first.
  ///   - clock: gives Unix seconds.
  /// - Errors: `AccessError` when nobody could be served with these files.
  public init(
    port: String, section: String, files: TLSFiles, protocols: [String],
    clock: @escaping @Sendable () -> Int, logger: Logger
  ) throws(AccessError) {
    self.port = port
    self.section = section
    self.files = files
    self.protocols = protocols
    self.clock = clock
    self.logger = logger
    let contents = try TLSContents(reading: files, of: section)
    let now = clock()
    let identity = try TLSIdentity(
      contents, from: files, section: section, protocols: protocols, now: now)
    state = Mutex(
      State(identity: identity, contents: contents, hasWarnedOfEnd: identity.notAfter < now))
    tell(identity.remarks)
  }

  /// Has a new connection speak TLS: called before any other handler is added to it.
  public func secure(_ channel: any Channel) throws {
    let context = state.withLock { $0.identity.context }
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(NIOSSLServerHandler(context: context))
    try pipeline.addHandler(
      HandshakeWatch(
        timeout: TLSCredentials.handshakeTime, counters: handshakes, port: port, logger: logger))
  }

  /// Reads the files again. What cannot be used changes nothing, is logged, and counts as failed:
  /// once, unless somebody asked.
  /// - Parameter isAsked: also when nothing seems to have changed.
  public func reload(isAsked: Bool = false) {
    let now = clock()
    do throws(AccessError) {
      let contents = try TLSContents(reading: files, of: section)
      if !isAsked, isInUse(contents) {
        warnOfEnd(now)
      } else {
        let identity = try TLSIdentity(
          contents, from: files, section: section, protocols: protocols, now: now)
        take(identity, contents, now)
      }
    } catch {
      refuse(error, isAsked: isAsked)
      warnOfEnd(now)
    }
  }

  private func isInUse(_ contents: TLSContents) -> Bool {
    state.withLock { state in
      guard state.contents == contents else { return false }
      state.failure = nil
      return true
    }
  }

  private func take(_ identity: TLSIdentity, _ contents: TLSContents, _ now: Int) {
    state.withLock { state in
      state.identity = identity
      state.contents = contents
      state.failure = nil
      state.taken += 1
      state.hasWarnedOfEnd = identity.notAfter < now
    }
    logger.notice("certificate read again", metadata: ["port": "\(port)"])
    tell(identity.remarks)
  }

  private func refuse(_ error: AccessError, isAsked: Bool) {
    let isNew = state.withLock { state in
      let isNew = isAsked || state.failure != error
      if isNew { state.failed += 1 }
      state.failure = error
      return isNew
    }
    guard isNew else { return }
    logger.error(
      "the certificate could not be read again; the one before stays in use",
      metadata: ["port": "\(port)", "error": "\(error)"])
  }

  /// One that ends while it is in use is warned about once.
  private func warnOfEnd(_ now: Int) {
    let hasEnded = state.withLock { state in
      guard !state.hasWarnedOfEnd, state.identity.notAfter < now else { return false }
      state.hasWarnedOfEnd = true
      return true
    }
    guard hasEnded else { return }
    tell(["the certificate in \(files.certificate) has expired: clients refuse it; renew it"])
  }

  private func tell(_ remarks: [String]) {
    for remark in remarks { logger.warning("\(remark)", metadata: ["port": "\(port)"]) }
  }

  /// What has happened so far.
  public var figures: TLSFigures {
    var figures = state.withLock {
      TLSFigures(notAfter: $0.identity.notAfter, reloads: $0.taken, failedReloads: $0.failed)
    }
    figures.handshakes = handshakes.counts
    return figures
  }
}

/// What has happened with the certificate of one listener.
public struct TLSFigures: Sendable, Equatable {
  /// When the certificate in use ends, Unix seconds.
  public var notAfter: Int
  /// How often files that had changed were taken.
  public var reloads: Int
  /// How often they could not be used.
  public var failedReloads: Int
  public var handshakes: [HandshakeOutcome: Int] = [:]
}
