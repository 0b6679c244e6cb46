internal import Glibc
internal import Model

/// What the circumstances of a change tell about whose doing it is: every term, those that tell nothing
/// with 0 and the reason.
struct CircumstanceSigns {
  private let known: Circumstances
  /// When the change asked about began.
  private let start: Nanos
  /// Something got worse, by whatever was compared.
  private let isWorse: Bool
  private let dose: Dose?

  init(_ known: Circumstances, start: Nanos, isWorse: Bool, dose: Dose?) {
    self.known = known
    self.start = start
    self.isWorse = isWorse
    self.dose = dose
  }

  var terms: [(Hypothesis.Kind, Hypothesis.Term)] {
    let own: [(Hypothesis.Kind, Hypothesis.Term)] = [
      (.thisDeployment, timing(start, "the change")),
      (.thisDeployment, ownTopology), (.thisDeployment, doseTerm),
      (.thisDeployment, persistence), (.thisDeployment, recovery(known.undone, "the change")),
    ]
    return own + otherTerms + loadTerms + scalingTerms + dependencyTerms
      + [(.platform, topology([.everywhere])), (.platform, platformMarker), (.operationMix, mix)]
  }

  // MARK: - When it began

  /// How long after a change its effect may begin before that counts against it.
  private static let delayNanos = Double(15 * Nanos.minute)

  private func timing(_ time: Nanos?, _ what: String) -> Hypothesis.Term {
    guard let onset = known.onset else {
      return .init(.onset, 0, "no moment stands out at which it got worse")
    }
    guard let time else {
      return .init(.onset, 0, "there is no \(what) whose time could be compared")
    }
    if time > onset.latest {
      return .init(
        .onset, -AttributionWeights.strong,
        "it got worse \(minutes(time - onset.latest)) at least before \(what)")
    }
    if time >= onset.earliest {
      return .init(.onset, AttributionWeights.weak, "it got worse when \(what) began")
    }
    let gap = onset.earliest - time
    return .init(
      .onset,
      max(
        -AttributionWeights.strong,
        AttributionWeights.weak - Double(gap) / CircumstanceSigns.delayNanos),
      "it got worse \(minutes(gap)) at least after \(what) began")
  }

  private func minutes(_ nanos: Nanos) -> String {
    "\(decimals(Double(nanos) / Double(Nanos.minute))) min"
  }

  // MARK: - Where it began

  private func topology(
    _ places: [Circumstances.Place], of service: String? = nil
  ) -> Hypothesis.Term {
    guard !known.causes.isEmpty else {
      return .init(.topology, 0, "no place got worse by more than chance")
    }
    let share = known.causes.filter { cause in
      places.contains(cause.place) && cause.kind != .load
        && (service.map { $0 == cause.service } ?? true)
    }.reduce(0) { $0 + $1.share }
    let first = known.causes[0]
    let place =
      switch first.place {
      case .own: "here"
      case .below: "at \(first.service)"
      case .everywhere: "everywhere at once"
      }
    return .init(
      .topology, AttributionWeights.strong * (2 * min(share, 1) - 1),
      "it most likely began \(place) (\(first.kind.rawValue.replacing("_", with: " "))); "
        + "\(percent(min(share, 1))) of it lies where this would be")
  }

  private var ownTopology: Hypothesis.Term {
    guard known.causes.isEmpty, let mix = known.mix, mix.amount >= 0.5 else {
      return topology([.own])
    }
    return .init(
      .topology, -AttributionWeights.weak,
      "no place got worse by more than the operations asked for explain")
  }

  private var dependencyTerms: [(Hypothesis.Kind, Hypothesis.Term)] {
    let marker = dependency.flatMap { cause in
      known.changes.first { $0.place == .below && $0.service == cause.service }
    }
    return [
      (.dependency, topology([.below])),
      (
        .dependency,
        marker.map {
          .init(.markers, -AttributionWeights.strong, "\($0.title) has a change of its own")
        } ?? .init(.markers, 0, "no change of what it calls explains it")
      ),
    ]
  }

  /// What it calls that got worse first of all.
  var dependency: Circumstances.Cause? {
    known.causes.filter { $0.place == .below }.max { $0.share < $1.share }
  }

  // MARK: - Other changes

  /// Of several the one where it began; of these the one nearest to when it did.
  var otherChange: Circumstances.Change? {
    let moment = known.onset?.earliest ?? start
    func distance(_ change: Circumstances.Change) -> Nanos {
      change.time > moment ? change.time - moment : moment - change.time
    }
    func share(_ change: Circumstances.Change) -> Double {
      known.causes.filter { $0.service == change.service }.reduce(0) { $0 + $1.share }
    }
    return known.changes.filter {
      $0.place == .below || $0.place == .own && $0.kind != .scaling
    }.min {
      share($0) != share($1)
        ? share($0) > share($1)
        : (distance($0), $0.marker.raw) < (distance($1), $1.marker.raw)
    }
  }

  private var otherTerms: [(Hypothesis.Kind, Hypothesis.Term)] {
    guard let other = otherChange else {
      return [
        (
          .otherChange,
          .init(
            .markers, -AttributionWeights.strong,
            "no other change of the service, or of what it calls, is known to have begun at about "
              + "the same time")
        ),
        (.otherChange, timing(nil, "other change")),
      ]
    }
    return [
      (
        .otherChange,
        .init(.markers, AttributionWeights.weak, "\(other.title) began at about the same time")
      ),
      (.otherChange, timing(other.time, other.title)),
      (
        .otherChange, topology([other.place], of: other.place == .below ? other.service : nil)
      ),
      (.otherChange, recovery(other.undone, other.title)),
    ]
  }

  var platformChange: Circumstances.Change? { known.changes.first { $0.place == .everywhere } }

  private var platformMarker: Hypothesis.Term {
    platformChange.map {
      .init(.markers, AttributionWeights.weak, "\($0.title) began at about the same time")
    } ?? .init(.markers, 0, "no change of what everything runs on is known")
  }

  // MARK: - Load

  private var loadTerms: [(Hypothesis.Kind, Hypothesis.Term)] {
    guard let surge = known.surge else {
      return [(.load, .init(.onset, 0, "no moment stands out at which requests rose"))]
    }
    return [
      (.load, loadTopology),
      (
        .load,
        known.onset.map { onset in
          let isTogether = surge.earliest <= onset.latest && onset.earliest <= surge.latest
          return .init(
            .onset, isTogether ? AttributionWeights.strong : -AttributionWeights.weak,
            isTogether
              ? "it got worse when requests rose"
              : "it got worse at another time than requests rose")
        } ?? .init(.onset, 0, "no moment stands out at which it got worse")
      ), (.load, loadPersistence(surge)),
    ]
  }

  /// More requests slow down whatever is short of something: here as likely as everywhere.
  private var loadTopology: Hypothesis.Term {
    if known.causes.first?.kind == .load {
      return .init(.topology, AttributionWeights.strong, "more requests explain what got worse")
    }
    return topology([.own, .everywhere])
  }

  private func loadPersistence(_ surge: Circumstances.Moment) -> Hypothesis.Term {
    guard let back = surge.ended else {
      return .init(.persistence, 0, "requests have not gone back")
    }
    guard let onset = known.onset else {
      return .init(.persistence, 0, "nothing is known that could have gone with the requests")
    }
    return onset.ended == nil
      ? .init(
        .persistence, -AttributionWeights.strong, "requests went back, and it stayed as bad")
      : isNear(onset.ended, back)
        ? .init(.persistence, AttributionWeights.strong, "it went when requests went back")
        : .init(.persistence, -AttributionWeights.weak, "it did not go when requests went back")
  }

  // MARK: - Persistence and recovery

  /// What is gone so soon after its cause went with it.
  private static let recoveryNanos: Nanos = 3 * .minute

  private func isNear(_ ended: Nanos?, _ time: Nanos) -> Bool {
    guard let ended else { return false }
    let early = time.saturatingSubtracting(CircumstanceSigns.recoveryNanos / 3)
    return ended >= early && ended <= time.saturatingAdding(CircumstanceSigns.recoveryNanos)
  }

  private var persistence: Hypothesis.Term {
    guard let onset = known.onset else {
      return .init(.persistence, 0, "nothing stands out that could have stayed")
    }
    if let ended = onset.ended {
      return known.undone.map { $0 <= ended } ?? false
        ? .init(.persistence, 0, "it lasted no longer than the change")
        : .init(
          .persistence, -AttributionWeights.strong, "it went by itself, and the change did not")
    }
    return known.surge?.ended == nil
      ? .init(.persistence, 0, "it lasts, and so does all else")
      : .init(.persistence, AttributionWeights.weak, "it stayed when requests went back")
  }

  private func recovery(_ undone: Nanos?, _ what: String) -> Hypothesis.Term {
    guard let undone else { return .init(.recovery, 0, "\(what) was not taken back") }
    guard let onset = known.onset else {
      return .init(.recovery, 0, "nothing stands out that could have gone with \(what)")
    }
    return isNear(onset.ended, undone)
      ? .init(.recovery, AttributionWeights.strong, "it went when \(what) was taken back")
      : .init(.recovery, -AttributionWeights.strong, "it did not go when \(what) was taken back")
  }

  // MARK: - Dose

  private var doseTerm: Hypothesis.Term {
    guard let dose else {
      return .init(.dose, 0, "the share of requests it gets did not vary enough to tell")
    }
    let share = "from \(percent(dose.least)) to \(percent(dose.most)) of the requests"
    if dose.deviation > CauseSearch.deviationMin {
      return .init(
        .dose, min(dose.deviation / 2, Hypothesis.termMax),
        "the service got worse as it went \(share)")
    }
    return isWorse && dose.deviation < 1
      ? .init(.dose, -AttributionWeights.weak, "the service got no worse as it went \(share)")
      : .init(.dose, 0, "whether the service got worse as it went \(share) cannot be told")
  }

  // MARK: - Instances

  private static let fewerMax = 0.8

  private var scalingTerms: [(Hypothesis.Kind, Hypothesis.Term)] {
    let marker = scaling
    return [
      (.scaling, instancesTerm), (.scaling, timing(marker?.time, "change of size")),
      (.scaling, topology([.own])),
    ]
  }

  var scaling: Circumstances.Change? {
    known.changes.first { $0.place == .own && $0.kind == .scaling }
  }

  private var instancesTerm: Hypothesis.Term {
    let counts = known.instances.map { "\($0.before) instances before, \($0.now) now" }
    let isFewer = known.instances.map {
      Double($0.now) <= CircumstanceSigns.fewerMax * Double($0.before)
    }
    if let marker = scaling {
      // Announced and seen is more than either.
      let odds =
        AttributionWeights.strong + (isFewer ?? false ? AttributionWeights.weak : 0)
      return .init(
        .scaling, isWorse ? odds : 0,
        "\(marker.title) began at about the same time" + (counts.map { ": \($0)" } ?? ""))
    }
    guard let isFewer, let counts else {
      return .init(.scaling, 0, "nothing is known of its instances")
    }
    if isFewer {
      return .init(.scaling, isWorse ? AttributionWeights.strong : 0, counts)
    }
    return .init(.scaling, -AttributionWeights.strong, counts)
  }

  // MARK: - Operations

  private var mix: Hypothesis.Term {
    guard let mix = known.mix else {
      return .init(
        .operationMix, 0, "nothing got worse by more than chance that operations could explain")
    }
    // From what explains nothing to what explains all.
    return .init(
      .operationMix, AttributionWeights.strong * (2 * min(mix.amount, 1) - 1),
      "other operations being asked for explain \(percent(min(mix.amount, 1))) of it")
  }
}

extension Circumstances.Change {
  /// As a person reads it: `deployment of shop/stock v7`.
  var title: String {
    let what = kind.rawValue.replacing("_", with: " ")
    return what + (service.isEmpty ? "" : " of \(service)") + (version.isEmpty ? "" : " \(version)")
  }
}
