import Access
import Foundation
import Testing

@testable import Commands

@Suite struct TokenCommandTests {
  /// Scenario: tokens are made, as text and as JSON.
  /// Guarantees: the token and a line that makes exactly it known, with the scopes asked for.
  @Test func making() async throws {
    let world = FakeWorld()
    #expect(await world.run("token", "--name", "ci", "--scope", "query", "--scope", "ingest") == 0)
    let lines = world.output.split(separator: "\n")
    #expect(lines.count == 2 && lines[0].hasPrefix("token spg_") && lines[1].hasPrefix("line  ci "))
    let line = try TokenLine(parsing: lines[1].dropFirst("line  ".count))
    #expect(line.scopes == [.ingest, .query])

    let other = FakeWorld()
    #expect(await other.run("token", "--name=ci", "--scope=admin", "--format=json") == 0)
    let made = try JSONDecoder().decode([String: String].self, from: Data(other.output.utf8))
    #expect(try TokenLine(parsing: made["line"] ?? "").scopes == [.admin])
    #expect(made["token"]?.hasPrefix("spg_") == true)
  }

  /// Scenario: without a name, with one that is none, without a scope, with one that is none.
  /// Guarantees: a usage error, and no token.
  @Test(arguments: [
    ["--scope", "query"], ["--name", "a b", "--scope", "query"], ["--name", "a"],
    ["--name", "a", "--scope", "all"],
  ])
  func mistakes(arguments: [String]) async {
    let world = FakeWorld()
    #expect(await world.run(arguments: ["token"] + arguments) == 64)
    #expect(world.output.isEmpty)
  }
}
