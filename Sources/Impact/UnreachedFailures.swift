public import Model

/// The failed calls to a service of which none of its own spans tells, by version and window: a
/// version that is killed before it can send its spans leaves nothing else.
///
/// A call is one to the service when the service answered to the name it went by, when the name is
/// the service's, or when it says nothing but an address that instances of the service had: a call
/// that names somebody else is somebody else's, whatever the address. It is laid to the version whose
/// instances alone had the address last, while no other service had it; or to the one that alone ever
/// answered to the name (a proxy's cluster of one version). That only the old version answered to a
/// name says nothing, since the new one may never have been able to: unless the new one has a name of
/// its own. Otherwise nobody knows which version failed, and it is `unknown`.
public struct UnreachedFailures: Equatable, Sendable {
  /// By window, then by version; `NameID.none` for unknown.
  private var counts: [Nanos: [NameID: Int64]] = [:]

  /// - Parameters:
  ///   - windows: with the series `.unreached` of all peers, `.answered` of those, and `.instance` of
  ///     the service (from before the first failure on, so that it is known who had what).
  ///   - names: of the peers, addresses and instances in the keys.
  ///   - current: the new version.
  ///   - shared: addresses that instances of other services had too.
  public init(
    of service: Name, in windows: WindowSums, names: [NameID: Name], current: NameID,
    shared: Set<String> = []
  ) {
    let addresses = AddressBook(of: service.id, in: windows, names: names)
    let answers = AnswerBook(of: service.id, in: windows)
    let identity = NodeIdentity(text: service.text)
    for (start, window) in windows.windows {
      for (key, sums) in window.series where key.kind == .unreached {
        let address = names[NameID(key.second)]?.text ?? ""
        let peer = NameID(key.first)
        guard let name = names[peer], name.tenant == service.tenant else { continue }
        let hasAddress =
          addresses.isKnown(address) && PeerText.isAround(name.text, identity)
        let saysNothingElse = NodeIdentity(text: name.text).name == address
        let isOwn =
          answers.isKnown(peer) || PeerText.names(name.text, identity)
          || PeerText.names(host: address, of: name.text, identity)
          || (hasAddress && saysNothingElse)
        guard isOwn else { continue }
        var version = NameID.none
        if hasAddress, !shared.contains(address) {
          version = addresses.version(at: address, in: start)
        }
        if version.isNone { version = answers.version(by: peer, current: current) }
        counts[start, default: [:]][version, default: 0] += sums.counters[.errorTraces]
      }
    }
  }

  /// The starts of the windows that have any.
  public var windows: [Nanos] { counts.keys.sorted() }

  /// Of all versions, and those nobody can place.
  public func total(in window: Nanos) -> Int64 { counts[window]?.values.reduce(0, +) ?? 0 }

  /// - Parameter version: `NameID.none` for those nobody can place.
  public func count(of version: NameID, in window: Nanos) -> Int64 {
    counts[window]?[version] ?? 0
  }
}

/// By which names one service was called, and which of its versions answered.
struct AnswerBook {
  private let service: NameID
  private var holders: [NameID: Set<Holders.Holder>] = [:]

  init(of service: NameID, in windows: WindowSums) {
    self.service = service
    for window in windows.windows.values {
      for key in window.series.keys where key.kind == .answered {
        holders[NameID(key.first), default: []].insert(
          Holders.Holder(service: NameID(key.second), version: NameID(key.third)))
      }
    }
  }

  func isKnown(_ peer: NameID) -> Bool {
    holders[peer]?.contains { $0.service == service } ?? false
  }

  /// The version a name stands for; `NameID.none` when several answered to it, another service (a
  /// gateway's name, a balancer's) among them.
  func version(by peer: NameID, current: NameID) -> NameID {
    guard let version = only(peer) else { return .none }
    let isRoutedByName = holders.keys.contains { only($0) == current }
    return version == current || isRoutedByName ? version : .none
  }

  private func only(_ peer: NameID) -> NameID? {
    guard let all = holders[peer], all.count == 1, let holder = all.first,
      holder.service == service
    else { return nil }
    return holder.version
  }
}

/// Which versions had something when.
struct Holders {
  struct Holder: Hashable {
    var service: NameID
    var version: NameID
  }

  /// In order of time, one entry a window.
  private var all: [(window: Nanos, holders: Set<Holder>)] = []

  /// - Parameter window: none before the last.
  mutating func add(_ holder: Holder, in window: Nanos) {
    if all.last?.window == window {
      all[all.count - 1].holders.insert(holder)
    } else {
      all.append((window, [holder]))
    }
  }

  /// Who had it in the window or last before, or else first after; nil when several had.
  func only(in window: Nanos) -> Holder? {
    guard !all.isEmpty else { return nil }
    var low = 0
    var high = all.count
    while low < high {
      let middle = (low + high) / 2
      if all[middle].window <= window { low = middle + 1 } else { high = middle }
    }
    let holders = all[max(low, 1) - 1].holders
    return holders.count == 1 ? holders.first : nil
  }
}

/// Who had which address when, of one service: from the instances that sent spans.
struct AddressBook {
  private var holders: [String: Holders] = [:]

  init(of service: NameID, in windows: WindowSums, names: [NameID: Name]) {
    for (start, window) in windows.windows.sorted(by: { $0.key < $1.key }) {
      for key in window.series.keys where key.kind == .instance && key.first == service.raw {
        let identity = InstanceIdentity(text: names[NameID(key.second)]?.text ?? "")
        // Where nothing names an address, pods and hosts are reached by what they are called.
        for address in Set([identity.address, identity.instance]) where !address.isEmpty {
          let holder = Holders.Holder(service: service, version: NameID(key.third))
          holders[address, default: Holders()].add(holder, in: start)
        }
      }
    }
  }

  func isKnown(_ address: String) -> Bool { holders[address] != nil }

  func version(at address: String, in window: Nanos) -> NameID {
    holders[address]?.only(in: window)?.version ?? .none
  }
}

/// Which names of peers stand for a service.
enum PeerText {
  /// A peer and a service may be in the same environment: addresses are used again in others. Who
  /// names none may be anywhere.
  static func isAround(_ peer: String, _ service: NodeIdentity) -> Bool {
    let environment = NodeIdentity(text: peer).environment
    return environment.isEmpty || service.environment.isEmpty
      || environment == service.environment
  }

  /// The host a call went to, of a caller in the environment that the peer's text holds.
  static func names(host: String, of peer: String, _ service: NodeIdentity) -> Bool {
    guard !host.isEmpty else { return false }
    let environment = NodeIdentity(text: peer).environment
    return names(NodeIdentity(environment: environment, name: host).text, service)
  }

  /// A peer is called by the plain name, `namespace/name`, or as Kubernetes resolves it:
  /// `name.namespace`, `….svc`, `….svc.cluster.local`. A plain name fits whatever the namespace:
  /// callers leave out their own.
  static func names(_ peer: String, _ service: NodeIdentity) -> Bool {
    let called = NodeIdentity(text: peer)
    guard called.environment == service.environment else { return false }
    if called.name == service.name {
      return called.namespace.isEmpty || called.namespace == service.namespace
    }
    guard !service.namespace.isEmpty else { return false }
    if called.name == "\(service.namespace)/\(service.name)" { return true }
    let host = "\(service.name).\(service.namespace)"
    return called.name == host || called.name.hasPrefix(host + ".svc")
  }
}
