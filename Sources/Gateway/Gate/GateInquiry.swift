import Graph
import Impact
import Model
import Query
import Store

/// Answers one question to the gate: finds out what it is about, then reads what was seen of it.
///
/// What cannot be found out is a reason to wait, never an error: whoever asks is a pipeline, and an
/// unknown version may be known in a minute.
struct GateInquiry {
  let engine: Engine
  let request: GateRequest
  let errorsTolerated: Double
  /// `slo.services`, by a name or an id.
  var objectives: [String: ServiceObjective] = [:]

  /// Why nothing can be compared, for a person.
  private struct Unanswerable: Error {
    var reason: String

    init(_ reason: String) { self.reason = reason }
  }

  /// - Errors: whatever keeps the store or the shards from being read.
  func report() async throws -> GateReport {
    var subject = GateReport.Subject()
    do {
      return try await report(&subject)
    } catch let unanswerable as Unanswerable {
      return GateReport(
        tenant: request.tenant, subject: subject, remarks: [unanswerable.reason])
    }
  }

  private func report(_ subject: inout GateReport.Subject) async throws -> GateReport {
    let named = try await namedMarker()
    subject.marker = named?.id
    subject.version = request.version ?? named?.version ?? ""
    let service = try await service(named)
    let identity = NodeIdentity(text: service.text)
    subject.service = NodeLabel.id(of: service) ?? identity.name
    subject.environment = identity.environment
    guard let until = try await engine.finishedUntil() else {
      throw Unanswerable("no span has been received yet")
    }
    subject.until = until
    var rollout = try await rollout(of: service, identity, named: named, until: until)
    // What has no version is called something in sentences only.
    subject.version = rollout.version.isNone ? rollout.marker?.version ?? "" : rollout.versionText
    subject.marker = rollout.marker?.id
    subject.start = rollout.start
    var remarks: [String] = []
    let deadline = try await settleDeadline(&subject, &remarks)
    guard rollout.start < until else {
      throw Unanswerable(
        RolloutStart.notYet(
          rollout.versionText, start: rollout.start, until: until, written: Timestamp.text))
    }
    try await rollout.findBaseline(in: engine, until: until, &remarks)
    subject.baseline = rollout.baselineText
    remarks = rollout.remarks(until: until) + remarks
    let (tolerated, origin) = tolerated(by: service)
    let settings = GateSettings(errorsTolerated: tolerated, minHealth: request.minHealth)
    var question = try await rollout.question(
      in: engine, until: until, deadline: deadline, settings: settings)
    question.circumstances = try await rollout.circumstances(
      in: engine, tenant: request.tenant, until: until)
    var report = GateReport(
      tenant: request.tenant, subject: subject, question: question, remarks: remarks)
    // Without evidence the reasons are what is missing.
    if let origin, report.hasEvidence {
      report.remarks.append(
        "\(HumanText.percent(settings.errorsTolerated)) of requests may fail: \(origin)")
    }
    let verdict = report.answer.verdict
    if verdict == .rollback { report.subject.rollbackTo = try await target(of: rollout, subject) }
    if let deadline = subject.deadline, until >= deadline, verdict == .wait {
      report.remarks.append(
        "the deadline \(Timestamp.text(deadline)) has passed without a verdict: decide by hand")
    }
    return report
  }

  /// The share of requests that may fail, and who said so where it is not `gate.errors_tolerated`. Who
  /// asks counts before what the service is held to: of that the id before the name, as everywhere.
  private func tolerated(by service: Name) -> (share: Double, origin: String?) {
    if let asked = request.errorsTolerated { return (asked, "the question says so") }
    let names = [NodeLabel.id(of: service) ?? "", NodeIdentity(text: service.text).name]
    guard let name = names.first(where: { objectives[$0] != nil }),
      let share = objectives[name]?.errorRate
    else { return (errorsTolerated, nil) }
    return (share, "the objective of \(name) in slo.services")
  }

  /// Which version to go back to: one that ran before and is not itself to be rolled back.
  private func target(of rollout: Rollout, _ subject: GateReport.Subject) async throws -> String {
    let filter = VerdictFilter(
      tenant: request.tenant, start: 0, end: .max, service: subject.service)
    let verdicts = try await engine.onStore { try $0.verdicts(filter) }.filter { verdict in
      verdict.rollout
        == RolloutID(
          tenant: verdict.tenant, service: verdict.service, environment: subject.environment,
          version: verdict.version)
    }
    return RollbackTarget.version(
      baseline: rollout.baselineText, others: rollout.candidates,
      condemned: RollbackTarget.condemned(in: verdicts)) ?? ""
  }

  // MARK: - What it is about

  private func namedMarker() async throws -> Marker? {
    guard let text = request.marker else { return nil }
    let tenant = request.tenant
    guard let id = MarkerID(text),
      let marker = try await engine.onStore({ try $0.marker(id, tenant: tenant) })
    else {
      throw Unanswerable(
        "no marker \(text) is known; GET /api/v1/markers lists those of the last 24 hours")
    }
    return marker
  }

  private func service(_ marker: Marker?) async throws -> Name {
    guard let wanted = request.service ?? marker.map(\.service), !wanted.isEmpty else {
      throw Unanswerable("the marker is about no service; name one with `service`")
    }
    let known = try await engine.services(of: request.tenant)
      .filter { NodeIdentity(text: $0.text).name != Name.overflowText }
    let namespace =
      request.namespace ?? marker.flatMap { $0.namespace.isEmpty ? nil : $0.namespace }
    let environment =
      request.environment ?? marker.flatMap { $0.environment.isEmpty ? nil : $0.environment }
    let inScope = known.filter { name in
      let identity = NodeIdentity(text: name.text)
      return namespace.map { $0 == identity.namespace } ?? true
        && environment.map { $0 == identity.environment } ?? true
    }
    let byID = inScope.filter { NodeLabel.id(of: $0) == wanted }
    let found = byID.isEmpty ? inScope.filter { NodeIdentity(text: $0.text).name == wanted } : byID
    guard let service = found.first else { throw unknown(wanted, among: known, inScope) }
    guard found.count == 1 else { throw ambiguous(wanted, found) }
    if let marker, request.service != nil, !marker.service.isEmpty,
      !marker.concerns(NodeIdentity(text: service.text)),
      marker.service != NodeLabel.id(of: service)
    {
      throw Unanswerable("marker \(marker.id) is about \(marker.service), not about \(wanted)")
    }
    return service
  }

  private func unknown(_ wanted: String, among known: [Name], _ inScope: [Name]) -> Unanswerable {
    let spelled = Set(
      known.flatMap { [NodeLabel.id(of: $0) ?? "", NodeIdentity(text: $0.text).name] })
    if spelled.contains(wanted) {
      return Unanswerable("service \(wanted) is known, but not in that namespace or environment")
    }
    let nearest = Spelling.nearest(to: wanted, among: spelled.subtracting([""]).sorted())
    let hint =
      nearest.isEmpty ? "check the name" : "spelled alike: \(nearest.joined(separator: ", "))"
    return Unanswerable("no service \(wanted) has been seen; \(hint)")
  }

  private func ambiguous(_ wanted: String, _ found: [Name]) -> Unanswerable {
    let ids = Set(found.map { NodeLabel.id(of: $0) ?? "" })
    guard ids.count == 1 else {
      return Unanswerable(
        "several services are called \(wanted): \(ids.sorted().joined(separator: ", ")); ask for "
          + "one by its id")
    }
    let environments = found.map { NodeIdentity(text: $0.text).environment }.sorted()
      .map { $0.isEmpty ? "- (none)" : $0 }
    return Unanswerable(
      "\(wanted) runs in several environments: \(environments.joined(separator: ", ")); name one "
        + "with `environment`")
  }

  // MARK: - Which version, since when

  private func rollout(
    of service: Name, _ identity: NodeIdentity, named: Marker?, until: Nanos
  ) async throws -> Rollout {
    let sightings = try await sightings(of: service.id)
    let texts = try await engine.texts(of: Set(sightings.map(\.version)))
    let shown = sightings.filter { texts[$0.version].map { $0 != Name.overflowText } ?? false }
    let deployments = try await deployments(of: identity)
    let wanted = request.version ?? named.flatMap { $0.version.isEmpty ? nil : $0.version }
    // A flag or a configuration changes every version at once: none is the measure of another.
    if wanted == nil, let named, named.kind != .deployment {
      var rollout = Rollout(of: service, change: named)
      rollout.others = shown
      rollout.texts = texts
      rollout.changes = try await markers(of: identity)
      return rollout
    }
    guard let version = wanted ?? newest(of: shown, texts, deployments, until) else {
      if let named { return Rollout(of: service, change: named) }
      throw Unanswerable(
        shown.isEmpty
          ? "spans of \(identity.name) name no version and no deployment of it is known: post a "
            + "marker, or set service.version"
          : "\(identity.name) has had but one version so far; name another with `version`")
    }
    if let named, !named.version.isEmpty, named.version != version {
      throw Unanswerable("marker \(named.id) is about \(named.version), not about \(version)")
    }
    let marker = named ?? deployment(of: version, among: deployments, until)
    let sighting = shown.first { texts[$0.version] == version }
    guard let sighting else {
      if let marker, shown.isEmpty { return Rollout(of: service, change: marker) }
      throw unseen(version, of: identity, marker, shown.compactMap { texts[$0.version] })
    }
    let start = RolloutStart(of: version, marker: marker?.time, firstSeen: sighting.first)
    var rollout = Rollout(
      of: service, version: sighting.version, versionText: version, marker: marker,
      start: start.time)
    rollout.oddities = start.remark.map { [$0] } ?? []
    rollout.others = shown.filter { $0.version != sighting.version }
    rollout.changes = try await markers(of: identity)
    rollout.announced = AnnouncedShare.steps(
      in: rollout.changes, of: version, since: rollout.start, until: until)
    rollout.texts = texts
    return rollout
  }

  private func sightings(of service: NameID) async throws -> [VersionSighting] {
    // What is not sealed yet is not in the store. It is asked for first, so that nothing is missed
    // that is on its way there.
    let recent = try await engine.recentSightings(of: service)
    let stored = try await engine.onStore { try $0.versionSightings(of: service) }
    var merged = Dictionary(uniqueKeysWithValues: stored.map { ($0.version, $0) })
    for sighting in recent {
      let known = merged[sighting.version] ?? sighting
      merged[sighting.version] = VersionSighting(
        service: service, version: sighting.version, first: min(known.first, sighting.first),
        newest: max(known.newest, sighting.newest))
    }
    return merged.values.sorted { ($0.first, $0.version) < ($1.first, $1.version) }
  }

  /// Deployments of the service, the newest first.
  private func deployments(of identity: NodeIdentity) async throws -> [Marker] {
    try await markers(of: identity, kind: .deployment)
  }

  /// Markers of the service, the newest first.
  private func markers(
    of identity: NodeIdentity, kind: MarkerKind? = nil
  ) async throws -> [Marker] {
    var filter = MarkerFilter(
      tenant: request.tenant, start: 0, end: .max, service: identity.name, kind: kind)
    filter.namespace = identity.namespace
    filter.environment = identity.environment
    let query = filter
    return try await engine.onStore { try $0.markers(query) }.filter { $0.concerns(identity) }
  }

  private func deployment(of version: String, among all: [Marker], _ until: Nanos) -> Marker? {
    let own = all.filter { $0.version == version }
    return own.first { $0.time <= until } ?? own.last
  }

  /// The version of the latest deployment whose version was seen, else the one first seen last.
  private func newest(
    of shown: [VersionSighting], _ texts: [NameID: String], _ deployments: [Marker], _ until: Nanos
  ) -> String? {
    let seen = Set(shown.compactMap { texts[$0.version] })
    if let deployed = deployments.first(where: { $0.time <= until && seen.contains($0.version) }) {
      return deployed.version
    }
    guard shown.count > 1 else { return nil }
    return shown.last.flatMap { texts[$0.version] }
  }

  private func unseen(
    _ version: String, of identity: NodeIdentity, _ marker: Marker?, _ seen: [String]
  ) -> Unanswerable {
    if let marker {
      return Unanswerable(
        "\(version) was announced for \(Timestamp.text(marker.time)), but no span of it has been "
          + "seen: a version that cannot be seen is not safe")
    }
    let versions = seen.sorted().suffix(5)
    let hint =
      versions.isEmpty ? "its spans name no version" : "seen: \(versions.joined(separator: ", "))"
    return Unanswerable("no span of \(identity.name) \(version) has been seen; \(hint)")
  }

  // MARK: - The deadline

  /// - Returns: the deadline with what was known when it was named; nil where that is not known.
  private func settleDeadline(
    _ subject: inout GateReport.Subject, _ remarks: inout [String]
  ) async throws -> FixedDeadline? {
    let wanted: Nanos? =
      switch request.deadline {
      case .at(let time): time
      case .after(let nanos): subject.start?.saturatingAdding(nanos)
      case nil: nil
      }
    let rollout = RolloutID(
      tenant: request.tenant, service: subject.service, environment: subject.environment,
      version: subject.version)
    let tenant = request.tenant
    let start = subject.start ?? 0
    let until = subject.until
    let (fixed, known) = try await engine.onStore { store in
      let fixed = try store.deadline(
        of: rollout, since: start, tenant: tenant, wanted: wanted, knownUntil: until)
      return (fixed, try store.deadlineKnownUntil(of: rollout, since: start))
    }
    subject.deadline = fixed
    if let fixed, let wanted, fixed != wanted {
      remarks.append(
        "the deadline stays \(Timestamp.text(fixed)), as the first question that named one said; "
          + "\(Timestamp.text(wanted)) changes nothing")
    }
    guard let fixed, let known else { return nil }
    return FixedDeadline(time: fixed, fixedAt: known)
  }
}
