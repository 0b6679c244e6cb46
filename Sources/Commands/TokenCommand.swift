import Access
import ArgumentParser
import Graph

struct TokenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Makes a token, and the line that makes it known to a gateway.",
    discussion: """
      Give the token to whoever is to use it, and append the line to the file of tokens.file. The gateway \
      keeps the digest alone: a token that was lost cannot be shown again.
      """)

  @Option(help: "What the token is called; two of one name may be known at once.") var name: String
  @Option(
    help: ArgumentHelp(
      "What it allows: ingest, query, markers or admin. May be given several times.",
      valueName: "scope"), transform: TokenCommand.scope)
  var scope: [AccessScope]
  @Option(help: "table or json.") var format = PlainFormat.table

  func validate() throws {
    guard TokenLine.isName(name) else {
      throw ValidationError("--name takes at most 64 letters, digits, or . _ - @ /.")
    }
    guard !scope.isEmpty else { throw ValidationError("--scope is missing.") }
  }

  private static func scope(_ text: String) throws -> AccessScope {
    guard let scope = AccessScope(rawValue: text) else {
      throw ValidationError("--scope is ingest, query, markers or admin.")
    }
    return scope
  }

  func run() throws {
    let context = CommandContext.current
    let (token, line) = TokenLine.make(name: name, scopes: Set(scope))
    guard format == .json else {
      context.print("token \(token)\nline  \(line)\n")
      return
    }
    var json = JSONText()
    json.object { json in
      json.member("token", token)
      json.member("line", line.description)
    }
    context.print(json.text + "\n")
  }
}
