import Model

// How long things took: self time and critical path.
extension TraceAnalyser {
  /// Self time: the duration less the union of the children. Children are sorted by their end, latest
  /// first, so whatever a later one adds lies below all that is covered already.
  mutating func findSelfTimes() {
    findOwners()
    selfTimes.removeAll(keepingCapacity: true)
    handedTimes.removeAll(keepingCapacity: true)
    for index in forest.spans.indices {
      let span = forest.spans[index]
      var covered: Nanos = 0
      var floor = span.end
      for child32 in forest.children(of: index) {
        let child = forest.spans[Int(child32)]
        let end = min(child.end, floor)
        let start = max(child.start, span.start)
        if end > start {
          covered &+= end &- start
          floor = start
        }
      }
      let own = span.durationNanos.saturatingSubtracting(covered)
      selfTimes.append(own)
      switch owners[index] {
      case .service: visits[Int(visitOf[index])].selfTime &+= own
      case .incomingEdge: visits[Int(visitOf[index])].proxyTime &+= own
      case .outgoingEdge, .nobody: break
      }
    }
    if hasProxies { handTimesDown() }
    handTransportTimesUp()
  }

  /// Gives the time of proxies around a call to the call: of several below one the last, because
  /// the time is there once.
  private mutating func handTimesDown() {
    handedTimes.append(contentsOf: repeatElement(0, count: forest.spans.count))
    for index32 in forest.order {
      let index = Int(index32)
      guard let last = takerOfTime(of: index) else { continue }
      handedTimes[last] &+= handedTimes[index] &+ selfTimes[index]
    }
  }

  /// The same of time on the critical path.
  private mutating func handCriticalTimesDown() {
    handedCriticalTimes.append(contentsOf: repeatElement(0, count: forest.spans.count))
    for index32 in forest.order {
      let index = Int(index32)
      guard let last = takerOfTime(of: index) else { continue }
      handedCriticalTimes[last] &+= handedCriticalTimes[index] &+ criticalTimes[index]
    }
  }

  /// Of a proxy's span around a call: what the call, or the next proxy around it, begins with.
  func takerOfTime(of index: Int) -> Int? {
    guard roles[index] == .wrapper, owners[index] == .outgoingEdge else { return nil }
    return forest.children(of: index).first { leadsOut(Int($0), within: index) }.map { Int($0) }
  }

  /// The time on the critical path of proxies around a call.
  func handedCriticalTime(_ index: Int) -> Nanos { hasProxies ? handedCriticalTimes[index] : 0 }

  /// The time of proxies around a call, which is part of its edge's gap.
  func handedTime(_ index: Int) -> Nanos { hasProxies ? handedTimes[index] : 0 }

  private func leadsOut(_ child: Int, within parent: Int) -> Bool {
    visitOf[child] == visitOf[parent] && leads(roles[child])
  }

  /// Whether a span of this role is about something that is called.
  private func leads(_ role: Role) -> Bool {
    switch role {
    case .call, .callToPeer, .callToUnknown, .wrapper, .transport: return true
    case .work, .ownApplication, .callToItself, .receive, .settle: return false
    }
  }

  mutating func findCriticalTimes() {
    criticalTimes.removeAll(keepingCapacity: true)
    criticalTimes.append(contentsOf: repeatElement(0, count: forest.spans.count))
    let forest = waitForest
    if criticalPathRule == .wallclock {
      for root in CriticalPath.roots(of: forest) {
        criticalPath.walk(forest, from: root) { span, from, until in
          criticalTimes[span] &+= until &- from
        }
      }
    } else {
      // Sections and not shares: those of a root cover its duration exactly under each rule.
      for section in TracePath(forest, rule: criticalPathRule).sections {
        criticalTimes[section.span] &+= section.until.saturatingSubtracting(section.from)
      }
    }
    handedCriticalTimes.removeAll(keepingCapacity: true)
    if hasProxies { handCriticalTimesDown() }
    handTransportCriticalTimesUp()
    for index in forest.spans.indices {
      switch owners[index] {
      case .service: visits[Int(visitOf[index])].criticalTime &+= criticalTimes[index]
      case .incomingEdge: visits[Int(visitOf[index])].proxyCriticalTime &+= criticalTimes[index]
      case .outgoingEdge, .nobody: break
      }
    }
  }

  /// Whose the time of a span is that no child explains.
  enum TimeOwner: UInt8, Sendable { case service, incomingEdge, outgoingEdge, nobody }

  private mutating func findOwners() {
    owners.removeAll(keepingCapacity: true)
    for index in forest.spans.indices {
      switch roles[index] {
      case .call, .callToPeer, .callToUnknown: owners.append(.outgoingEdge)
      case .receive, .settle: owners.append(.nobody)
      case .transport: owners.append(ownerOfTransport(index))
      case .work, .ownApplication, .wrapper, .callToItself: owners.append(.service)
      }
    }
    guard hasProxies else { return }
    for index in forest.spans.indices where isApplication(index) {
      visits[Int(visitOf[index])].hasApplication = true
      if !leads(roles[index]) { visits[Int(visitOf[index])].hasApplicationWork = true }
    }
    for index in forest.spans.indices
    where owners[index] == .service && isProxyOfApplication(index) {
      if roles[index] == .wrapper {
        owners[index] = .outgoingEdge
      } else if visits[Int(visitOf[index])].hasApplicationWork {
        owners[index] = .incomingEdge
      }
    }
  }

  /// A call's time is the gap of its edge, or the time of a peer nobody sees into; waiting for
  /// messages is nobody's work; and a proxy's is not its workload's: in front of an application
  /// that tells of its own work it belongs to the edge that leads there, around a call to the call's. In
  /// front of one that only tells of its calls, the rest of the time is the application's.
  private func isProxyOfApplication(_ index: Int) -> Bool {
    forest.spans[index].traits.contains(.proxy) && visits[Int(visitOf[index])].hasApplication
      && !isApplication(index)
  }

  /// Whether the span's own time is the application's: it is the application's span, or a proxy's
  /// hop to an application that sends none.
  private func isApplication(_ index: Int) -> Bool {
    guard forest.spans[index].traits.contains(.proxy) else { return true }
    guard roles[index] == .ownApplication else { return false }
    return !forest.children(of: index).contains { child in
      visitOf[Int(child)] == visitOf[index] && !forest.spans[Int(child)].traits.contains(.proxy)
    }
  }

  /// The span whose duration is the client's view of the call that entered by `entry`: the call it
  /// is under, if it is the callee of that call that ended last.
  func clientSide(of entry: Int) -> Int? {
    guard let parent = forest.parent(of: entry), callOf[parent] >= 0 else { return nil }
    let call = Int(callOf[parent])
    return Int(lastCallee[call]) == entry ? call : nil
  }

  /// Whether a call goes through a queue, so that its caller does not wait for it.
  func isQueued(_ entry: Int, parent: Int) -> Bool {
    forest.spans[entry].kind == .consumer || forest.isSent(entry, under: parent)
  }
}
