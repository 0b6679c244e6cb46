// Prints what the gate says about simulated rollouts whose truth is known, and whether that reaches
// the floors in the repository: `make gate-table`. The same seed gives the same table everywhere.

import ArgumentParser
import Foundation
import Impact

@main
struct GateTableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spangate-gate-table",
    abstract: "Simulates rollouts, and compares what the gate says with its floors.",
    discussion: "Exit code 1 when a floor is not reached, each with a line on standard error.")

  @Option(help: ArgumentHelp("Of each scenario; the default is the floors'.", valueName: "count"))
  var runs: Int?
  @Option(help: ArgumentHelp("The default is the floors'.", valueName: "number"))
  var seed: UInt64?
  @Option(help: ArgumentHelp("What has to be reached at least.", valueName: "file"))
  var floors = "Tests/ImpactTests/gate-floors.json"

  func validate() throws {
    if let runs, !(1...1_000_000).contains(runs) {
      throw ValidationError("--runs is 1 to 1000000.")
    }
  }

  func run() throws {
    let floors = try read()
    let outcomes = GateScenario.all.map { scenario in
      // A scenario without a floor is told of below.
      let floor = floors.scenarios.first { $0.name == scenario.name }
      return GateSimulation.run(
        scenario, runs: runs ?? floor?.runs ?? 1, seed: seed ?? floors.seed)
    }
    print(GateSimulation.table(outcomes), terminator: "")
    let shortfalls = floors.shortfalls(of: outcomes)
    for shortfall in shortfalls {
      FileHandle.standardError.write(Data("\(shortfall)\n".utf8))
    }
    if !shortfalls.isEmpty { throw ExitCode.failure }
  }

  private func read() throws -> GateFloors {
    let content: Data
    do {
      content = try Data(contentsOf: URL(filePath: floors))
    } catch {
      throw ValidationError(
        "cannot read \(floors): \(error.localizedDescription) Run this at the top of the checkout, "
          + "or name a file with --floors.")
    }
    do {
      return try JSONDecoder().decode(GateFloors.self, from: content)
    } catch {
      throw ValidationError("\(floors) holds no floors: \(error)")
    }
  }
}
