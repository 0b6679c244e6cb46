import Graph
import Impact
import Model
import Store

/// One change of one service, and the reading of what was seen of it.
struct Rollout {
  let service: Name
  /// `NameID.none` where spans name no versions: then all traffic since the start is meant.
  let version: NameID
  let versionText: String
  let marker: Marker?
  let start: Nanos
  /// The other versions of the service, by when they were first seen.
  var others: [VersionSighting] = []
  var texts: [NameID: String] = [:]
  /// What share of the requests markers say the version gets.
  var announced: [AnnouncedShare] = []
  /// What does not fit together about it, for a person.
  var oddities: [String] = []
  /// All markers of the service.
  var changes: [Marker] = []
  private(set) var baseline: NameID?

  var baselineText: String { baseline.flatMap { texts[$0] } ?? "" }

  init(of service: Name, version: NameID, versionText: String, marker: Marker?, start: Nanos) {
    self.service = service
    self.version = version
    self.versionText = versionText
    self.marker = marker
    self.start = start
  }

  /// A change that no version tells of.
  init(of service: Name, change: Marker) {
    self.init(
      of: service, version: .none,
      versionText: change.version.isEmpty ? "the \(change.kind.rawValue)" : change.version,
      marker: change, start: change.time.floored(to: windowNanos))
  }

  /// Other changes of the service that began at about the same time, once the baseline is found.
  private func otherChanges(until: Nanos) -> [ConcurrentChange] {
    ConcurrentChange.of(
      version: version.isNone ? marker?.version ?? "" : versionText, baseline: baselineText,
      besides: marker?.id, in: changes, start: start, until: until)
  }

  /// What a person should know besides the numbers.
  func remarks(until: Nanos) -> [String] {
    oddities + otherChanges(until: until).map { $0.sentence(written: Timestamp.text) }
  }

  /// The versions that ran before.
  var candidates: [RollbackTarget.Candidate] {
    others.filter { $0.first < start }.compactMap { sighting in
      texts[sighting.version].map {
        RollbackTarget.Candidate(version: $0, newest: sighting.newest)
      }
    }
  }

  // MARK: - The baseline

  /// What the marker says ran before, else the version with most traces in the hour before, else
  /// the one seen last before the start.
  mutating func findBaseline(
    in engine: Engine, until: Nanos, _ remarks: inout [String]
  ) async throws {
    guard !version.isNone else {
      let name = NodeIdentity(text: service.text).name
      remarks.append(
        others.isEmpty
          ? "spans of \(name) name no version: all its traffic since the change is judged"
          : "\(versionText) is of no one version: all traffic of \(name) since then is judged")
      return
    }
    if let previous = marker?.previousVersion, !previous.isEmpty {
      baseline = others.first { texts[$0.version] == previous }?.version
      if baseline != nil { return }
      remarks.append("no span of the previous version \(previous) is known")
    }
    let history = start.saturatingSubtracting(RolloutWindows.historyNanos)..<start
    let seen = try await read(in: engine, from: history.lowerBound, to: history.upperBound)
    baseline =
      seen.busiestVersion(besides: version, from: history.lowerBound, to: history.upperBound)
      ?? others.filter { $0.first < start }.max { $0.newest < $1.newest }?.version
  }

  // MARK: - The question

  func question(
    in engine: Engine, until: Nanos, deadline: FixedDeadline?, settings: GateSettings
  ) async throws -> GateQuestion {
    let windows = try await read(
      in: engine, from: start.saturatingSubtracting(RolloutWindows.historyNanos), to: until,
      agesSince: start.saturatingSubtracting(Rollout.agesBeforeNanos))
    var question = GateQuestion()
    if let baseline {
      question.concurrent = ConcurrentQuestion(
        version: versionText, baseline: baselineText, start: start, until: until,
        windows: windows.compared(version, with: baseline, from: start, to: until),
        history: windows.history(of: baseline, before: start),
        lastSeen: try await lastSeen(in: engine, until: until, width: windows.width),
        announced: announced, deadline: deadline, settings: settings)
    }
    if question.concurrent?.baselineIsGone ?? true {
      question.beforeAfter = try await beforeAfter(
        in: engine, until: until, windows, settings: settings)
    }
    return question
  }

  /// The versions of the service window by window, and the calls that did not reach it.
  /// - Parameter agesSince: from when on it is looked at how long instances have been there; nil for
  ///   not at all.
  private func read(
    in engine: Engine, from: Nanos, to: Nanos, agesSince: Nanos? = nil
  ) async throws -> RolloutWindows {
    let width = try await engine.finestWidth(at: from)
    let own = service.id.raw
    let read = try await engine.windows(
      SeriesSelection([.version: .first([own]), .unreached: .all]), from: from, to: to, by: width)
    var names = read.names
    var sums = read.sums
    let peers = sums.unreachedPeers
    if !peers.isEmpty {
      let holders = try await engine.windows(
        SeriesSelection([.instance: .first([own]), .answered: .first(peers)]),
        from: from.floored(to: .minute), to: to, by: max(width, .minute))
      sums.merge(holders.sums)
      names.merge(holders.names) { recent, _ in recent }
    }
    let shared = peers.isEmpty ? [] : try await othersAddresses(in: engine, from: from, to: to)
    return RolloutWindows(
      service: service.id, width: width.nanos, versions: read.sums,
      unreached: UnreachedFailures(
        of: service, in: sums, names: names, current: version, shared: shared),
      ages: try await ages(in: engine, from: agesSince ?? to, to: to, width: width))
  }

  /// Where a version was deployed again its instances may be older than the change: so long before it
  /// they are looked for.
  private static let agesBeforeNanos: Nanos = 10 * .minute

  private func ages(
    in engine: Engine, from: Nanos, to: Nanos, width: TileWidth
  ) async throws -> InstanceAges {
    // A wider window than this is no instance's first minutes.
    guard from < to, width.nanos <= InstanceAges.warmUpNanos else { return InstanceAges() }
    let read = try await engine.windows(
      SeriesSelection([.instance: .first([service.id.raw])]), from: from, to: to, by: width)
    return InstanceAges(of: service.id, in: read.sums)
  }

  /// When the version was last seen, to ten seconds: in a long rollout a window covers minutes or an
  /// hour, and a version may have gone silent within it. nil where windows are fine enough, or nothing
  /// finer is kept.
  private func lastSeen(in engine: Engine, until: Nanos, width: Nanos) async throws -> Nanos? {
    guard width > windowNanos else { return nil }
    let from = max(start, until.floored(to: width).saturatingSubtracting(width))
    guard try await engine.finestWidth(at: from) == .tenSeconds else { return nil }
    let read = try await engine.windows(
      SeriesSelection([.version: .first([service.id.raw])]), from: from, to: until, by: .tenSeconds)
    let key = SeriesKey.version(service.id, version)
    let seen = read.sums.windows.filter { ($0.value.series[key]?.counters[.traces] ?? 0) > 0 }
    return seen.keys.max()?.saturatingAdding(windowNanos) ?? from
  }

  /// What instances of other services say is their address: hosts are shared, and addresses of pods
  /// are given out again.
  private func othersAddresses(
    in engine: Engine, from: Nanos, to: Nanos
  ) async throws -> Set<String> {
    let read = try await engine.windows(
      SeriesSelection([.instance: .all]), from: from.floored(to: TileWidth.tenMinutes.nanos),
      to: to,
      by: .tenMinutes)
    return read.sums.windows.values.reduce(into: []) { addresses, window in
      for key in window.series.keys where key.first != service.id.raw {
        let instance = read.names[NameID(key.second)].map { InstanceIdentity(text: $0.text) }
        if let address = instance?.address, !address.isEmpty { addresses.insert(address) }
      }
    }
  }

  private func beforeAfter(
    in engine: Engine, until: Nanos, _ windows: RolloutWindows, settings: GateSettings
  ) async throws -> BeforeAfterQuestion {
    let width = try await engine.stretchWidth(from: start, to: until)
    let plan = StretchPlan(from: start, to: until, width: width.nanos)
    let around = try await engine.graphInput(
      from: start.saturatingSubtracting(StretchPlan.beforeNanos), to: until,
      kinds: [.node, .edge])
    let controls = Controls.of(service.id, in: around.window, names: around.names)
    let nodes = Set([service.id] + controls)
    let read = try await engine.windows(
      SeriesSelection([.node: .first(Set(nodes.map(\.raw)))]), from: plan.range.lowerBound,
      to: plan.range.upperBound, by: width)
    return BeforeAfterQuestion(
      version: versionText, start: start, until: until,
      subject: plan.series(
        of: service.id, in: read.sums,
        after: version.isNone ? nil : windows.total(of: version, from: start, to: until)),
      controls: controls.map { plan.series(of: $0, in: read.sums) },
      history: plan.history(of: service.id, in: read.sums),
      unknownFailures: version.isNone
        ? windows.unreachedFailures(from: start.floored(to: windows.width), to: until)
        : windows.unknownFailures(from: start.floored(to: windows.width), to: until),
      otherChanges: otherChanges(until: until).count, settings: settings)
  }
}

extension WindowSums {
  /// The names that calls went by which reached nobody.
  fileprivate var unreachedPeers: Set<UInt64> {
    windows.values.reduce(into: []) { peers, window in
      for key in window.series.keys where key.kind == .unreached { peers.insert(key.first) }
    }
  }
}

extension Engine {
  /// The finest windows that are kept from a time on.
  func finestWidth(at time: Nanos) async throws -> TileWidth {
    let now = self.now
    return try await onStore { try $0.finestWidth(at: time, now: now) }
  }

  /// How wide the windows of a before/after comparison are: as wide as the stretch allows, because
  /// there are many stretches to read, and no finer than what is kept.
  fileprivate func stretchWidth(from start: Nanos, to until: Nanos) async throws -> TileWidth {
    let length = until.saturatingSubtracting(start)
    let widest = TileWidth.allCases.last { $0.nanos <= length } ?? .tenSeconds
    let first = StretchPlan(from: start, to: until, width: widest.nanos).range.lowerBound
    return max(widest, try await finestWidth(at: first))
  }
}
