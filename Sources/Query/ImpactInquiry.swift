import Graph
import Impact
import Model

/// Finds out what a change was about and reads what was seen before, during and after it.
struct ImpactInquiry {
  let call: Call
  let marker: Marker
  let environment: String?

  init(_ call: Call, _ marker: Marker, environment: String?) {
    self.call = call
    self.marker = marker
    self.environment = environment
  }

  private static let kinds: Set<SeriesKind> = [
    .node, .operation, .edge, .call, .answered, .unreached,
  ]

  func report() async throws -> ImpactReport {
    var report = ImpactReport(marker: marker)
    let now = call.backend.now
    guard marker.time <= now else {
      report.remarks.append(
        "it is announced for \(Timestamp.text(marker.time)), which is still to come")
      return report
    }
    let gate = try await call.backend.gate(
      GateRequest(tenant: call.tenant, environment: environment, marker: "\(marker.id)"))
    report.gate = gate
    report.answer = gate.answer
    let until = max(min(now, gate.subject.until ?? now), marker.time)
    try await read(&report, now: now, until: until)
    return report
  }

  /// How far the comparison looks to both sides: the older the change, the wider the windows that are
  /// left of it.
  private static func reach(age: Nanos) -> Nanos {
    if age <= TileWidth.minute.keptNanos ?? 0 { return .hour }
    return age <= TileWidth.tenMinutes.keptNanos ?? 0 ? 6 * .hour : .day
  }

  private func read(_ report: inout ImpactReport, now: Nanos, until: Nanos) async throws {
    let reach = ImpactInquiry.reach(age: now - marker.time)
    let over = marker.state?.isOver == true || marker.state == nil
    let changed = over ? min(marker.until, until) : until
    let end = over ? min(until, changed.saturatingAdding(reach)) : until
    let compared = try await call.backend.compared(
      tenant: call.tenant,
      base: marker.time.saturatingSubtracting(reach)..<max(marker.time, 1),
      current: marker.time..<max(end, marker.time + 1), kinds: ImpactInquiry.kinds,
      atLeast: .tenSeconds)
    report.names = compared.names
    report.windowNanos = compared.width
    let stretches = [compared.base, compared.current].flatMap { stretch in
      stretch.windows.enumerated().map {
        (start: stretch.start.saturatingAdding(Nanos($0) * compared.width), window: $1)
      }
    }
    // A window that holds the change, or its end, is of neither side.
    func phase(_ from: Nanos, _ to: Nanos) -> ImpactReport.Phase {
      let inside = stretches.filter {
        $0.start >= from && $0.start.saturatingAdding(compared.width) <= to
      }
      // Both ranges are widened to whole minutes: a minute they share is read twice.
      var windows: [Nanos: Window] = [:]
      for found in inside where windows[found.start]?.isEmpty ?? true {
        windows[found.start] = found.window
      }
      return ImpactReport.Phase(
        start: from, end: to, windows: windows.sorted { $0.key < $1.key }.map(\.value))
    }
    let before = phase(compared.base.start, marker.time)
    let during = changed > marker.time ? phase(marker.time, changed) : nil
    let after = over && end > changed ? phase(changed, end) : nil
    report.before = before
    report.during = during
    report.after = after
    report.service = service(among: compared.names.values, &report.remarks)
    report.impact = ChangeImpact(
      of: report.service?.id,
      ChangeImpact.Phases(
        before: before.windows, during: during?.windows ?? [], after: after?.windows ?? []),
      seconds: Double(compared.width) / Double(Nanos.second),
      errorsTolerated: call.configuration.errorsTolerated)
  }

  /// The one service of those seen that the marker is about.
  private func service(
    among names: some Sequence<Name>, _ remarks: inout [String]
  ) -> Name? {
    guard !marker.service.isEmpty else { return nil }
    let found = names.filter { name in
      guard name.kind == .service else { return false }
      let identity = NodeIdentity(text: name.text)
      guard environment.map({ $0 == identity.environment }) ?? true else { return false }
      return marker.concerns(identity) || NodeLabel.id(of: name) == marker.service
    }
    if found.count > 1 {
      remarks.append(
        "several services are called \(marker.service): name an environment, or post the marker "
          + "with its namespace")
    } else if found.isEmpty {
      remarks.append("nothing was seen of \(marker.service) before this change or since")
    }
    return found.count == 1 ? found.first : nil
  }
}
