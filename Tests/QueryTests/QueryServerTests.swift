import Foundation
import Graph
import Hummingbird
import HummingbirdTesting
import Model
import Synchronization
import Testing

@testable import Query

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@Suite(.timeLimit(.minutes(3))) struct QueryServerTests {
  /// Scenario: a real connection: GET, HEAD, then GET again.
  /// Guarantees: answers are framed so that the connection goes on.
  @Test func overASocket() async throws {
    let fixture = QueryFixture()
    try await fixture.server.application().test(.live) { client in
      let get = try await client.execute(uri: "/api/v1/graph", method: .get)
      #expect(get.status == .ok)
      let head = try await client.execute(uri: "/api/v1/graph", method: .head)
      #expect(head.headers[.contentLength] == String(get.body.readableBytes))
      #expect(head.body.readableBytes == 0)
      let again = try await client.execute(uri: "/api/v1/nothing", method: .get)
      #expect(again.status == .notFound)
    }
  }

  /// Scenario: run, ask, stop.
  /// Guarantees: the port is told, requests are answered, `run` returns after `stop`.
  @Test func runsAndStops() async throws {
    let server = QueryFixture().server
    let (ports, port) = AsyncStream<Int>.makeStream()
    let run = Task { try await server.run { port.yield($0) } }
    let bound = try #require(await ports.first { _ in true })
    #expect(bound > 0)
    #expect(try await get("http://127.0.0.1:\(bound)/livez") == 200)
    await server.stop(within: 5)
    #expect(server.inFlightCount == 0)
    try await run.value
    await #expect(throws: (any Error).self) { try await get("http://127.0.0.1:\(bound)/livez") }
  }

  /// Scenario: a slow question is open when the server is told to stop.
  /// Guarantees: it is answered in full; a question after that is refused with 503.
  @Test func stopWaitsForOpenQuestions() async throws {
    let fixture = QueryFixture()
    let (closed, gate) = AsyncStream<Never>.makeStream()
    fixture.backend.state.withLock { $0.gate = closed }
    let (ports, port) = AsyncStream<Int>.makeStream()
    let run = Task { try await fixture.server.run { port.yield($0) } }
    let bound = try #require(await ports.first { _ in true })
    let slow = Task { try await get("http://127.0.0.1:\(bound)/api/v1/graph") }
    while fixture.backend.state.withLock(\.asked).isEmpty { await Task.yield() }
    let stopping = Task { await fixture.server.stop(within: 10) }
    while try await fixture.ask("/livez").status != .serviceUnavailable { await Task.yield() }
    #expect(fixture.server.inFlightCount > 0)
    gate.finish()
    #expect(try await slow.value == 200)
    await stopping.value
    #expect(fixture.server.inFlightCount == 0)
    try await run.value
  }

  /// Scenario: the task that runs the server is cancelled.
  /// Guarantees: `run` returns without an error.
  @Test func cancelling() async throws {
    let server = QueryFixture().server
    let (ports, port) = AsyncStream<Int>.makeStream()
    let run = Task { try await server.run { port.yield($0) } }
    _ = await ports.first { _ in true }
    run.cancel()
    try await run.value
  }

  /// Scenario: the port is in use; the address is not of this machine; the name does not exist.
  /// Guarantees: each error says which key is to be changed.
  @Test func cannotListen() async throws {
    let first = QueryFixture().server
    let (ports, port) = AsyncStream<Int>.makeStream()
    let run = Task { try await first.run { port.yield($0) } }
    let bound = try #require(await ports.first { _ in true })
    let second = QueryFixture { $0.port = bound }.server
    let taken = await #expect(throws: QueryServerError.self) { try await second.run { _ in } }
    #expect(taken == .addressInUse("127.0.0.1:\(bound)"))
    #expect(taken?.message.contains("query.address 127.0.0.1:\(bound) is in use") == true)
    run.cancel()
    try await run.value
    let elsewhere = QueryFixture { $0.host = "192.0.2.1" }.server
    let foreign = await #expect(throws: QueryServerError.self) { try await elsewhere.run { _ in } }
    #expect(foreign == .addressNotHere("192.0.2.1:0"))
    #expect(foreign?.message.contains("not an address of this machine") == true)
    let nameless = QueryFixture { $0.host = "no such host.invalid" }.server
    let unknown = await #expect(throws: QueryServerError.self) { try await nameless.run { _ in } }
    #expect(unknown?.message.contains("query.address no such host.invalid:0") == true)
    #expect(QueryServerError.notPermitted("a:1").message.contains("privilege"))
  }

  private func get(_ url: String) async throws -> Int {
    let address = try #require(URL(string: url))
    let (_, response) = try await URLSession.shared.data(from: address)
    return (response as? HTTPURLResponse)?.statusCode ?? 0
  }
}
