internal import Glibc
public import Model

/// Reads the circumstances of a change from windows and markers.
///
/// What shifted and where it began the searches for shifts and root causes say, and how much is due to
/// other operations being asked for is what the ranking takes off too.
public struct CircumstanceSearch {
  /// The change, and the service it is of.
  public struct Subject: Sendable {
    public var service: NameID
    /// The version it goes on beside; none where there is no other.
    public var baseline: NameID
    public var baselineText: String
    public var version: String
    public var marker: Marker?
    public var start: Nanos

    public init(
      service: NameID, version: String, marker: Marker?, start: Nanos, baseline: NameID = .none,
      baselineText: String = ""
    ) {
      self.service = service
      self.version = version
      self.marker = marker
      self.start = start
      self.baseline = baseline
      self.baselineText = baselineText
    }
  }

  /// Windows in order of time without gaps, all of one width, from well before the change until now.
  public struct Stretch: Sendable {
    public var start: Nanos
    public var width: Nanos
    public var windows: [Window]

    public init(start: Nanos, width: Nanos, windows: [Window]) {
      self.start = start
      self.width = max(width, 1)
      self.windows = windows
    }

    var seconds: Double { Double(width) / Double(Nanos.second) }
    var end: Nanos { time(windows.count) }

    func time(_ position: Int) -> Nanos {
      start.saturatingAdding(
        Nanos(max(0, position)).multipliedReportingOverflow(by: width).partialValue)
    }

    /// How many windows end at or before a time.
    func count(before time: Nanos) -> Int {
      min(windows.count, Int(clamping: time.saturatingSubtracting(start) / width))
    }
  }

  private let subject: Subject
  private let stretch: Stretch
  private let names: [NameID: Name]
  private let label: (NameID) -> String
  private var search: CauseSearch
  private let below: Set<NameID>

  /// - Parameter label: how users read a node.
  public init(
    _ subject: Subject, in stretch: Stretch, names: [NameID: Name],
    label: @escaping (NameID) -> String
  ) {
    self.subject = subject
    self.stretch = stretch
    self.names = names
    self.label = label
    let before = stretch.count(before: subject.start)
    // A window that holds the change is of neither side.
    let since = stretch.count(before: subject.start.saturatingAdding(stretch.width - 1))
    search = CauseSearch(
      base: SystemHistory(Array(stretch.windows[..<before]), seconds: stretch.seconds),
      current: SystemHistory(Array(stretch.windows[since...]), seconds: stretch.seconds))
    below = search.reachable(from: subject.service, by: search.callees)
      .subtracting([subject.service])
  }

  /// - Parameter markers: all of about the time, whomever they concern.
  public mutating func run(_ markers: [Marker]) -> Circumstances {
    var circumstances = Circumstances(
      changes: changes(markers), causes: causes(search.run()), mix: mix, busiest: busiest,
      instances: instances, undone: undone(markers))
    findMoments(&circumstances)
    return circumstances
  }

  // MARK: - Other changes

  private func changes(_ markers: [Marker]) -> [Circumstances.Change] {
    let first = subject.start.saturatingSubtracting(ConcurrentChange.nearNanos)
    let near = markers.filter {
      $0.id != subject.marker?.id && $0.time >= first && $0.time < stretch.end
    }
    let own = Set(
      ConcurrentChange.of(
        version: subject.version, baseline: subject.baselineText, besides: subject.marker?.id,
        in: near.filter { concerns($0, subject.service) }, start: subject.start,
        until: stretch.end
      ).map(\.marker.id))
    let nodes = below.sorted()
    let found = near.compactMap { marker -> Circumstances.Change? in
      let node: NameID
      let place: Circumstances.Place
      if marker.kind == .incident {
        return nil
      } else if marker.service.isEmpty {
        (node, place) = (.none, .everywhere)
      } else if concerns(marker, subject.service) {
        // What an own rollout does to the number of instances is part of it.
        let isScaling = marker.kind == .scaling && marker.attributes["rollout"] == nil
        guard own.contains(marker.id) || isScaling || marker.kind == .infrastructure else {
          return nil
        }
        (node, place) = (subject.service, .own)
      } else if let touched = nodes.first(where: { concerns(marker, $0) }) {
        (node, place) = (touched, .below)
      } else {
        return nil
      }
      return Circumstances.Change(
        marker: marker.id, kind: marker.kind, service: node.isNone ? "" : label(node),
        version: marker.version, place: place, time: marker.time,
        undone: marker.state == .rolledBack ? marker.until : nil)
    }
    return found.sorted { ($0.time, $0.marker.raw) < ($1.time, $1.marker.raw) }
  }

  private func concerns(_ marker: Marker, _ node: NameID) -> Bool {
    names[node].map { marker.concerns(NodeIdentity(text: $0.text)) } ?? false
  }

  /// By its own marker, or by one that deploys what ran before.
  private func undone(_ markers: [Marker]) -> Nanos? {
    if let marker = subject.marker, marker.state == .rolledBack { return marker.until }
    guard !subject.baselineText.isEmpty else { return nil }
    return markers.filter {
      $0.kind == .deployment && $0.version == subject.baselineText && $0.time > subject.start
        && $0.time < stretch.end && concerns($0, subject.service)
    }.map(\.time).min()
  }

  // MARK: - Where

  private func causes(_ ranking: [RootCause]) -> [Circumstances.Cause] {
    let placed = ranking.compactMap { cause -> (cause: RootCause, place: Circumstances.Place)? in
      if cause.kind == .platform || cause.node.isNone { return (cause, .everywhere) }
      if cause.node == subject.service || cause.kind == .load { return (cause, .own) }
      return below.contains(cause.node) ? (cause, .below) : nil
    }
    let all = placed.reduce(0) { $0 + $1.cause.score }
    guard all > 0 else { return [] }
    return placed.map { cause, place in
      let way = cause.path.dropLast()
      return Circumstances.Cause(
        kind: cause.kind, place: place, service: cause.node.isNone ? "" : label(cause.node),
        caller: place == .below ? way.last.map(label) ?? "" : "", share: cause.score / all)
    }
  }

  // MARK: - When

  private func findMoments(_ circumstances: inout Circumstances) {
    let first = stretch.count(
      before: subject.start.saturatingSubtracting(ConcurrentChange.nearNanos))
    let own = subject.service
    let places = below.union([own])
    let found = Shifts(
      stretch.windows, seconds: stretch.seconds, from: first, isIncluded: { places.contains($0) }
    ).shifts
    let worse = found.filter { shift in
      // What other operations, or a common cause, explain did not begin here.
      guard shift.isWorse, shift.metric != .callProbability, places.contains(shift.place.node),
        shift.explanation != .operationMix, shift.explanation != .platform
      else { return false }
      return shift.place.part.isNone
        || shift.place.node == own && shift.place.part == subject.baseline
    }
    circumstances.onset = strongest(worse)
    circumstances.surge = strongest(
      found.filter {
        $0.metric == .requestRate && $0.place == LevelShift.Place(node: own) && $0.after > $0.before
      })
  }

  private func strongest(_ shifts: [LevelShift]) -> Circumstances.Moment? {
    shifts.max { Shifts.isStronger($1, $0) }.map { shift in
      Circumstances.Moment(
        earliest: stretch.time(shift.onsetEarliest), latest: stretch.time(shift.onsetLatest + 1),
        ended: shift.ended.map { stretch.time($0) })
    }
  }

  // MARK: - Operations

  private var operations: [NameID] {
    (search.base.operationsOf[subject.service] ?? [])
      .union(search.current.operationsOf[subject.service] ?? []).sorted()
  }

  /// Of what rose more, latency or the share that fails.
  private var mix: Circumstances.Operation? {
    guard let before = search.base.nodes[subject.service],
      let after = search.current.nodes[subject.service]
    else { return nil }
    let latency = MeanChange(before.latency, after.latency)
    let errors = ShareChange(before.errors, after.errors)
    let ofLatency = latency.flatMap {
      explained($0.difference, $0.deviation, \.latency)
    }
    let ofErrors = errors.flatMap { explained($0.difference, $0.deviation, \.errors) }
    let isErrors = (errors?.deviation ?? 0) > (latency?.deviation ?? 0)
    guard let amount = isErrors ? ofErrors : ofLatency, let name = grownOperation else {
      return nil
    }
    return Circumstances.Operation(name: name, amount: amount)
  }

  private func explained(
    _ difference: Double, _ deviation: Double,
    _ metric: KeyPath<SystemHistory.NodeHistory, Observations>
  ) -> Double? {
    guard deviation > CauseSearch.deviationMin, difference > 0,
      let mix = search.mixDifference(subject.service, metric)
    else { return nil }
    return min(max(mix / difference, 0), 1)
  }

  /// The operation whose share of the requests grew most.
  private var grownOperation: String? {
    largest { before, after, allBefore, allAfter in
      allBefore > 0 && allAfter > 0 ? after / allAfter - before / allBefore : 0
    }
  }

  private var busiest: Circumstances.Operation? {
    let before = max(1, Double(search.base.windowsCount))
    let after = max(1, Double(search.current.windowsCount))
    let name = largest { first, second, _, _ in second / after - first / before }
    guard let name, let all = search.base.nodes[subject.service]?.errors.count, all > 0,
      let now = search.current.nodes[subject.service]?.errors.count
    else { return nil }
    return Circumstances.Operation(name: name, amount: now / after / (all / before))
  }

  private func largest(
    _ growth: (_ before: Double, _ after: Double, _ allBefore: Double, _ allAfter: Double) -> Double
  ) -> String? {
    func requests(_ history: SystemHistory, _ operation: NameID) -> Double {
      history.operations[operation]?.errors.count ?? 0
    }
    let allBefore = operations.reduce(0) { $0 + requests(search.base, $1) }
    let allAfter = operations.reduce(0) { $0 + requests(search.current, $1) }
    let found = operations.map { operation in
      (
        operation,
        growth(
          requests(search.base, operation), requests(search.current, operation), allBefore,
          allAfter)
      )
    }.filter { $0.1 > 0 }.max { $0.1 < $1.1 }
    return found.flatMap { names[$0.0]?.text }
  }

  // MARK: - Instances

  /// Over so long instances are counted: each has had a request by then.
  private static let countedNanos: Nanos = 3 * .minute

  private var instances: Circumstances.Instances? {
    let count = max(1, Int(clamping: CircumstanceSearch.countedNanos / stretch.width))
    func last(_ history: SystemHistory) -> Int {
      let seen = history.instances[subject.service] ?? []
      return seen.suffix(count).reduce(into: Set<NameID>()) { $0.formUnion($1) }.count
    }
    let found = Circumstances.Instances(before: last(search.base), now: last(search.current))
    return found.before > 0 && found.now > 0 ? found : nil
  }
}
