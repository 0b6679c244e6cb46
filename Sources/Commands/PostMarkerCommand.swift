import ArgumentParser
import Foundation
import Graph

struct PostMarkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "post", abstract: "Announces a change: a deployment unless --kind says otherwise.")

  @OptionGroup var server: ServerOptions
  @Option(help: "table or json.") var format = PlainFormat.table
  @Option(help: "deployment, scaling, config, feature_flag, infrastructure or incident.")
  var kind = "deployment"
  @Option(help: "The service that changed.") var service: String?
  @Option(help: "Its namespace.") var namespace: String?
  @Option(help: "Its environment.") var environment: String?
  @Option(help: "The version it changes to.") var version: String?
  @Option(help: "The version it changes from.") var previousVersion: String?
  @Option(help: "RFC 3339 or Unix time; the default is now.") var time: String?
  @Option(help: "RFC 3339 or Unix time; when it was over.") var endTime: String?
  @Option(help: "started, in_progress, finished, failed or rolled_back.") var state: String?
  @Option(help: "Of a scaling: how many there were.") var from: Int?
  @Option(help: "Of a scaling: how many there are to be.") var to: Int?
  @Option(help: "Of a scaling: why.") var reason: String?
  @Option(help: "Who says so, such as github.") var source: String?
  @Option(help: "Your own key: the same key again is the same marker.") var dedupeKey: String?
  @Option(help: "A link for people.") var url: String?
  @Option(help: ArgumentHelp("Anything else; may be repeated.", valueName: "name=value"))
  var attribute: [String] = []

  func validate() throws {
    for pair in attribute where !pair.dropFirst().contains("=") {
      throw ValidationError("--attribute '\(PlainTable.printable(pair))' is not name=value.")
    }
    if to == nil, from != nil || reason != nil {
      throw ValidationError("--from and --reason need --to.")
    }
  }

  func run() async throws {
    let context = CommandContext.current
    let (answer, url) = try await server.ask(
      "POST", MarkerCommand.path, body: json.bytes, in: context)
    guard format == .table else { return context.printAnswer(answer) }
    let id = try MarkerAnswer.decode(MarkerAnswer.Posted.self, answer, from: url).id
    let note = answer.status == 201 ? "" : "  (was there already)"
    context.print("\(PlainTable.printable(id))\(note)\n")
  }

  /// What is said; what is right or wrong about it is for the server to say.
  private var json: JSONText {
    var json = JSONText()
    json.object { json in
      let texts: [(String, String?)] = [
        ("kind", kind), ("service", service), ("namespace", namespace),
        ("environment", environment), ("time", time), ("end_time", endTime),
        ("state", state), ("version", version), ("previous_version", previousVersion),
        ("source", source),
        ("dedupe_key", dedupeKey), ("url", url),
      ]
      for (key, value) in texts { if let value { json.member(key, value) } }
      if let to {
        json.member("scaling") { json in
          if let from { json.member("from", from) }
          json.member("to", to)
          if let reason { json.member("reason", reason) }
        }
      }
      if !attributes.isEmpty {
        json.member("attributes") { json in
          for (name, value) in attributes { json.member(name, value) }
        }
      }
    }
    return json
  }

  /// The last of each name counts, in the order of names.
  private var attributes: [(String, String)] {
    var values: [String: String] = [:]
    for pair in attribute {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      values[String(parts[0])] = String(parts[1])
    }
    return values.sorted { $0.key < $1.key }
  }
}
