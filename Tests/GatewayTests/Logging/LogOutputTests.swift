import Foundation
import Logging
import Synchronization
import Testing

@testable import Gateway

/// Gathers lines; tells the time a test sets.
private final class Recorder: Sendable {
  let lines = Mutex<[String]>([])
  let time = Mutex<UInt64>(0)

  var output: LogOutput {
    LogOutput(
      format: .text, now: { self.time.withLock { $0 } },
      write: { line in
        self.lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
      })
  }

  var written: [String] { lines.withLock { $0.map { String($0.dropFirst(13).dropLast()) } } }
}

private struct Failure: Error, CustomStringConvertible {
  let description = "the disk is full"
}

@Suite struct LogOutputTests {
  /// Scenario: a logger with metadata of its own, a provider, an event and an error.
  /// Guarantees: all fields are written, the event's win; levels below the configured stay out.
  @Test func handler() {
    let recorder = Recorder()
    var log = LogSection()
    log.level = .notice
    var logger = Logger.gateway(log, output: recorder.output)
    logger[metadataKey: "shard"] = "1"
    logger[metadataKey: "who"] = "logger"
    #expect(logger[metadataKey: "shard"] == "1")
    logger.info("not written")
    logger.notice("written", metadata: ["who": "event"])
    logger.error("failed", error: Failure())
    #expect(logger.logLevel == .notice)
    #expect(
      recorder.written == [
        "NOTICE   written shard=1 who=event",
        "ERROR    failed error=\"the disk is full\" error.type=Failure shard=1 who=logger",
      ]
        || recorder.written == [
          "NOTICE   written shard=1 who=event",
          "ERROR    failed error=\"the disk is full\" shard=1 who=logger",
        ])
  }

  /// Scenario: a metadata provider is set.
  /// Guarantees: what it provides is written, unless the event says otherwise.
  @Test func metadataProvider() {
    let recorder = Recorder()
    let provider = Logger.MetadataProvider { ["request": "7", "own": "provider"] }
    let logger = Logger(label: "test") { label in
      GatewayLogHandler(label: label, output: recorder.output, metadataProvider: provider)
    }
    logger.info("m", metadata: ["own": "event"])
    #expect(recorder.written == ["INFO     m own=event request=7"])
  }

  /// Scenario: the same event a thousand times within ten seconds, another one between, and again
  /// later.
  /// Guarantees: the first twenty are written, the other one too, and the count of what was left out
  /// comes with the next.
  @Test func repetitionsAreThinnedOut() {
    let recorder = Recorder()
    let logger = Logger.gateway(LogSection(), output: recorder.output)
    for index in 0..<1_000 { logger.warning("full", metadata: ["index": "\(index)"]) }
    logger.warning("other")
    #expect(recorder.written.count == 21)
    recorder.time.withLock { $0 = LogLimiter.stretchNanos }
    logger.warning("full")
    #expect(recorder.written.last == "WARNING  full suppressed=980")
    logger.warning("full")
    #expect(recorder.written.last == "WARNING  full")
    recorder.time.withLock { $0 = 0 }
    for _ in 0..<30 { logger.warning("full") }
    #expect(recorder.written.count == 23 + 20)
  }

  /// Scenario: every event has another message.
  /// Guarantees: all are written, and the table of causes stays bounded.
  @Test func manyCauses() {
    let recorder = Recorder()
    let logger = Logger.gateway(LogSection(), output: recorder.output)
    for index in 0..<2_000 { logger.info("message \(index)") }
    #expect(recorder.written.count == 2_000)
  }

  /// Scenario: a line goes to a pipe, to a closed descriptor, and to standard error.
  /// Guarantees: it arrives whole; a place that cannot be written to does no harm.
  @Test func descriptors() throws {
    let pipe = Pipe()
    StandardError.write(Array("whole line\n".utf8), to: pipe.fileHandleForWriting.fileDescriptor)
    try pipe.fileHandleForWriting.close()
    let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
    #expect(String(decoding: text, as: UTF8.self) == "whole line\n")
    StandardError.write([1, 2, 3], to: -1)
    let logger = Logger.gateway(LogSection())
    logger.info("a line of the test of standard error")
  }
}
