import Foundation
import Gateway
import Logging
import Model
import Synchronization

@testable import Commands

/// A terminal, a network and a clock for one command under test.
final class FakeWorld: Sendable {
  private struct State {
    var output = ""
    var errors = ""
    var requests: [HTTPRequest] = []
    var answers: [HTTPAnswer?] = []
    var now: Nanos = 1_000 * .second
    var sleeps: [Nanos] = []
    var gateway = FakeGateway()
    var configuration: Configuration?
    var signals: [ProcessSignal] = []
  }

  private let state = Mutex(State())

  var output: String { state.withLock { $0.output } }
  var errors: String { state.withLock { $0.errors } }
  var requests: [HTTPRequest] { state.withLock { $0.requests } }
  var sleeps: [Nanos] { state.withLock { $0.sleeps } }
  /// What the gateway that was made was configured with.
  var configuration: Configuration? { state.withLock { $0.configuration } }

  /// The answers to come; without one left, the network is down.
  func answer(_ answers: HTTPAnswer...) { state.withLock { $0.answers += answers.map(\.self) } }
  func answer(_ status: Int, _ body: String, headers: [String: String] = [:]) {
    answer(HTTPAnswer(status: status, headers: headers, body: Array(body.utf8)))
  }
  /// The network is down for one request.
  func goDown() { state.withLock { $0.answers.append(nil) } }
  func signal(_ signals: ProcessSignal...) { state.withLock { $0.signals += signals } }
  func serve(_ gateway: FakeGateway) { state.withLock { $0.gateway = gateway } }

  /// Runs a command line; a clock's tick is a millisecond a look.
  func run(
    _ arguments: String..., input: String = "", environment: [String: String] = [:],
    isTerminal: Bool = false
  ) async -> Int32 {
    await run(
      arguments: arguments, input: input, environment: environment, isTerminal: isTerminal)
  }

  func run(
    arguments: [String], input: String = "", environment: [String: String] = [:],
    isTerminal: Bool = false
  ) async -> Int32 {
    let context = CommandContext(
      environment: environment,
      print: { text in self.state.withLock { $0.output += text } },
      fail: { text in self.state.withLock { $0.errors += text } },
      isErrorTerminal: isTerminal, width: 100,
      readInput: { _ in Array(input.utf8) },
      http: FakeNetwork(world: self),
      now: {
        self.state.withLock { state in
          state.now += .millisecond
          return state.now
        }
      },
      sleep: { nanos in
        self.state.withLock { state in
          state.sleeps.append(nanos)
          state.now += nanos
        }
      },
      signals: { FakeSignals(self.state.withLock { $0.signals }) },
      makeGateway: { configuration, _ in
        self.state.withLock { state in
          state.configuration = configuration
          return state.gateway
        }
      })
    return await CommandLineTool.run(arguments, in: context)
  }

  fileprivate func take(_ request: HTTPRequest) -> HTTPAnswer? {
    state.withLock { state in
      state.requests.append(request)
      return state.answers.isEmpty ? nil : state.answers.removeFirst()
    }
  }
}

private struct FakeNetwork: HTTPExchange {
  var world: FakeWorld

  func send(_ request: HTTPRequest) async throws(CommandFailure) -> HTTPAnswer {
    guard let answer = world.take(request) else {
      throw CommandFailure(.unreachable, "the network is down")
    }
    return answer
  }
}

/// Gives one signal after the other, and SIGTERM when none is left.
private actor FakeSignals: ProcessSignals {
  private var coming: [ProcessSignal]

  init(_ coming: [ProcessSignal]) { self.coming = coming }

  func next() -> ProcessSignal { coming.isEmpty ? .stop("SIGTERM") : coming.removeFirst() }
}

/// A gateway that starts and stops as a test says.
struct FakeGateway: RunningGateway {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  var startFailure: String?
  /// Its port for OTLP/gRPC has a certificate.
  var isSecure = false
  /// Called whenever it is told to read its files again.
  var reloaded: @Sendable () -> Void = {}
  var stopFailure: String?

  func start() async throws -> ListeningAddresses {
    if let startFailure { throw Failure(description: startFailure) }
    var addresses = ListeningAddresses(
      grpc: "0.0.0.0:4317", http: "127.0.0.1:4318", query: "[::]:4320")
    addresses.isGRPCSecure = isSecure
    return addresses
  }

  func reload() async { reloaded() }

  func stop() async throws {
    if let stopFailure { throw Failure(description: stopFailure) }
  }
}

/// A folder that is there for one test.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "spangate-" + UUID().uuidString).path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer {
    do {
      try FileManager.default.removeItem(atPath: folder)
    } catch {
      print("could not remove \(folder): \(error)")
    }
  }
  return try await body(folder)
}

func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
  try Data(bytes).write(to: URL(filePath: path))
}

/// Two services and a failing call, as OTLP JSON.
enum Sample {
  static func request(start: UInt64 = 1_700_000_000_000_000_000, trace: Int = 1) -> String {
    let id = String(repeating: "0", count: 30) + (trace < 10 ? "0\(trace)" : "\(trace)")
    func span(_ span: Int, _ parent: Int, _ kind: Int, _ from: UInt64, _ until: UInt64) -> String {
      let parent = parent == 0 ? "" : "\"parentSpanId\":\"000000000000000\(parent)\","
      let status = span == 3 ? "\"status\":{\"code\":2}," : ""
      return "{\"traceId\":\"\(id)\",\"spanId\":\"000000000000000\(span)\",\(parent)\(status)"
        + "\"name\":\"op\(span)\",\"kind\":\(kind),\"startTimeUnixNano\":\"\(start + from)\","
        + "\"endTimeUnixNano\":\"\(start + until)\"}"
    }
    func resource(_ name: String, _ spans: String) -> String {
      "{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":"
        + "\"\(name)\"}}]},\"scopeSpans\":[{\"spans\":[\(spans)]}]}"
    }
    let front =
      span(1, 0, 2, 0, 100_000_000) + "," + span(2, 1, 3, 10_000_000, 90_000_000)
    let back = span(3, 2, 2, 20_000_000, 80_000_000)
    return "{\"resourceSpans\":[\(resource("front", front)),\(resource("back", back))]}"
  }
}
