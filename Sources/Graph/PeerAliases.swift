import Model

/// Which services the names and addresses of peers stand for.
///
/// A call of which no span of the callee tells is a call to whatever its attributes name: a proxy's
/// cluster, a host, the address of a pod. Findings keep it that way; what it stands for is found
/// here, when windows are read, from who answered to the same name in the range, and from the
/// addresses that instances said they have.
struct PeerAliases {
  private var services: [NameID: NameID] = [:]

  /// - Parameter input: with the series of edges, instances and answers.
  init(_ input: GraphInput) {
    var answered: [NameID: Set<NameID>] = [:]
    var holders: [Address: Set<NameID>] = [:]
    var callers: [NameID: Set<NameID>] = [:]
    for key in input.window.series.keys {
      switch key.kind {
      case .answered:
        answered[NameID(key.first), default: []].insert(NameID(key.second))
      case .instance:
        guard let address = Address(of: key, input.names) else { continue }
        holders[address, default: []].insert(NameID(key.first))
      case .edge: callers[NameID(key.second), default: []].insert(NameID(key.first))
      default: break
      }
    }
    for (peer, clients) in callers {
      guard let name = input.names[peer], name.kind == .external else { continue }
      let identity = NodeIdentity(text: name.text)
      let address = Address(environment: identity.environment, text: identity.name)
      // What several answer to is the name of something before them: it stands for none of them. A
      // service that calls a name of its own calls something else by it, as far as anyone can tell.
      let found = answered[peer] ?? holders[address] ?? []
      guard found.count == 1, let service = found.first, !clients.contains(service) else {
        continue
      }
      services[peer] = service
    }
  }

  /// The node a series about `id` belongs to: `id` itself, or the service it stands for.
  func node(_ id: NameID) -> NameID { services[id] ?? id }

  private struct Address: Hashable {
    var environment: String
    var text: String

    init(environment: String, text: String) {
      self.environment = environment
      self.text = text
    }

    /// That of an instance; nil when it said none.
    init?(of key: SeriesKey, _ names: [NameID: Name]) {
      guard let instance = names[NameID(key.second)], let service = names[NameID(key.first)] else {
        return nil
      }
      let address = InstanceIdentity(text: instance.text).address
      guard !address.isEmpty else { return nil }
      self.init(environment: NodeIdentity(text: service.text).environment, text: address)
    }
  }
}
