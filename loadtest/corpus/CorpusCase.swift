/// One thing that goes wrong in one system, and what a good answer would be.
public struct CorpusCase: Sendable, Equatable {
  public var name: String
  public var system: SystemDescription
  public var faults: [Fault]
  public var load: Load
  public var truth: Truth
  public var seed: UInt64

  /// Where it began.
  public enum Truth: Sendable, Equatable {
    case service(Int)
    case load
    case platform
    case nothing
  }

  /// Seconds of the simulation: until the first nothing counts, because the system fills up; until the
  /// second all is well.
  public static let settled = 60.0
  public static let onset = 600.0
  public static let end = 900.0

  /// As many cases of each kind of fault, over several systems. The same seed makes the same ones.
  public static func cases(
    of kinds: [Fault.Kind], in family: Family, each count: Int, seed: UInt64
  ) -> [CorpusCase] {
    var random = Randomness(seed: seed)
    var cases: [CorpusCase] = []
    for kind in kinds {
      for number in 0..<count {
        let system = family.system(number, seed: random.next())
        let places = FaultPlaces(system)
        guard let (fault, truth) = places.fault(kind, strength: number % 4, &random) else {
          continue
        }
        cases.append(
          CorpusCase(
            name: "\(family.rawValue)/\(kind.rawValue)/\(number)", system: system, faults: [fault],
            load: family.load, truth: truth, seed: random.next()))
      }
    }
    return cases
  }

  /// Nothing goes wrong.
  public static func healthy(in family: Family, count: Int, seed: UInt64) -> [CorpusCase] {
    var random = Randomness(seed: seed)
    return (0..<count).map { number in
      CorpusCase(
        name: "\(family.rawValue)/healthy/\(number)",
        system: family.system(number, seed: random.next()), faults: [], load: family.load,
        truth: .nothing, seed: random.next())
    }
  }
}

/// Systems and load of one sort.
public enum Family: String, Sendable, CaseIterable {
  case shop, layers, chain, restless

  func system(_ number: Int, seed: UInt64) -> SystemDescription {
    switch self {
    case .shop: .shop(rate: 15)
    case .layers: .layers(number % 2 == 0 ? [2, 5, 6, 3] : [3, 4, 4], rate: 15, seed: seed)
    case .chain: .layers([1, 1, 2, 1, 2, 1, 1], rate: 12, untracedShare: 0, seed: seed)
    case .restless: .layers([2, 6, 6, 4], rate: 15, untracedShare: 0.2, seed: seed)
    }
  }

  var load: Load {
    switch self {
    case .shop, .layers, .chain: Load(restlessness: 0.1)
    case .restless: Load(wave: 0.3, waveSeconds: 1_800, restlessness: 0.25)
    }
  }
}

/// Where in a system something can go wrong so that spans can tell.
struct FaultPlaces {
  private let system: SystemDescription
  private let traced: [Int]
  private let called: [Int]
  private let callers: [Int]
  private let databases: [Int]

  init(_ system: SystemDescription) {
    self.system = system
    var waiting = system.entries.map(\.operation)
    var seen = Set(waiting)
    var reached: Set<Int> = []
    var seenByTraced: Set<Int> = []
    while let next = waiting.popLast() {
      reached.insert(next.service)
      let service = system.services[next.service]
      for call in service.operations[next.operation].groups.joined() {
        // What goes through a queue waits there anyway.
        if service.kind == .traced, call.queue.isEmpty {
          seenByTraced.insert(call.target.service)
        }
        if seen.insert(call.target).inserted { waiting.append(call.target) }
      }
    }
    let entries = Set(system.entries.map(\.operation.service))
    traced = reached.filter { system.services[$0].kind == .traced }.sorted()
    called = traced.filter { !entries.contains($0) && seenByTraced.contains($0) }
    callers = traced.filter { service in
      seen.contains { reference in
        reference.service == service
          && !system.services[service].operations[reference.operation].groups.isEmpty
      }
    }
    databases = seenByTraced.filter { system.services[$0].kind == .database }.sorted()
  }

  /// - Parameter strength: 0, barely there, to 3.
  func fault(
    _ kind: Fault.Kind, strength: Int, _ random: inout Randomness
  ) -> (Fault, CorpusCase.Truth)? {
    let anywhere = one(of: traced, &random)
    let size = FaultPlaces.sizes(of: kind)[strength]
    func fault(at service: Int?) -> (Fault, CorpusCase.Truth)? {
      service.map {
        (Fault(kind, service: $0, size: size, start: CorpusCase.onset), .service($0))
      }
    }
    switch kind {
    case .slowCode, .errors, .pauses, .leak: return fault(at: anywhere)
    case .slowDatabase: return fault(at: one(of: databases, &random))
    case .networkDelay, .partialDelay, .lostInstances: return fault(at: one(of: called, &random))
    case .earlyReturn, .shortTimeout, .smallPool: return fault(at: one(of: callers, &random))
    case .wrongAddress:
      guard let caller = one(of: callers, &random),
        let callee = system.services[caller].operations.flatMap({ $0.groups.joined() }).first(
          where: { $0.queue.isEmpty && system.services[$0.target.service].kind == .traced })
      else { return nil }
      return (
        Fault(
          kind, service: caller, callee: callee.target.service, size: size,
          start: CorpusCase.onset), .service(caller)
      )
    case .surge: return (Fault(kind, size: size, start: CorpusCase.onset), .load)
    case .shock: return (Fault(kind, size: size, start: CorpusCase.onset), .platform)
    }
  }

  private func one(of positions: [Int], _ random: inout Randomness) -> Int? {
    positions.isEmpty ? nil : positions[random.position(below: positions.count)]
  }

  private static func sizes(of kind: Fault.Kind) -> [Double] {
    switch kind {
    case .slowCode: [1.3, 1.6, 2.5, 5]
    case .slowDatabase: [1.5, 2, 4, 8]
    case .networkDelay: [3, 8, 20, 80]
    case .errors: [0.02, 0.05, 0.2, 0.6]
    case .earlyReturn: [0.2, 0.4, 0.7, 1]
    case .pauses: [100, 200, 500, 1_500]
    case .wrongAddress: [0.1, 0.3, 0.6, 1]
    case .lostInstances: [1, 1, 1, 1]
    case .surge: [1.5, 2, 3, 5]
    case .shock: [1.2, 1.4, 1.8, 2.5]
    case .shortTimeout: [8, 5, 4, 3]
    case .partialDelay: [0.03, 0.1, 0.3, 0.7]
    case .leak: [2, 3, 5, 10]
    case .smallPool: [4, 2, 1, 1]
    }
  }
}
