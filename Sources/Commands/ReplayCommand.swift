import ArgumentParser
import Foundation
import OTLP

struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Sends OTLP files to a gateway, as they are.",
    discussion: """
      Spans older than the gateway's store.retention are rejected; raise it to replay history.
      """)

  @Argument(help: "Files to send; - is standard input.") var files: [String]
  @Option(
    help: ArgumentHelp(
      "The gateway's OTLP/HTTP address, such as http://127.0.0.1:4318.",
      valueName: "url"))
  var to: String
  @Option(
    help: ArgumentHelp(
      "Paces the requests by the times of their spans, so many times as fast; without it they are "
        + "sent as fast as they are taken.", valueName: "factor"))
  var speed: Double?
  @Option(help: "table or json.") var format = PlainFormat.table
  @OptionGroup var token: TokenOptions
  @OptionGroup var trust: TrustOptions

  func validate() throws {
    if let speed, !(speed > 0 && speed.isFinite) {
      throw ValidationError("--speed is a factor above 0; 1 is as it happened.")
    }
  }

  func run() async throws {
    let context = CommandContext.current
    var sender = ReplaySender(
      url: try ReplayCommand.target(to), headers: try token.headers(in: context),
      trust: trust.trust(in: context), context: context)
    var pace = speed.map { ReplayPace(speed: $0, context: context) }
    var progress = ProgressLine(context)
    let clock = RequestScan()
    for name in files {
      let file = try TraceFile(name, in: context)
      for (index, request) in file.requests.enumerated() {
        let body = file.body(request)
        let scan = clock.scan(body, encoding: request.encoding)
        progress.show(
          "\(file.name): \(index) of \(Figure.count(file.requests.count, "request")), "
            + "\(Figure.count(sender.report.accepted, "span")) accepted")
        try await pace?.wait(for: scan.earliestStart)
        let place = file.place(of: index)
        if let complaint = try await sender.send(body, request.encoding, spans: scan.spans) {
          progress.clear()
          context.fail("\(place): \(complaint)\n")
        }
      }
    }
    progress.clear()
    let report = sender.report
    context.print(format == .json ? report.json + "\n" : report.text + "\n")
    if report.refused > 0 { throw CommandExit(.failed) }
  }

  /// A bare address gets the path OTLP/HTTP uses.
  static func target(_ text: String) throws(CommandFailure) -> URL {
    var components = try ServerAddress.components(text)
    if components.path.isEmpty { components.path = "/v1/traces" }
    return try ServerAddress.url(components)
  }
}
