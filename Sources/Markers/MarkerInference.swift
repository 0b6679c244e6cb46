public import Model

/// Infers deployments from the versions that spans name: a version first seen after another version
/// of the same service was.
///
/// What is inferred depends on when each version was first seen, not on the order in which that
/// became known: a span that comes late moves a deployment, or takes it back. The first version of
/// a service is no deployment, and neither are several that begin in the same window: nothing
/// says which of them was there before.
public struct MarkerInference: Sendable {
  /// A deployment that has to be made known.
  public struct Deployment: Equatable, Sendable {
    public var service: NameID
    public var version: NameID
    /// The version that ran before; of several, the one seen last.
    public var previous: NameID
    /// The start of the window in which the version was first seen, Unix nanoseconds.
    public var time: Nanos

    public init(service: NameID, version: NameID, previous: NameID, time: Nanos) {
      self.service = service
      self.version = version
      self.previous = previous
      self.time = time
    }
  }

  /// What new sightings change.
  public struct Changes: Equatable, Sendable {
    /// New, or earlier than known.
    public var deployments: [Deployment] = []
    /// Versions that turned out to be the first of their service.
    public var retracted: [VersionSighting] = []

    public init() {}
    public var isEmpty: Bool { deployments.isEmpty && retracted.isEmpty }
  }

  /// What is remembered at most; beyond it what was not seen for longest is forgotten.
  public struct Limits: Equatable, Sendable {
    public var versionsPerServiceMax = 128
    public var servicesMax = 20_000

    public init() {}
  }

  private struct Seen: Sendable {
    var first: Nanos
    var newest: Nanos
  }

  private var services: [NameID: [NameID: Seen]] = [:]
  private let limits: Limits

  /// - Parameter known: what was seen before; nothing is inferred from it.
  public init(knowing known: some Sequence<VersionSighting> = [], limits: Limits = Limits()) {
    self.limits = limits
    for sighting in known { note(sighting) }
    for service in services.keys { trim(service) }
    trim()
  }

  /// How many versions are remembered.
  public var count: Int { services.values.reduce(0) { $0 + $1.count } }

  /// Takes in what was seen; the answer depends on the set of sightings, not on their order.
  public mutating func observe(_ sightings: some Sequence<VersionSighting>) -> Changes {
    var changes = Changes()
    let ofServices = Dictionary(grouping: sightings, by: \.service)
    for service in ofServices.keys.sorted() {
      observe(ofServices[service] ?? [], of: service, &changes)
    }
    trim()
    return changes
  }

  private mutating func observe(
    _ sightings: [VersionSighting], of service: NameID, _ changes: inout Changes
  ) {
    let before = deployed(service)
    for sighting in sightings { note(sighting) }
    let after = deployed(service)
    for version in after.keys.sorted() where before[version] != after[version] {
      guard let time = after[version] else { continue }
      changes.deployments.append(
        Deployment(
          service: service, version: version,
          previous: previous(of: version, at: time, service), time: time))
    }
    for version in before.keys.sorted() where after[version] == nil {
      guard let seen = services[service]?[version] else { continue }
      changes.retracted.append(
        VersionSighting(
          service: service, version: version, first: seen.first, newest: seen.newest))
    }
    trim(service)
  }

  private mutating func note(_ sighting: VersionSighting) {
    guard !sighting.version.isNone else { return }
    let seen = services[sighting.service]?[sighting.version]
    services[sighting.service, default: [:]][sighting.version] = Seen(
      first: min(sighting.first, seen?.first ?? .max),
      newest: max(sighting.newest, seen?.newest ?? 0))
  }

  /// The versions of a service that came after its first, and when.
  private func deployed(_ service: NameID) -> [NameID: Nanos] {
    let versions = services[service] ?? [:]
    guard let earliest = versions.values.lazy.map(\.first).min() else { return [:] }
    return versions.mapValues(\.first).filter { $0.value > earliest }
  }

  /// Of the versions seen before: the one still seen last, then the one that came last.
  private func previous(of version: NameID, at time: Nanos, _ service: NameID) -> NameID {
    let earlier = (services[service] ?? [:]).filter { $0.key != version && $0.value.first < time }
    let found = earlier.max { a, b in
      let ends = (min(a.value.newest, time), min(b.value.newest, time))
      if ends.0 != ends.1 { return ends.0 < ends.1 }
      if a.value.first != b.value.first { return a.value.first < b.value.first }
      return a.key < b.key
    }
    return found?.key ?? .none
  }

  private mutating func trim(_ service: NameID) {
    guard let versions = services[service], versions.count > limits.versionsPerServiceMax else {
      return
    }
    let kept = versions.sorted {
      $0.value.newest != $1.value.newest
        ? $0.value.newest > $1.value.newest : $0.key < $1.key
    }.prefix(limits.versionsPerServiceMax)
    services[service] = Dictionary(uniqueKeysWithValues: Array(kept))
  }

  private mutating func trim() {
    guard services.count > limits.servicesMax else { return }
    let newest = services.mapValues { $0.values.lazy.map(\.newest).max() ?? 0 }
    let forgotten = newest.sorted {
      $0.value != $1.value ? $0.value < $1.value : $0.key < $1.key
    }.prefix(services.count - limits.servicesMax)
    for (service, _) in forgotten { services.removeValue(forKey: service) }
  }
}
