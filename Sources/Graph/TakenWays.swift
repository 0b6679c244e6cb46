import Model

/// The ways requests took through one service, from the entry point to the last call.
struct TakenWays {
  /// Those of most traces first.
  private(set) var paths: [DeepDependencies.Path] = []
  private var hops: Set<Hop> = []

  private struct Hop: Hashable {
    var client: String
    var server: String
  }

  private struct Way {
    var steps: [DeepDependencies.Step]
    var traces: Int64
    var exemplars: [TraceID]
  }

  /// - Parameter services: ids.
  init(_ tree: PathTree, through services: Set<String>) {
    var ways: [Way] = []
    for entry in tree.entries where entry.step.serviceID != Name.overflowText {
      var waiting = [(group: entry, steps: [TakenWays.step(entry)])]
      while let (group, steps) = waiting.popLast() {
        let next = tree.next(after: group).filter { $0.step.serviceID != Name.overflowText }
        for child in next { waiting.append((child, steps + [TakenWays.step(child)])) }
        // A way of one step calls nobody: it is no dependency.
        guard next.isEmpty, steps.count > 1,
          steps.contains(where: { services.contains($0.service) })
        else { continue }
        ways.append(
          Way(
            steps: steps, traces: group.sums.counters[.traces],
            exemplars: group.sums.exemplars.traces))
      }
    }
    ways.sort { a, b in
      if a.traces != b.traces { return a.traces > b.traces }
      return a.steps.flatMap { [$0.service, $0.operation] }
        .lexicographicallyPrecedes(b.steps.flatMap { [$0.service, $0.operation] })
    }
    for way in ways.prefix(DeepDependencies.pathsMax) {
      paths.append(DeepDependencies.Path(steps: way.steps, exemplars: way.exemplars))
      for (client, server) in zip(way.steps, way.steps.dropFirst()) {
        hops.insert(Hop(client: client.service, server: server.service))
      }
    }
  }

  private static func step(_ group: PathTree.Group) -> DeepDependencies.Step {
    DeepDependencies.Step(service: group.step.serviceID, operation: group.step.operation)
  }

  /// Whether each call between these, one after the other, is part of a way that was taken.
  func covers(_ services: [String]) -> Bool {
    zip(services, services.dropFirst()).allSatisfy { client, server in
      hops.contains(Hop(client: client, server: server))
    }
  }
}

/// What operations call, to name those of a path of services.
struct OperationCalls {
  private typealias Step = DeepDependencies.Step

  private struct Hop: Hashable {
    var client: String
    var server: String
  }

  /// Of each pair of services the operations that call each other.
  private var calls: [Hop: [(caller: String, callee: String)]] = [:]

  init(_ gathering: Gathering) {
    for (caller, callees) in gathering.calls {
      guard let from = gathering.calleeLabel(caller) else { continue }
      for callee in callees.keys {
        guard let to = gathering.calleeLabel(callee) else { continue }
        calls[Hop(client: from.node, server: to.node), default: []]
          .append((from.operation, to.operation))
      }
    }
  }

  /// Each service with its operation, where the calls before and after it leave only one.
  func named(_ services: [String]) -> [DeepDependencies.Step] {
    var candidates = [Set<String>?](repeating: nil, count: services.count)
    func narrow(_ index: Int, to found: Set<String>) {
      candidates[index] = candidates[index]?.intersection(found) ?? found
    }
    for index in services.indices.dropLast() {
      guard let pairs = calls[Hop(client: services[index], server: services[index + 1])] else {
        continue
      }
      let known = candidates[index]
      let possible = pairs.filter { known?.contains($0.caller) ?? true }
      narrow(index, to: Set(possible.map(\.caller)))
      narrow(index + 1, to: Set(possible.map(\.callee)))
    }
    return zip(services, candidates).map { service, operations in
      let only = operations.flatMap { $0.count == 1 ? $0.first : nil }
      return Step(service: service, operation: only ?? "")
    }
  }
}
