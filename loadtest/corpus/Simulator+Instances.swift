import Model

// Instances: which one takes a request, how fast it is, and how many there are.
extension Simulator {
  mutating func add(_ service: ServiceDescription, at position: Int) {
    let isDatabase = service.kind == .database
    let name = names.service(service.name)
    let peer = names.peer(service.name, isDatabase ? .database : .external)
    services.append(RunningService(name: name, peer: peer))
    operationNames.append(service.operations.map { names.scoped($0.name, .operation, to: name) })
    let version = rollouts.first { $0.service == position }?.previous ?? "v1"
    for _ in 0..<service.instances { addInstance(to: position, version: version) }
  }

  private mutating func addInstance(to position: Int, version: String) {
    let service = services[position]
    let number = service.instances.count
    let text = "\(system.services[position].name)-\(number)"
    let address = "10.\(position / 250).\(position % 250).\(number % 250 + 1)"
    services[position].instances.append(
      Instance(
        name: names.scoped(
          InstanceIdentity(instance: text, address: address).text, .instance, to: service.name),
        address: names.address(address), version: version,
        versionName: names.scoped(version, .version, to: service.name)))
  }

  /// One of those that take requests: of the version the request is routed to, if that has any. When a
  /// version is first asked for, instances of it are added, so that a rollout has both beside each other.
  mutating func chooseInstance(of service: Int) -> Int? {
    var wanted: String?
    if let rollout = rollouts.last(where: { $0.service == service && $0.share(at: now) > 0 }) {
      let share = rollout.share(at: now)
      wanted = random.happens(share) ? rollout.version : rollout.previous
      prepare(rollout, share: share)
    }
    var candidates: [Int] = []
    for (position, instance) in services[service].instances.enumerated()
    where instance.isReady && !instance.isLeaving && wanted.map({ $0 == instance.version }) ?? true
    {
      candidates.append(position)
    }
    guard !candidates.isEmpty else { return nil }
    return candidates[random.position(below: candidates.count)]
  }

  /// As many instances of the new version as its share asks for, at least one.
  private mutating func prepare(_ rollout: Rollout, share: Double) {
    let service = rollout.service
    let all = services[service].instances.filter { $0.isReady && !$0.isLeaving }
    let new = all.count { $0.version == rollout.version }
    let wanted = max(1, Int((share * Double(system.services[service].instances)).rounded(.up)))
    for _ in new..<max(new, wanted) {
      addInstance(to: service, version: rollout.version)
      services[service].instances[services[service].instances.count - 1].coldUntil = now
    }
    guard share >= 1 else { return }
    for position in services[service].instances.indices
    where services[service].instances[position].version == rollout.previous {
      services[service].instances[position].isLeaving = true
    }
  }

  /// For how long calls go to instances that are gone.
  private static let lostSeconds = 10.0

  /// Whether the instance is gone; after a while nobody is sent there any more.
  mutating func isLost(_ instance: Int, of service: Int) -> Bool {
    guard let fault = faults.first(where: { $0.kind == .lostInstances && $0.service == service }),
      fault.isActive(at: now), instance > 0
    else { return false }
    if now > fault.start + Simulator.lostSeconds {
      services[service].instances[instance].isReady = false
    }
    return true
  }

  func size(of kind: Fault.Kind, _ service: Int, _ version: String) -> Double {
    var size = 0.0
    for fault in faults where fault.kind == kind {
      if fault.applies(at: now, to: service, version: version) { size += fault.size }
    }
    return size
  }

  mutating func isWrongAddress(_ callee: Int, _ caller: Int, _ version: String) -> Bool {
    let fault = faults.first {
      $0.kind == .wrongAddress && $0.callee == callee
        && $0.applies(at: now, to: caller, version: version)
    }
    return fault.map { random.happens($0.size) } ?? false
  }

  /// New instances take twice as long.
  private static let coldFactor = 2.0

  func workFactor(_ operation: OperationReference, instance: Int, version: String) -> Double {
    var factor =
      now < services[operation.service].instances[instance].coldUntil
      ? Simulator.coldFactor : 1
    for fault in faults where fault.isActive(at: now) {
      switch fault.kind {
      case .slowCode, .slowDatabase:
        if fault.applies(at: now, to: operation.service, version: version) { factor *= fault.size }
      case .shock: factor *= fault.size
      case .leak:
        guard fault.applies(at: now, to: operation.service, version: version) else { break }
        factor *= 1 + (fault.size - 1) * min(1, (now - fault.start) / Simulator.leakSeconds)
      default: break
      }
    }
    return factor
  }

  private static let leakSeconds = 600.0
  private static let pauseSeconds = 5.0

  /// When work that begins now is done; an instance that stands still begins later or takes longer.
  func endOfWork(_ seconds: Double, _ service: Int, _ instance: Int) -> Double {
    let version = services[service].instances[instance].version
    let pause = size(of: .pauses, service, version) / 1_000
    guard pause > 0 else { return now + seconds }
    let period = Simulator.pauseSeconds
    let offset = Double(instance) * 1.3
    var clock = now
    var left = seconds
    while true {
      let within = (clock + offset).truncatingRemainder(dividingBy: period)
      if within < pause { clock += pause - within }
      let free = period - (clock + offset).truncatingRemainder(dividingBy: period)
      if left <= free { return clock + left }
      left -= free
      clock += free
    }
  }

  private static let partialDelaySeconds = 0.1

  /// One way through the network.
  mutating func networkSeconds(to service: Int) -> Double {
    var seconds = random.logNormal(median: 0.000_3, spread: 0.4)
    for fault in faults where fault.kind == .networkDelay {
      if fault.applies(at: now, to: service, version: "") { seconds += fault.size / 2_000 }
    }
    let partial = size(of: .partialDelay, service, "")
    if partial > 0, random.happens(partial) { seconds += Simulator.partialDelaySeconds }
    if let shock = faults.first(where: { $0.kind == .shock && $0.isActive(at: now) }) {
      seconds *= shock.size
    }
    return seconds
  }

  mutating func changeBusy(_ service: Int, _ instance: Int, by change: Int) {
    services[service].instances[instance].busy += change
    services[service].busySeconds +=
      Double(services[service].busy) * (now - services[service].lastChange)
    services[service].lastChange = now
    services[service].busy += change
  }

  static let scalingSeconds = 15.0
  private static let shrinkSeconds = 300.0

  mutating func scale(_ position: Int) {
    queue.plan(.scale(service: Int32(position)), at: now + Simulator.scalingSeconds)
    guard let rule = system.services[position].scaling else { return }
    changeBusy(position, 0, by: 0)
    let working = services[position].instances.count { !$0.isLeaving }
    let workers = Double(working * system.services[position].workers)
    let share = services[position].busySeconds / Simulator.scalingSeconds / max(workers, 1)
    services[position].busySeconds = 0
    let ratio = share / rule.target
    guard (ratio - 1).magnitude > 0.1 else { return }
    let wanted = Int((Double(working) * ratio).rounded(.up))
    let bounded = min(max(wanted, rule.instancesMin), rule.instancesMax)
    if bounded > working {
      grow(position, from: working, to: bounded, rule)
    } else if bounded < working, now >= services[position].mayShrinkAfter {
      shrink(position, from: working, to: bounded)
    }
    if bounded >= working { services[position].mayShrinkAfter = now + Simulator.shrinkSeconds }
  }

  private mutating func grow(_ position: Int, from: Int, to: Int, _ rule: ScalingRule) {
    scalings.append(Scaling(time: now, service: position, from: from, to: to))
    let version = services[position].instances.last { !$0.isLeaving }?.version ?? "v1"
    for _ in from..<to {
      addInstance(to: position, version: version)
      let instance = services[position].instances.count - 1
      services[position].instances[instance].isReady = false
      services[position].instances[instance].coldUntil =
        now + rule.readySeconds + rule.coldSeconds
      queue.plan(
        .ready(service: Int32(position), instance: Int32(instance)), at: now + rule.readySeconds)
    }
  }

  private mutating func shrink(_ position: Int, from: Int, to: Int) {
    scalings.append(Scaling(time: now, service: position, from: from, to: to))
    var leaving = from - to
    for instance in services[position].instances.indices.reversed() where leaving > 0 {
      guard !services[position].instances[instance].isLeaving else { continue }
      services[position].instances[instance].isLeaving = true
      leaving -= 1
    }
  }

  mutating func ready(_ service: Int, _ instance: Int) {
    services[service].instances[instance].isReady = true
  }
}
