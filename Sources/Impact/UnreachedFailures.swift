public import Model

/// The failed calls to a service of which none of its own spans tells, by version and window: a
/// version that is killed before it can send its spans leaves nothing else.
///
/// A call is laid to a version when the name it went by was last answered by that version alone (a
/// proxy's cluster of one version), or when it went to an address that only instances of that version
/// had last; otherwise nobody knows which version failed, and it is `unknown`.
public struct UnreachedFailures: Equatable, Sendable {
  /// By window, then by version; `NameID.none` for unknown.
  private var counts: [Nanos: [NameID: Int64]] = [:]

  /// - Parameters:
  ///   - windows: with the series `.unreached` of all peers, `.answered` of those, and `.instance` of
  ///     the service (from before the first failure on, so that it is known who had what).
  ///   - names: of the peers, addresses and instances in the keys.
  public init(
    of service: NodeIdentity, id: NameID, in windows: WindowSums, names: [NameID: Name]
  ) {
    let addresses = AddressBook(of: id, in: windows, names: names)
    let answers = AnswerBook(of: id, in: windows)
    for (start, window) in windows.windows {
      for (key, sums) in window.series where key.kind == .unreached {
        let address = names[NameID(key.second)]?.text ?? ""
        let peer = NameID(key.first)
        guard let name = names[peer] else { continue }
        let isOwn =
          answers.isKnown(peer) || PeerText.names(name.text, service)
          || PeerText.names(host: address, of: name.text, service) || addresses.isKnown(address)
        guard isOwn else { continue }
        var version = answers.version(by: peer, in: start)
        if version.isNone { version = addresses.version(at: address, in: start) }
        counts[start, default: [:]][version, default: 0] += sums.counters[.errorTraces]
      }
    }
  }

  /// The starts of the windows that have any.
  public var windows: [Nanos] { counts.keys.sorted() }

  /// - Parameter version: `NameID.none` for those nobody can place.
  public func count(of version: NameID, in window: Nanos) -> Int64 {
    counts[window]?[version] ?? 0
  }
}

/// By which names one service was called when, and which of its versions answered.
struct AnswerBook {
  private var holders: [NameID: Holders] = [:]

  init(of service: NameID, in windows: WindowSums) {
    for (start, window) in windows.windows.sorted(by: { $0.key < $1.key }) {
      for key in window.series.keys where key.kind == .answered && key.second == service.raw {
        holders[NameID(key.first), default: Holders()].add(NameID(key.third), in: start)
      }
    }
  }

  func isKnown(_ peer: NameID) -> Bool { holders[peer] != nil }

  func version(by peer: NameID, in window: Nanos) -> NameID {
    holders[peer]?.version(in: window) ?? .none
  }
}

/// Which versions had something when.
struct Holders {
  /// In order of time.
  private var all: [(window: Nanos, version: NameID)] = []

  mutating func add(_ version: NameID, in window: Nanos) { all.append((window, version)) }

  /// The version that had it in the window or last before, or else first after; `NameID.none` when
  /// several had.
  func version(in window: Nanos) -> NameID {
    let before = all.last { $0.window <= window }?.window
    guard let moment = before ?? all.first?.window else { return .none }
    let versions = Set(all.lazy.filter { $0.window == moment }.map(\.version))
    return versions.count == 1 ? versions.first ?? .none : .none
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
          holders[address, default: Holders()].add(NameID(key.third), in: start)
        }
      }
    }
  }

  func isKnown(_ address: String) -> Bool { holders[address] != nil }

  func version(at address: String, in window: Nanos) -> NameID {
    holders[address]?.version(in: window) ?? .none
  }
}

/// Which names of peers stand for a service.
enum PeerText {
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
