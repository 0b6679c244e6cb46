import Foundation
import Logging
import NIOCore
import NIOEmbedded
import NIOTLS
import Synchronization
import Testing

@testable import Access

/// Files of one listener, in a folder of their own, and all that is logged about them.
private final class Listener {
  let files: TLSFiles
  let log = Log()
  private let time = Box(Int(Date.now.timeIntervalSince1970))

  init(in folder: URL, hasAuthorities: Bool = false) {
    files = TLSFiles(
      certificate: folder.path + "/tls.crt", key: folder.path + "/tls.key",
      clientAuthorities: hasAuthorities ? folder.path + "/ca.crt" : "")
  }

  func write(_ pair: (certificate: String, key: String), keyMode: Int = 0o600) throws {
    try write(pair.certificate, to: files.certificate)
    try write(pair.key, to: files.key, mode: keyMode)
  }

  func write(_ text: String, to path: String, mode: Int = 0o600) throws {
    try Data(text.utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
  }

  func wait(seconds: Int) { time.value.withLock { $0 += seconds } }

  func credentials() throws -> TLSCredentials {
    try TLSCredentials(
      port: "query", section: "query.tls", files: files, protocols: ["http/1.1"],
      clock: { [time] in time.value.withLock { $0 } }, logger: log.logger)
  }
}

private final class Box: Sendable {
  let value: Mutex<Int>
  init(_ value: Int) { self.value = Mutex(value) }
}

/// What is logged, as `level message error`.
private final class Log: Sendable {
  private let lines = Mutex<[String]>([])

  /// What came since it was last asked.
  func take() -> [String] {
    lines.withLock { lines in
      defer { lines.removeAll() }
      return lines
    }
  }

  var logger: Logger {
    Logger(label: "test") { _ in Handler(log: self) }
  }

  private struct Handler: LogHandler {
    let log: Log
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]
    subscript(metadataKey key: String) -> Logger.MetadataValue? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
      let error = event.metadata?["error"].map { " \($0)" } ?? ""
      log.lines.withLock { $0.append("\(event.level) \(event.message)\(error)") }
    }
  }
}

@Suite struct TLSCredentialsTests {
  private let authority: TestAuthority

  init() throws { authority = try TestAuthority() }

  /// Scenario: files are looked at while nothing changes, after a renewal, and when somebody asks.
  /// Guarantees: they are taken when they changed and when somebody asked, and the end of the one in use
  /// is known.
  @Test func renewal() throws {
    try withFolder { folder in
      let listener = Listener(in: folder)
      let until = Date(timeIntervalSince1970: Date.now.timeIntervalSince1970.rounded() + 1_000)
      try listener.write(try authority.issue("one", until: until))
      let credentials = try listener.credentials()
      #expect(listener.log.take().isEmpty)
      #expect(credentials.figures.notAfter == Int(until.timeIntervalSince1970))
      credentials.reload()
      #expect(credentials.figures.reloads == 0)

      try listener.write(try authority.issue("two", until: until + 500))
      credentials.reload()
      #expect(credentials.figures.reloads == 1)
      #expect(credentials.figures.notAfter == Int(until.timeIntervalSince1970) + 500)
      credentials.reload()
      #expect(credentials.figures.reloads == 1)
      credentials.reload(isAsked: true)
      #expect(credentials.figures.reloads == 2)
      #expect(
        listener.log.take() == Array(repeating: "notice certificate read again", count: 2))
    }
  }

  /// Scenario: a renewal is found half done, with the new certificate and the old key; then it is
  /// complete.
  /// Guarantees: the old pair stays in use meanwhile; it is told and counted once, however often the
  /// files are looked at, and again when somebody asks; the whole pair is taken.
  @Test func halfRenewal() throws {
    try withFolder { folder in
      let listener = Listener(in: folder)
      let (old, new) = (try authority.issue("old"), try authority.issue("new", until: .now + 7_200))
      try listener.write(old)
      let credentials = try listener.credentials()
      let before = credentials.figures.notAfter
      try listener.write(new.certificate, to: listener.files.certificate)
      for _ in 0..<3 { credentials.reload() }
      #expect(credentials.figures.failedReloads == 1)
      #expect(
        listener.log.take() == [
          "error the certificate could not be read again; the one before stays in use "
            + "query.tls.key_file: the key in \(listener.files.key) does not belong to the first "
            + "certificate in \(listener.files.certificate); give both files of one pair, the "
            + "certificate of this gateway first in its file"
        ])
      credentials.reload(isAsked: true)
      #expect(credentials.figures.failedReloads == 2)
      #expect(credentials.figures.notAfter == before)
      try listener.write(new)
      credentials.reload()
      #expect(credentials.figures.reloads == 1)
      #expect(credentials.figures.notAfter > before)
    }
  }

  /// Scenario: a file goes away and comes back as it was.
  /// Guarantees: told once; nothing has to be taken afterwards; the next loss is told again.
  @Test func fileGoesAway() throws {
    try withFolder { folder in
      let listener = Listener(in: folder)
      let pair = try authority.issue("one")
      try listener.write(pair)
      let credentials = try listener.credentials()
      for round in 1...2 {
        try FileManager.default.removeItem(atPath: listener.files.key)
        for _ in 0..<2 { credentials.reload() }
        #expect(credentials.figures.failedReloads == round)
        #expect(listener.log.take().count == 1)
        try listener.write(pair)
        credentials.reload()
        #expect(credentials.figures.reloads == 0)
      }
    }
  }

  /// Scenario: a certificate that has expired, one that is not valid yet, a key everybody may read, and
  /// one that expires while it is in use.
  /// Guarantees: each is used, and warned about once.
  @Test func remarks() throws {
    try withFolder { folder in
      let listener = Listener(in: folder)
      let certificate = listener.files.certificate
      try listener.write(
        try authority.issue("past", from: .now - 7_200, until: .now - 3_600), keyMode: 0o644)
      let credentials = try listener.credentials()
      #expect(
        listener.log.take() == [
          "warning the certificate in \(certificate) has expired: clients will refuse it; renew it",
          "warning every user of this machine may read the key in \(listener.files.key); take that "
            + "right away with chmod o-rwx",
        ])
      credentials.reload()
      #expect(listener.log.take().isEmpty)

      try listener.write(try authority.issue("future", from: .now + 3_600, until: .now + 7_200))
      credentials.reload()
      #expect(
        listener.log.take() == [
          "notice certificate read again",
          "warning the certificate in \(certificate) is not valid yet: clients will refuse it; check "
            + "the clock of this machine",
        ])
      listener.wait(seconds: 8_000)
      for _ in 0..<2 { credentials.reload() }
      #expect(
        listener.log.take() == [
          "warning the certificate in \(certificate) has expired: clients refuse it; renew it"
        ])
    }
  }

  /// Scenario: authorities for clients, good, empty and missing.
  /// Guarantees: good ones are taken; the others are refused with the key to change.
  @Test func authorities() throws {
    try withFolder { folder in
      let listener = Listener(in: folder, hasAuthorities: true)
      try listener.write(try authority.issue("one"))
      let path = listener.files.clientAuthorities
      #expect(throws: AccessError.self) { try listener.credentials() }
      try listener.write("", to: path)
      let error = #expect(throws: AccessError.self) { _ = try listener.credentials() }
      #expect(
        error?.description
          == "query.tls.client_ca_file: the file \(path) holds no certificate that can be read; write "
          + "certificates as PEM, each from BEGIN CERTIFICATE to END CERTIFICATE")
      try listener.write(authority.certificate, to: path)
      #expect(try listener.credentials().figures.reloads == 0)
    }
  }

  /// Scenario: bytes that are no certificate and no key, from nothing to garbage, in each file.
  /// Guarantees: refused with words, never a crash; what was in use stays.
  @Test func garbage() throws {
    try withFolder { folder in
      let listener = Listener(in: folder)
      let pair = try authority.issue("one")
      try listener.write(pair)
      let credentials = try listener.credentials()
      var failures = 0
      for text in [
        "", "\0\0\0", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n!\n",
        String(pair.certificate.prefix(200)), String(pair.key.prefix(100)),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
      ] {
        for path in [listener.files.certificate, listener.files.key] {
          try listener.write(pair)
          try listener.write(text, to: path)
          credentials.reload(isAsked: true)
          failures += 1
          #expect(credentials.figures.failedReloads == failures)
        }
      }
      #expect(credentials.figures.reloads == 0)
    }
  }

  /// Scenario: handshakes that end well, fail, time out, and one after which an error comes.
  /// Guarantees: each is counted once, as what it was; who takes too long is disconnected; only errors
  /// after the handshake are anybody else's.
  @Test func handshakes() throws {
    let counters = HandshakeCounters()
    func channel() throws -> (channel: EmbeddedChannel, seen: SeenErrors) {
      let seen = SeenErrors()
      let watch = HandshakeWatch(
        timeout: .seconds(10), counters: counters, port: "query", logger: Log().logger)
      let channel = EmbeddedChannel(handlers: [watch, seen])
      try channel.connect(to: SocketAddress(unixDomainSocketPath: "/x")).wait()
      return (channel, seen)
    }
    let (well, wellErrors) = try channel()
    well.pipeline.fireUserInboundEventTriggered(
      TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
    well.embeddedEventLoop.advanceTime(by: .seconds(60))
    #expect(well.isActive)
    well.pipeline.fireErrorCaught(ConnectionFailure())
    #expect(wellErrors.count == 1)
    #expect(counters.counts == [.completed: 1])
    _ = try well.finish()

    let (failed, failedErrors) = try channel()
    failed.pipeline.fireErrorCaught(ConnectionFailure())
    #expect(!failed.isActive && failedErrors.count == 0)
    failed.embeddedEventLoop.advanceTime(by: .seconds(60))
    #expect(counters.counts == [.completed: 1, .failed: 1])

    let (slow, _) = try channel()
    slow.embeddedEventLoop.advanceTime(by: .seconds(9))
    #expect(slow.isActive)
    slow.embeddedEventLoop.advanceTime(by: .seconds(2))
    #expect(!slow.isActive)
    #expect(counters.counts == [.completed: 1, .failed: 1, .timedOut: 1])
  }
}

private struct ConnectionFailure: Error {}

private final class SeenErrors: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  var count = 0
  func errorCaught(context: ChannelHandlerContext, error: any Error) { count += 1 }
}
