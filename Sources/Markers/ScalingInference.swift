public import Model

/// Infers scalings from the instances that spans name: how many of a service there are changes, and
/// stays changed.
///
/// An instance is there from the window in which it was first seen to the end of the one in which it
/// was last seen; it is gone when others of its service were seen for a while after that. Steps that
/// follow each other closely are one: what a rolling deployment adds and takes away again is none.
/// The first instances of a service are no scaling. What is inferred depends on when each instance was
/// seen, not on the order in which that became known.
public struct ScalingInference: Sendable {
  /// How long others have to be seen without an instance before it counts as gone.
  public static let goneAfterNanos: Nanos = 3 * .minute
  /// How close steps are that belong together.
  public static let togetherNanos: Nanos = 2 * .minute
  /// How close a new version is that a step belongs to.
  public static let rolloutNanos: Nanos = 2 * .minute
  /// How far back spans that come late change what was inferred.
  public static let openNanos: Nanos = .hour
  /// At a start: how much of what is remembered is only the ground to stand on.
  public static let groundNanos: Nanos = 10 * .minute

  /// A change of size.
  public struct Step: Equatable, Sendable {
    public var service: NameID
    public var from: Int
    public var to: Int
    /// When the first instance came or went, and when the last did.
    public var time: Nanos
    public var endTime: Nanos
    /// A version of the service was new at about that time.
    public var isRollout: Bool

    public init(
      service: NameID, from: Int, to: Int, time: Nanos, endTime: Nanos, isRollout: Bool = false
    ) {
      self.service = service
      self.from = from
      self.to = to
      self.time = time
      self.endTime = endTime
      self.isRollout = isRollout
    }
  }

  /// What new sightings change.
  public struct Changes: Equatable, Sendable {
    /// New, or other than known.
    public var steps: [Step] = []
    /// Steps that turned out to be none, by service and time.
    public var retracted: [Step] = []

    public init() {}
    public var isEmpty: Bool { steps.isEmpty && retracted.isEmpty }
  }

  /// What is remembered at most. A service with more instances is left alone; of the services the
  /// one that was not seen for longest is forgotten.
  public struct Limits: Equatable, Sendable {
    public var instancesPerServiceMax = 1_000
    public var servicesMax = 10_000

    public init() {}
  }

  private struct Seen: Sendable {
    var first: Nanos
    var newest: Nanos

    mutating func extend(_ sighting: InstanceSighting) {
      first = min(first, sighting.first)
      newest = max(newest, sighting.newest)
    }
  }

  private struct Service: Sendable {
    var instances: [NameID: Seen] = [:]
    /// When each version was first seen.
    var versions: [NameID: Nanos] = [:]
    /// Before it nothing is inferred any more.
    var ground: Nanos = 0

    var newest: Nanos { instances.values.lazy.map(\.newest).max() ?? 0 }
  }

  private var services: [NameID: Service] = [:]
  private let limits: Limits

  /// - Parameters:
  ///   - known: what was seen before; nothing is inferred from it again.
  ///   - start: since when that is known.
  public init(
    knowing known: some Sequence<InstanceSighting> = [], since start: Nanos = 0,
    limits: Limits = Limits()
  ) {
    self.limits = limits
    for sighting in known { note(sighting) }
    guard start > 0 else { return }
    for id in services.keys {
      services[id]?.ground = start.saturatingAdding(ScalingInference.groundNanos)
    }
  }

  /// How many instances are remembered.
  public var count: Int { services.values.reduce(0) { $0 + $1.instances.count } }

  /// Takes in what was seen.
  public mutating func observe(_ sightings: some Sequence<InstanceSighting>) -> Changes {
    var changes = Changes()
    let ofServices = Dictionary(grouping: sightings, by: \.service)
    for id in ofServices.keys.sorted() {
      let before = services[id].map { steps(of: $0, id) } ?? []
      for sighting in ofServices[id] ?? [] { note(sighting) }
      guard let service = services[id] else { continue }
      let after = steps(of: service, id)
      changes.steps += after.filter { !before.contains($0) }
      changes.retracted += before.filter { old in !after.contains { $0.time == old.time } }
      forget(id)
    }
    trim()
    return changes
  }

  private mutating func note(_ sighting: InstanceSighting) {
    var service = services[sighting.service] ?? Service()
    if service.instances[sighting.instance] != nil {
      service.instances[sighting.instance]?.extend(sighting)
    } else if service.instances.count < limits.instancesPerServiceMax {
      service.instances[sighting.instance] = Seen(first: sighting.first, newest: sighting.newest)
    }
    if !sighting.version.isNone,
      service.versions[sighting.version] != nil
        || service.versions.count < limits.instancesPerServiceMax
    {
      service.versions[sighting.version] = min(
        sighting.first, service.versions[sighting.version] ?? .max)
    }
    services[sighting.service] = service
  }

  /// When instances came (+1) and went (-1), in order of time.
  private func moves(of service: Service, until newest: Nanos) -> [(time: Nanos, change: Int)] {
    var moves: [(time: Nanos, change: Int)] = []
    for seen in service.instances.values {
      moves.append((seen.first, 1))
      if let end = ScalingInference.end(of: seen, newest: newest) { moves.append((end, -1)) }
    }
    return moves.sorted { $0.time != $1.time ? $0.time < $1.time : $0.change > $1.change }
  }

  /// nil for an instance that is still there.
  private static func end(of seen: Seen, newest: Nanos) -> Nanos? {
    let end = seen.newest.saturatingAdding(windowNanos)
    return end.saturatingAdding(goneAfterNanos) <= newest ? end : nil
  }

  /// The steps that can be told: what comes next could still belong to a later one.
  private func steps(of service: Service, _ id: NameID) -> [Step] {
    guard service.instances.count < limits.instancesPerServiceMax else { return [] }
    let newest = service.newest
    let settled = newest.saturatingSubtracting(
      ScalingInference.togetherNanos + ScalingInference.goneAfterNanos)
    var steps: [Step] = []
    var level = 0
    var open: Step?
    for move in moves(of: service, until: newest) {
      if let step = open, move.time > step.endTime + ScalingInference.togetherNanos {
        steps.append(step)
        open = nil
      }
      if move.time > service.ground {
        open =
          open ?? Step(service: id, from: level, to: level, time: move.time, endTime: move.time)
        open?.to += move.change
        open?.endTime = move.time
      }
      level += move.change
    }
    if let open { steps.append(open) }
    return steps.filter { $0.from > 0 && $0.from != $0.to && $0.endTime <= settled }.map {
      var step = $0
      step.isRollout = isRollout(step, service)
      return step
    }
  }

  private func isRollout(_ step: Step, _ service: Service) -> Bool {
    let oldest = service.versions.values.min() ?? 0
    let start = step.time.saturatingSubtracting(ScalingInference.rolloutNanos)
    let end = step.endTime.saturatingAdding(ScalingInference.rolloutNanos)
    return service.versions.values.contains { $0 > oldest && $0 >= start && $0 <= end }
  }

  /// Moves the ground forward to a quiet moment, and forgets who was gone before it.
  private mutating func forget(_ id: NameID) {
    guard var service = services[id] else { return }
    let newest = service.newest
    let old = newest.saturatingSubtracting(ScalingInference.openNanos)
    let times = moves(of: service, until: newest).map(\.time)
    for (time, next) in zip(times, times.dropFirst() + [.max])
    where time <= old && next > time.saturatingAdding(ScalingInference.togetherNanos) {
      service.ground = max(service.ground, time)
    }
    let ground = service.ground
    service.instances = service.instances.filter {
      ScalingInference.end(of: $0.value, newest: newest).map { $0 > ground } ?? true
    }
    let oldest = service.versions.values.min() ?? 0
    service.versions = service.versions.filter {
      $0.value == oldest || $0.value.saturatingAdding(ScalingInference.openNanos) > ground
    }
    services[id] = service
  }

  private mutating func trim() {
    guard services.count > limits.servicesMax else { return }
    let forgotten = services.mapValues(\.newest).sorted {
      $0.value != $1.value ? $0.value < $1.value : $0.key < $1.key
    }.prefix(services.count - limits.servicesMax)
    for (id, _) in forgotten { services.removeValue(forKey: id) }
  }
}
