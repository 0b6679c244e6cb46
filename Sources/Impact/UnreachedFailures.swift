public import Model

/// The failed calls to a service of which none of its own spans tells, by version and window: a
/// version that is killed before it can send its spans leaves nothing else.
///
/// A call is laid to a version when it went to an address that only instances of that version had
/// last; otherwise nobody knows which version failed, and it is `unknown`.
public struct UnreachedFailures: Equatable, Sendable {
  /// By window, then by version; `NameID.none` for unknown.
  private var counts: [Nanos: [NameID: Int64]] = [:]

  /// - Parameters:
  ///   - windows: with the series `.unreached` of all peers, and `.instance` of the service (from
  ///     before the first failure on, so that it is known who had an address).
  ///   - names: of the peers, addresses and instances in the keys.
  public init(
    of service: NodeIdentity, id: NameID, in windows: WindowSums, names: [NameID: Name]
  ) {
    let addresses = AddressBook(of: id, in: windows, names: names)
    for (start, window) in windows.windows {
      for (key, sums) in window.series where key.kind == .unreached {
        let address = names[NameID(key.second)]?.text ?? ""
        guard let peer = names[NameID(key.first)],
          PeerText.names(peer.text, service) || addresses.isKnown(address)
        else { continue }
        let version = addresses.version(at: address, in: start)
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

/// Who had which address when, of one service: from the instances that sent spans.
struct AddressBook {
  private struct Holding {
    var window: Nanos
    var version: NameID
  }

  /// In order of time.
  private var holdings: [String: [Holding]] = [:]

  init(of service: NameID, in windows: WindowSums, names: [NameID: Name]) {
    for (start, window) in windows.windows.sorted(by: { $0.key < $1.key }) {
      for key in window.series.keys where key.kind == .instance && key.first == service.raw {
        let identity = InstanceIdentity(text: names[NameID(key.second)]?.text ?? "")
        // Where nothing names an address, pods and hosts are reached by what they are called.
        for address in Set([identity.address, identity.instance]) where !address.isEmpty {
          holdings[address, default: []].append(
            Holding(window: start, version: NameID(key.third)))
        }
      }
    }
  }

  func isKnown(_ address: String) -> Bool { holdings[address] != nil }

  /// The version that had the address in the window or last before it, or else first after it;
  /// `NameID.none` when several had, or nobody did.
  func version(at address: String, in window: Nanos) -> NameID {
    guard let all = holdings[address] else { return .none }
    let before = all.last { $0.window <= window }?.window
    guard let moment = before ?? all.first?.window else { return .none }
    let versions = Set(all.filter { $0.window == moment }.map(\.version))
    return versions.count == 1 ? versions.first ?? .none : .none
  }
}

/// Which names of peers stand for a service.
enum PeerText {
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
