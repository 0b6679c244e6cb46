import Model

// The way of a request: it arrives, waits for a worker, works and calls in turns, and answers.
extension Simulator {
  mutating func planArrival(_ entry: Int) {
    let surge = faults.reduce(1.0) { product, fault in
      fault.kind == .surge && fault.isActive(at: now) ? product * fault.size : product
    }
    let rate = system.entries[entry].rate * load.factor(at: now, level: level) * surge
    let wait = rate > 0 ? random.exponential(mean: 1 / rate) : 1
    queue.plan(.arrival(entry: Int32(entry)), at: now + wait)
  }

  mutating func arrive(_ entry: Int) {
    planArrival(entry)
    let trace = traces.insert(OpenTrace(id: TraceID(high: random.next(), low: random.next() | 1)))
    request(
      system.entries[entry].operation, trace: trace, call: nil, parent: .none, after: 0,
      isConsumer: false)
  }

  /// Sends a request on its way to a service.
  mutating func request(
    _ operation: OperationReference, trace: Int32, call: CallNumber?, parent: SpanID,
    after delay: Double,
    isConsumer: Bool
  ) {
    traces[trace].open += 1
    let isTraced = system.services[operation.service].kind == .traced
    let frame = frames.insert(
      Frame(
        trace: trace, operation: operation, call: call, span: isTraced ? newSpan() : parent,
        parent: parent, isConsumer: isConsumer))
    queue.plan(.reach(frame: frame), at: now + delay)
  }

  mutating func reach(_ frame: Int32) {
    let service = frames[frame].operation.service
    guard let instance = chooseInstance(of: service) else { return refuse(frame) }
    if isLost(instance, of: service) { return refuse(frame, at: instance) }
    frames[frame].instance = Int32(instance)
    if services[service].instances[instance].busy < system.services[service].workers {
      begin(frame)
    } else if services[service].instances[instance].waitingCount < Simulator.waitingMax {
      services[service].instances[instance].waiting.append(frame)
    } else {
      refuse(frame, at: instance)
    }
  }

  /// Requests that may wait for a worker of one instance.
  static let waitingMax = 500

  /// Nobody takes the request: the caller sees a connection that fails, and no span tells of it.
  private mutating func refuse(_ frame: Int32, at instance: Int? = nil) {
    if let call = frames[frame].call {
      if let instance, isOpen(call) {
        let service = frames[frame].operation.service
        calls[call.number].address = services[service].instances[instance].address
      }
      queue.plan(.answer(call: call, failed: true), at: now + 0.001)
    }
    close(frame)
  }

  private mutating func begin(_ frame: Int32) {
    let operation = frames[frame].operation
    let instance = Int(frames[frame].instance)
    changeBusy(operation.service, instance, by: 1)
    let description = system.services[operation.service].operations[operation.operation]
    let version = services[operation.service].instances[instance].version
    frames[frame].begin = now
    let factor = workFactor(operation, instance: instance, version: version)
    frames[frame].work =
      random.logNormal(median: description.milliseconds / 1_000, spread: description.spread)
      * factor / Double(description.groups.count + 1)
    let early = size(of: .earlyReturn, operation.service, version)
    frames[frame].returnsEarly = early > 0 && random.happens(early)
    work(frame)
  }

  /// Does a part of the work; standing still takes longer.
  private mutating func work(_ frame: Int32) {
    let service = frames[frame].operation.service
    let instance = Int(frames[frame].instance)
    services[service].instances[instance].working += 1
    let working = Double(services[service].instances[instance].working)
    let crowding = max(1, working / Double(system.services[service].cores))
    let end = endOfWork(frames[frame].work * crowding, service, instance)
    queue.plan(.workDone(frame: frame), at: end)
  }

  /// A part of the work is done: the next calls are made, or the request is answered.
  mutating func proceed(_ frame: Int32) {
    let operation = frames[frame].operation
    services[operation.service].instances[Int(frames[frame].instance)].working -= 1
    let description = system.services[operation.service].operations[operation.operation]
    let step = frames[frame].step
    guard step < description.groups.count, !frames[frame].failed, !frames[frame].returnsEarly else {
      return finish(frame)
    }
    frames[frame].step += 1
    for call in description.groups[step] where random.happens(call.probability) {
      if call.queue.isEmpty {
        frames[frame].pending += 1
        self.call(call, from: frame, attempt: 0)
      } else {
        publish(call, from: frame)
      }
    }
    if frames[frame].pending == 0 { work(frame) }
  }

  private mutating func finish(_ frame: Int32) {
    let operation = frames[frame].operation
    let instance = Int(frames[frame].instance)
    let service = operation.service
    let description = system.services[service].operations[operation.operation]
    let version = services[service].instances[instance].version
    let chance = description.errorRate + size(of: .errors, service, version)
    if !frames[frame].returnsEarly, random.happens(chance) { frames[frame].failed = true }
    changeBusy(service, instance, by: -1)
    if system.services[service].kind == .traced { emitServer(frame) }
    if let call = frames[frame].call {
      let delay = networkSeconds(to: service)
      queue.plan(.answer(call: call, failed: frames[frame].failed), at: now + delay)
    }
    close(frame)
    let host = services[service].instances[instance]
    if host.nextWaiting < host.waiting.count,
      host.busy < system.services[service].workers
    {
      let next = host.waiting[host.nextWaiting]
      services[service].instances[instance].nextWaiting += 1
      if host.nextWaiting > 1_000 {
        services[service].instances[instance].waiting.removeFirst(host.nextWaiting + 1)
        services[service].instances[instance].nextWaiting = 0
      }
      begin(next)
    }
  }

  private mutating func close(_ frame: Int32) {
    let trace = frames[frame].trace
    frames.release(frame)
    traces[trace].open -= 1
    guard traces[trace].open == 0 else { return }
    if !traces[trace].spans.isEmpty {
      finished.append(SimulatedTrace(id: traces[trace].id, spans: traces[trace].spans))
    }
    traces.release(trace)
  }
}

// The way of a call.
extension Simulator {
  mutating func call(_ description: CallDescription, from frame: Int32, attempt: Int) {
    let call = calls.insert(
      Call(
        caller: frame, description: description, span: newSpan(), begin: now, attempt: attempt))
    let caller = frames[frame].operation.service
    let version = services[caller].instances[Int(frames[frame].instance)].version
    var timeout = description.timeoutMilliseconds
    let short = size(of: .shortTimeout, caller, version)
    if short > 0 { timeout = min(timeout, short) }
    let number = CallNumber(number: call, generation: calls.generation(call))
    queue.plan(.answer(call: number, failed: true), at: now + timeout / 1_000)
    let places = size(of: .smallPool, caller, version)
    if places > 0 {
      let pool = PoolKey(
        caller: caller, instance: frames[frame].instance, callee: description.target.service)
      calls[call].pool = pool
      guard pools[pool, default: ConnectionPool()].used < Int(places) else {
        pools[pool, default: ConnectionPool()].waiting.append(number)
        return
      }
      take(number, of: pool)
    }
    send(number)
  }

  private mutating func take(_ call: CallNumber, of pool: PoolKey) {
    pools[pool, default: ConnectionPool()].used += 1
    calls[call.number].holdsPlace = true
  }

  /// Gives the place of a call that is over to the next that waits for one.
  private mutating func leave(_ call: Call) {
    guard let pool = call.pool, call.holdsPlace else { return }
    pools[pool, default: ConnectionPool()].used -= 1
    while let next = pools[pool]?.waiting.first {
      pools[pool]?.waiting.removeFirst()
      guard isOpen(next) else { continue }
      take(next, of: pool)
      return send(next)
    }
  }

  /// Puts a call on its way.
  private mutating func send(_ number: CallNumber) {
    let call = calls[number.number]
    let caller = frames[call.caller]
    let version = services[caller.operation.service].instances[Int(caller.instance)].version
    let target = call.description.target
    if isWrongAddress(target.service, caller.operation.service, version) {
      queue.plan(.answer(call: number, failed: true), at: now + 0.002)
      return
    }
    // A caller nobody traces hands its own parent on.
    let isTraced = system.services[caller.operation.service].kind == .traced
    request(
      target, trace: caller.trace, call: number, parent: isTraced ? call.span : caller.span,
      after: networkSeconds(to: target.service), isConsumer: false)
  }

  mutating func publish(_ description: CallDescription, from frame: Int32) {
    let span = newSpan()
    emitProducer(frame, description, span: span)
    request(
      description.target, trace: frames[frame].trace, call: nil, parent: span,
      after: 0.005 + random.exponential(mean: 0.02), isConsumer: true)
  }

  func isOpen(_ call: CallNumber) -> Bool { calls.generation(call.number) == call.generation }

  /// The call is over for its caller, unless it was before.
  mutating func end(_ call: CallNumber, failed: Bool) {
    guard isOpen(call) else { return }
    let ended = calls[call.number]
    let frame = ended.caller
    emitClient(ended, failed: failed)
    calls.release(call.number)
    leave(ended)
    if failed, ended.attempt < ended.description.retries {
      return self.call(ended.description, from: frame, attempt: ended.attempt + 1)
    }
    frames[frame].pending -= 1
    if failed, !ended.description.isOptional { frames[frame].failed = true }
    if frames[frame].pending == 0 { work(frame) }
  }
}
