import Foundation
import Logging
import Testing

@testable import Access

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Suite struct TokenTests {
  /// Scenario: tokens are made, written down and read.
  /// Guarantees: no two are alike; the line holds the digest and not the token, reads back, and makes
  /// the token known with its scopes.
  @Test func making() throws {
    let made = (0..<20).map { _ in TokenLine.make(name: "ci", scopes: [.markers, .query]) }
    #expect(Set(made.map(\.token)).count == made.count)
    for (token, line) in made {
      #expect(token.hasPrefix("spg_") && token.utf8.count == 68)
      let text = line.description
      #expect(text.hasPrefix("ci query+markers sha256:") && !text.contains(token.dropFirst(4)))
      #expect(try TokenLine(parsing: text) == line)
      #expect(try TokenTable([line]).line(of: token) == line)
      #expect(try TokenTable([line]).line(of: token + "0") == nil)
      #expect(try TokenTable([line]).line(of: "") == nil)
    }
  }

  /// Scenario: a token whose digest everybody can compute.
  /// Guarantees: the digest is SHA-256, so that a line can be made without this program.
  /// - Source: `printf %s secret | sha256sum`.
  @Test func digest() throws {
    let line = try TokenLine(
      parsing: "a ingest sha256:2BB80D537B1DA3E38BD30361AA855686BDE0EACD7162FEF6A25FE97BF527A25B")
    #expect(try TokenTable([line]).line(of: "secret")?.name == "a")
  }

  /// Scenario: lines with too little, too much, names and scopes that are none, and a token where a
  /// digest belongs.
  /// Guarantees: each is refused with what to do, and the token is not in the message.
  @Test(arguments: [
    "", "a", "a ingest", "a ingest sha256:00 x", "ü ingest sha256:00", "a, ingest sha256:00",
    "\(String(repeating: "a", count: 65)) ingest sha256:00", "a ingest+ sha256:00",
    "a all sha256:00", "a ingest,query sha256:00", "a ingest spg_secret", "a ingest sha256:secret",
    "a ingest sha256:\(String(repeating: "g", count: 64))",
    "a ingest sha256:\(String(repeating: "+1", count: 32))",
    "a ingest md5:\(String(repeating: "0", count: 64))",
  ])
  func badLines(text: String) {
    let error = #expect(throws: TokenLineError.self) { _ = try TokenLine(parsing: text) }
    #expect(error?.remedy.isEmpty == false)
    #expect("\(error?.problem ?? "") \(error?.remedy ?? "")".contains("secret") == false)
  }

  /// Scenario: a file with comments, blank lines, line breaks of every kind; one with a mistake; three
  /// tokens of one name; the same token twice; more tokens than a gateway keeps.
  /// Guarantees: the good are read; the others are refused, a mistake with its line.
  @Test func files() throws {
    func line(_ name: String) -> TokenLine { TokenLine.make(name: name, scopes: [.ingest]).line }
    let (one, two) = (line("a"), line("a"))
    let text = "# tokens\r\n\n  \(one)  \r\n\t# more\n\(two)"
    #expect(try TokenTable(reading: Array(text.utf8)).lines == [one, two])
    func problem(_ text: String) -> String? {
      #expect(throws: TokenLineError.self) { _ = try TokenTable(reading: Array(text.utf8)) }?
        .problem
    }
    #expect(
      problem("# tokens\n\n\(one)\na secret\n") == "line 4 is not a name, scopes and a digest")
    #expect(
      problem("\(one)\n\(two)\n\(line("a"))") == "holds more than 2 tokens called a")
    #expect(
      problem("\(one)\nb query \(one.description.split(separator: " ")[2])")
        == "holds the same token twice, the second time as b")
    let many = (0...TokenTable.linesMax).map { line("n\($0)").description }
    #expect(problem(many.joined(separator: "\n")) == "holds more than 256 tokens")
    #expect(try TokenTable(reading: []).lines.isEmpty)
    #expect(throws: TokenLineError.self) { try TokenTable(reading: [0, 255, 254, 10, 1]) }
  }

  /// Scenario: requests with the right token, in every case of the scheme's name; with none, with
  /// something else, with one for other things.
  /// Guarantees: only the right one is let in; the others are told apart and counted by how they came.
  @Test func deciding() throws {
    let (token, line) = TokenLine.make(name: "a", scopes: [.query])
    let tokens = try AccessTokens(lines: [line], logger: quiet)
    func refusal(_ authorization: String?, _ scope: AccessScope = .query) -> AccessRefusal? {
      tokens.refusal(authorization, needing: scope, transport: "http")
    }
    for good in ["Bearer \(token)", "bearer \(token)", "BEARER  \(token)"] {
      #expect(refusal(good) == nil)
    }
    #expect(refusal(nil) == .missing)
    #expect(refusal("") == .missing)
    let unknown = [
      token, "Bearer", "Bearer ", "Basic \(token)", "Bearer \(token)x", "Bearer \(token) x",
      "Bearer " + String(repeating: "a", count: 100_000),
    ]
    for bad in unknown { #expect(refusal(bad) == .unknown, "\(bad.prefix(80))") }
    #expect(refusal("Bearer \(token)", .admin) == .scope)
    #expect(
      tokens.figures.refusals == [
        .missing: ["http": 2], .unknown: ["http": unknown.count], .scope: ["http": 1],
      ])
    #expect(
      AccessRefusal.allCases.map { $0.challenge(.admin) } == [
        #"Bearer realm="spangate""#, #"Bearer realm="spangate", error="invalid_token""#,
        #"Bearer realm="spangate", error="insufficient_scope", scope="admin""#,
      ])
  }

  /// Scenario: a token is rotated: the new one is added, then the old one is taken away; then the file is
  /// broken, and lost.
  /// Guarantees: both are known in between; the broken file changes nothing and is counted once.
  @Test func rotation() throws {
    try withFolder { folder in
      let path = folder.path + "/tokens"
      func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
      let old = TokenLine.make(name: "ci", scopes: [.ingest])
      let new = TokenLine.make(name: "ci", scopes: [.ingest])
      try write("\(old.line)\n")
      let tokens = try AccessTokens(file: path, logger: quiet)
      func known() -> [Bool] {
        [old, new].map {
          tokens.refusal("Bearer \($0.token)", needing: .ingest, transport: "grpc") == nil
        }
      }
      #expect(known() == [true, false])
      try write("\(old.line)\n\(new.line)\n")
      for _ in 0..<2 { tokens.reload() }
      #expect(known() == [true, true])
      try write("\(new.line)\n")
      tokens.reload()
      #expect(known() == [false, true])
      #expect(tokens.figures.reloads == 2)

      for (round, broken) in ["nonsense", "", "# none\n"].enumerated() {
        try write(broken)
        for _ in 0..<2 { tokens.reload() }
        #expect(tokens.figures.failedReloads == round + 1 - (round == 2 ? 1 : 0))
        #expect(known() == [false, true])
      }
      try FileManager.default.removeItem(atPath: path)
      tokens.reload()
      #expect(tokens.figures.failedReloads == 3)
      #expect(known() == [false, true])
      #expect(throws: AccessError.self) { _ = try AccessTokens(file: path, logger: quiet) }
    }
  }
}
