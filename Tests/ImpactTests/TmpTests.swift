import Testing
import Foundation
@testable import Impact
@Suite struct Tmp {
  @Test func sim() {
    let runs = Int(ProcessInfo.processInfo.environment["RUNS"] ?? "20")!
    let only = ProcessInfo.processInfo.environment["ONLY"]
    var o = GateScenario.all.filter { only == nil || $0.name.contains(only!) }.map { GateSimulation.run($0, runs: runs, seed: 7) }
    if only == "busy" {
      for step in [0.005, 0.01] { for kept in [0.9, 0.97] {
      o.append(GateSimulation.run(GateScenario("busy \(step) \(kept)") { 
      $0.currentRate = 200
      $0.baselineRate = 1800
      $0.wanderKept = kept
      $0.wanderStep = step }, runs: runs, seed: 8)) } }
    }
    print(GateSimulation.table(o))
  }
}
