import Model

// A call to a database or a queue can have spans of what carries it: of the HTTP client by which its
// library sends, of the sidecar that leads it out. The call is the outermost span, because it says what
// is called; those below, which name no more than a host, are its transport. They make no edges, and
// several are tries of one call. Where a service answers a transport, the call is to that service; but
// behind proxies through which a message was sent it is who takes the message.
extension TraceAnalyser {
  /// Whether the span calls a database or a queue by its attributes.
  func namesDatabaseOrQueue(_ index: Int) -> Bool {
    let span = forest.spans[index]
    return span.kind.isExit && !span.peer.isNone
      && !span.traits.isDisjoint(with: [.database, .messaging])
  }

  /// Whether the span asks a database or a queue for something, which may be carried by others.
  func isAtDatabaseOrQueue(_ index: Int) -> Bool {
    namesDatabaseOrQueue(index) || roleAtQueue(index) != nil
  }

  /// Whether the span may carry a call that a span above it makes: a client's or a proxy's, it leads out,
  /// nobody answered, and it names a host at most.
  func canCarry(_ index: Int, below: Below) -> Bool {
    switch roles[index] {
    case .callToPeer, .callToUnknown: break
    case .wrapper: guard below == .carrier else { return false }
    case .work, .call, .transport, .ownApplication, .callToItself, .receive, .settle: return false
    }
    let span = forest.spans[index]
    return span.kind != .producer && span.traits.isDisjoint(with: [.database, .messaging])
  }

  /// Whether the span is a proxy's that a service answered, and may have carried a message to it.
  func canCarryToTaker(_ index: Int, below: Below) -> Bool {
    switch roles[index] {
    case .call:
      let reachesTaker = forest.children(of: index).contains {
        visitOf[Int($0)] != visitOf[index] && forest.spans[Int($0)].kind.isEntry
      }
      guard reachesTaker else { return false }
    case .wrapper: guard below == .proxiedCall else { return false }
    case .work, .callToPeer, .callToUnknown, .transport, .ownApplication, .callToItself, .receive,
      .settle:
      return false
    }
    let span = forest.spans[index]
    return span.traits.contains(.proxy) && span.kind != .producer
      && span.traits.isDisjoint(with: [.database, .messaging])
  }

  /// Finds which client spans carry the call of a span above them.
  mutating func findTransports() {
    carriedCalls.removeAll(keepingCapacity: true)
    guard hasTransports else { return }
    carriedCalls.append(contentsOf: repeatElement(-1, count: forest.spans.count))
    for index32 in forest.order {
      let index = Int(index32)
      if isCarried(index) {
        carriedCalls[index] = index32
      } else if reaches[index] == .carrier || reaches[index] == .proxiedCall,
        let parent = forest.parent(of: index),
        visitOf[parent] == visitOf[index], carriedCalls[parent] >= 0
      {
        carry(index, Int(carriedCalls[parent]))
      }
    }
  }

  /// Whether client spans below are the transport of the span's call. Below one that sends a message there
  /// may be who takes it besides.
  private func isCarried(_ index: Int) -> Bool {
    switch roles[index] {
    case .callToPeer: return namesDatabaseOrQueue(index)
    case .call: return forest.spans[index].sendsThroughQueue
    case .receive, .settle: return true
    case .work, .callToUnknown, .transport, .wrapper, .ownApplication, .callToItself: return false
    }
  }

  /// Work between a poll and a client span is work on what the poll got; so is what ends after the poll.
  private mutating func carry(_ index: Int, _ call: Int) {
    if reaches[index] == .proxiedCall, roles[call] != .call { return }
    if roles[call] == .receive {
      let (span, poll) = (forest.spans[index], forest.spans[call])
      guard roles[index] != .work, span.start >= poll.start, span.end <= poll.end else { return }
    }
    carriedCalls[index] = Int32(call)
    if roles[index] != .work { roles[index] = .transport }
  }

  // MARK: Times

  /// Of a span that carries a call: the call, where it makes an edge.
  private func callCarried(by index: Int) -> Int? {
    guard roles[index] == .transport else { return nil }
    let call = Int(carriedCalls[index])
    return roles[call] == .receive || roles[call] == .settle ? nil : call
  }

  /// Whether the time of the span is that of a call it carries.
  func isCarrying(_ index: Int) -> Bool { callCarried(by: index) != nil }

  /// Whose the time of a span is that carries a call: of a poll it is nobody's, as the poll's.
  func ownerOfTransport(_ index: Int) -> TimeOwner {
    isCarrying(index) ? .outgoingEdge : .nobody
  }

  /// Whether the span is a proxy's around another one that carries the same call: what no child explains
  /// of its time is the proxy's, as it is around other calls. The time of the others is who was called.
  private func isProxyAroundTransport(_ index: Int) -> Bool {
    guard forest.spans[index].traits.contains(.proxy) else { return false }
    return forest.children(of: index).contains {
      roles[Int($0)] == .transport && carriedCalls[Int($0)] == carriedCalls[index]
    }
  }

  /// Gives the time of proxies that carry a call to the gap of its edge.
  mutating func handTransportTimesUp() {
    guard hasTransports, hasProxies else { return }
    for index in forest.spans.indices {
      guard let call = callCarried(by: index), isProxyAroundTransport(index) else { continue }
      handedTimes[call] &+= selfTimes[index]
    }
  }

  /// The same of time on the critical path; and that of other spans that carry a call to the call.
  mutating func handTransportCriticalTimesUp() {
    carriedCriticalTimes.removeAll(keepingCapacity: true)
    guard hasTransports else { return }
    carriedCriticalTimes.append(contentsOf: repeatElement(0, count: forest.spans.count))
    for index in forest.spans.indices {
      guard let call = callCarried(by: index) else { continue }
      if hasProxies, isProxyAroundTransport(index) {
        handedCriticalTimes[call] &+= criticalTimes[index]
      } else {
        carriedCriticalTimes[call] &+= criticalTimes[index]
      }
    }
  }

  /// Time on the critical path that is the call's, with what carries it.
  func callCriticalTime(_ index: Int) -> Nanos {
    hasTransports ? criticalTimes[index] &+ carriedCriticalTimes[index] : criticalTimes[index]
  }
}
