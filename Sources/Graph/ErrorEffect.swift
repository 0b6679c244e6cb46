internal import Glibc
import Model

/// Lets one service fail more often and follows the failures up the callers, by operation: as often as
/// a request makes the call at all, and as often as a caller failed after the call did.
struct ErrorEffect {
  private let gathering: Gathering
  private let structure: CallStructure
  private let targets: Set<NameID>

  /// - Parameter operation: the only one that fails more often; nil for all.
  init(
    _ gathering: Gathering, _ structure: CallStructure, _ target: Node, operation: String?
  ) {
    self.gathering = gathering
    self.structure = structure
    targets = structure.targets(target.nameID, operation: operation, gathering)
  }

  /// The share of an operation's or a node's requests that does not fail.
  private func healthy(_ name: NameID) -> Double {
    let service = structure.service(of: name)
    guard let sums = gathering.operations[service]?[name] ?? gathering.nodes[service] else {
      return 1
    }
    let failed = share(
      sums.counters.adjusted(.errorsAdjusted), of: sums.counters.adjusted(.requestsAdjusted))
    return max(0, 1 - (failed ?? 0))
  }

  /// What fails already cannot fail in addition. Calls of one request are taken to fail by themselves,
  /// not together.
  func entries(
    _ tree: PathTree, _ environment: String?, rate: Double
  ) -> [WhatIf.Errors] {
    var sources: [NameID: Double] = [:]
    for target in targets { sources[target] = min(rate, healthy(target)) }
    let increases = structure.follow(from: sources, tolerance: 1e-9) { caller, calls, increase in
      var survives = 1.0
      for call in calls where !call.isSent {
        let failing = increase(call.callee)
        guard failing > 0 else { continue }
        let passed = min(1, failing * (call.passedOn ?? 1))
        survives *= 1 - call.probability * (1 - pow(1 - passed, call.times))
      }
      return min(1 - survives, healthy(caller))
    }
    let supposed = reached { $0.passedOn == nil }
    let overflowing = structure.leading(to: structure.overflowing) { !$0.isSent }
    return tree.entries.compactMap { entry -> WhatIf.Errors? in
      guard environment.map({ $0 == entry.step.environment }) ?? true,
        let operation = entry.nodes.first?.operation
      else { return nil }
      let counters = entry.sums.counters
      let requests = counters.adjusted(.requestsAdjusted)
      return WhatIf.Errors(
        entry: entry.step.label, environment: entry.step.environment, requests: requests,
        errorRate: share(counters.adjusted(.errorsAdjusted), of: requests),
        increase: entry.isOverflow ? nil : increases[operation] ?? 0,
        isSupposed: supposed.contains(operation),
        hasOverflow: entry.isOverflow || overflowing.contains(operation)
          || overflowing.contains(.none) && structure.calls(of: operation).isEmpty)
    }.sorted { a, b in
      let increases = (a.increase ?? 0, b.increase ?? 0)
      return increases.0 != increases.1 ? increases.0 > increases.1 : a.entry < b.entry
    }
  }

  /// To whom failures come by way of a call of some kind.
  private func reached(by isMeant: (CallStructure.Call) -> Bool) -> Set<NameID> {
    let touched = structure.leading(to: targets) { !$0.isSent }
    let first = touched.filter { name in
      !targets.contains(name)
        && structure.calls(of: name).contains { call in
          !call.isSent && isMeant(call) && structure.leads(call, to: touched)
        }
    }
    return structure.leading(to: first, besides: targets) { !$0.isSent }
  }
}
