import ArgumentParser
import Gateway
import Model

struct GateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gate",
    abstract: "Asks whether a rollout may go on; the exit code is the verdict.",
    discussion: """
      Exit codes: 0 promote, 10 rollback, 11 wait; 64 the question is wrong, 69 the server is out \
      of reach, 77 it does not allow this, 70 anything else. 1 is no verdict unless --map makes it \
      one.
      """)

  @OptionGroup var server: ServerOptions
  @Option(help: "table or json.") var format = PlainFormat.table
  @Option(help: "The service that changes: a name or an id.") var service: String?
  @Option(help: "Its namespace.") var namespace: String?
  @Option(help: "The version it changes to.") var version: String?
  @Option(help: "Its environment.") var environment: String?
  @Option(help: "The id of the marker that announced the change.") var marker: String?
  @Option(
    help: ArgumentHelp(
      "When a verdict is due: RFC 3339, Unix time, or a duration after the start.",
      valueName: "time|duration"))
  var deadline: String?
  @Option(help: ArgumentHelp("Below this health nothing is promoted.", valueName: "0…100"))
  var minHealth: Double?
  @Option(
    help: ArgumentHelp(
      "The share of requests that may fail without another version to compare with.",
      valueName: "0.0001…0.5"))
  var errorsTolerated: Double?
  @Option(
    help: ArgumentHelp(
      "Asks again while the verdict is wait, for so long, such as 15m.", valueName: "duration"),
    transform: GateCommand.duration)
  var wait: Nanos?
  @Option(
    help: ArgumentHelp(
      "How often to ask meanwhile, 1s to 10m; the default is 10s.", valueName: "duration"),
    transform: GateCommand.duration)
  var interval: Nanos?
  @Option(
    help: ArgumentHelp("Other exit codes for verdicts.", valueName: "rollback=1,wait=2"),
    transform: VerdictCodes.init(map:))
  var map: VerdictCodes?

  static let path = "/api/v1/gate"
  static let intervalStandard = 10 * Nanos.second
  static let intervals = Nanos.second...10 * Nanos.minute

  func validate() throws {
    // A variable that is not set in a pipeline must not ask about something else than was meant.
    let texts: [(String, String?)] = [
      ("service", service), ("version", version), ("marker", marker), ("deadline", deadline),
    ]
    for (name, text) in texts where text == "" {
      throw ValidationError("--\(name) is empty; leave it out if it is not meant.")
    }
    guard service != nil || marker != nil else {
      throw ValidationError("Name what to decide about: --service or --marker.")
    }
    if let minHealth, !(0...100).contains(minHealth) {
      throw ValidationError("--min-health is 0 to 100.")
    }
    if let errorsTolerated, !(0.0001...0.5).contains(errorsTolerated) {
      throw ValidationError("--errors-tolerated is a share from 0.0001 to 0.5, such as 0.005.")
    }
    if let interval, !GateCommand.intervals.contains(interval) {
      throw ValidationError("--interval is 1s to 10m.")
    }
  }

  func run() async throws {
    let context = CommandContext.current
    let request = try server.request("GET", GateCommand.path, query: query, in: context)
    var wait = GateWait(
      wait ?? 0, interval: interval ?? GateCommand.intervalStandard, in: context)
    let reply = try await wait.reply { timeout in
      var request = request
      request.timeout = min(timeout ?? request.timeout, request.timeout)
      let answer = try await context.ask(request)
      let verdict = try ServerAnswer.decode(
        GateAnswer.self, answer.body, from: request.url, noun: "verdict")
      return GateReply(verdict: verdict, answer: answer)
    }
    if format == .table {
      context.print(reply.verdict.table)
    } else {
      context.printAnswer(reply.answer)
    }
    let code = (map ?? VerdictCodes()).code(of: reply.verdict.verdict)
    if code != 0 { throw CommandExit(code: code) }
  }

  private var query: [(String, String?)] {
    [
      ("service", service), ("namespace", namespace), ("version", version),
      ("environment", environment), ("marker", marker), ("deadline", deadline),
      ("min_health", minHealth.map { "\($0)" }),
      ("errors_tolerated", errorsTolerated.map { "\($0)" }),
    ]
  }

  private static func duration(_ text: String) throws -> Nanos {
    do throws(InvalidValue) {
      return try DurationText.parse(text)
    } catch {
      throw ValidationError("\(error.problem); \(error.remedy).")
    }
  }
}
