// Measures whether Spangate finds what it should in simulated systems whose truth is known, and whether
// that reaches the floors in the repository: `make accuracy`. The same seed gives the same table everywhere.

import ArgumentParser
import Corpus
import Foundation
import Impact

@main
struct AccuracyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spangate-accuracy",
    abstract: "Simulates systems in which something goes wrong, and compares what is found.",
    discussion: "Exit code 1 when a floor is not reached, each with a line on standard error.")

  @Option(help: ArgumentHelp("Of each fault in each system; the default is the floors'."))
  var each: Int?
  @Option(help: ArgumentHelp("The default is the floors'.", valueName: "number"))
  var seed: UInt64?
  @Option(help: ArgumentHelp("What has to be reached at least.", valueName: "file"))
  var floors = "loadtest/accuracy/accuracy-floors.json"
  @Option(help: ArgumentHelp("What the gate has to reach at least.", valueName: "file"))
  var gateFloors = "Tests/ImpactTests/gate-floors.json"
  @Flag(help: "A tenth of the runs, one of each fault, and no floors: a look in a minute.")
  var quick = false
  @Flag(help: "Leaves out what is held back from tuning.") var tuned = false
  @Flag(help: "Prints each case that was not found.") var misses = false
  @Option(
    help: ArgumentHelp(
      "Writes the spans of this case as OTLP/JSON lines instead, such as shop/errors/1.",
      valueName: "case"))
  var write: String?
  @Option(
    help: ArgumentHelp(
      "When the written case begins, Unix seconds; the default is in November 2023.",
      valueName: "time"))
  var start: UInt64?

  func validate() throws {
    if let each, !(1...1_000).contains(each) { throw ValidationError("--each is 1 to 1000.") }
    if let start, start > 9_000_000_000 {
      throw ValidationError("--start is in seconds, up to 9000000000.")
    }
  }

  func run() throws {
    let floors: AccuracyFloors
    do {
      floors = try AccuracyFloors.read(self.floors)
    } catch {
      throw ValidationError(
        "cannot read \(self.floors): \(error). Run this at the top of the checkout, or name a file "
          + "with --floors.")
    }
    let corpus = AccuracyCorpus(floors: floors, each: each ?? (quick ? 1 : nil), seed: seed)
    if let write { return try self.write(write, of: corpus) }
    let ofGate = try readGateFloors()
    let gate = GateRows(ofGate, seed: seed, share: quick ? 0.1 : 1)
    print(([TableText.header] + gate.lines).joined(separator: "\n"))
    let table = RootCauseTable(trials: trials(corpus.tuned), healthy: trials(corpus.healthy))
    print(table.lines(title: "root causes: the truth is first").joined(separator: "\n"))
    if !tuned {
      let held = RootCauseTable(trials: trials(corpus.heldBack), healthy: [])
      print(held.lines(title: "root causes, held back from tuning").joined(separator: "\n"))
    }
    let attributed = attribution(floors, heldBack: false)
    print(attributed.lines(title: "attribution").joined(separator: "\n"))
    if !tuned {
      let held = attribution(floors, heldBack: true)
      print(held.lines(title: "attribution, held back").joined(separator: "\n"))
    }
    // So few runs reach no floor, or miss it, by chance.
    if quick { return }
    let shortfalls =
      ofGate.shortfalls(of: gate.outcomes) + table.shortfalls(of: floors.rootCauses)
      + attributed.shortfalls(of: floors.attribution)
    for shortfall in shortfalls {
      FileHandle.standardError.write(Data("\(shortfall)\n".utf8))
    }
    if !shortfalls.isEmpty { throw ExitCode.failure }
  }

  private func attribution(_ floors: AccuracyFloors, heldBack: Bool) -> AttributionTable {
    let cases = AttributionCase.all.filter {
      floors.attribution.heldBack.contains($0.name) == heldBack
    }
    let runs = quick ? max(1, floors.attribution.runs / 10) : floors.attribution.runs
    return AttributionTable(
      trials: cases.flatMap {
        AttributionSimulation.run($0, runs: runs, seed: seed ?? floors.seed)
      })
  }

  private func readGateFloors() throws -> GateFloors {
    do {
      return try GateRows.floors(gateFloors)
    } catch {
      throw ValidationError(
        "cannot read \(gateFloors): \(error). Run this at the top of the checkout, or name a file "
          + "with --gate-floors.")
    }
  }

  private func trials(_ cases: [CorpusCase]) -> [RootCauseTrial] {
    cases.map { corpusCase in
      let trial = RootCauseTrial(corpusCase)
      if misses, !trial.isRight {
        print("\(trial.name): \(corpusCase.truth), found \(trial.found.prefix(5))")
      }
      return trial
    }
  }

  private func write(_ name: String, of corpus: AccuracyCorpus) throws {
    let all = corpus.tuned + corpus.healthy + corpus.heldBack
    guard let found = all.first(where: { $0.name == name }) else {
      throw ValidationError(
        "there is no case \(name); there are \(all.map(\.name).joined(separator: ", "))")
    }
    var simulator = Simulator(
      found.system, faults: found.faults, load: found.load,
      start: start.map { $0.multipliedReportingOverflow(by: .second).partialValue }
        ?? RootCauseTrial.start,
      seed: found.seed)
    for second in stride(from: 10, through: CorpusCase.end, by: 10) {
      var traces: [SimulatedTrace] = []
      simulator.run(until: second) { traces.append($0) }
      // Names are made as they are needed, so those of these traces are known by now.
      let lines = OTLPLines(names: simulator.names)
      for trace in traces { print(lines.line(trace)) }
    }
  }
}

/// Which cases there are.
struct AccuracyCorpus {
  var tuned: [CorpusCase] = []
  var heldBack: [CorpusCase] = []
  var healthy: [CorpusCase] = []

  init(floors: AccuracyFloors, each: Int?, seed: UInt64?) {
    let each = each ?? floors.each
    let seed = seed ?? floors.seed
    for family in Family.allCases {
      let isHeldBack = floors.heldBack.systems.contains(family.rawValue)
      let kinds = Fault.Kind.allCases.filter {
        isHeldBack || !floors.heldBack.faults.contains($0.rawValue)
      }
      let cases = CorpusCase.cases(of: kinds, in: family, each: each, seed: seed)
      if isHeldBack { heldBack += cases } else { tuned += cases }
      healthy += CorpusCase.healthy(in: family, count: each, seed: seed)
    }
  }
}
