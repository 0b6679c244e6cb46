import Model

/// Who answered to which name, and who had which address, in one range.
struct AddressTable {
  private var answered: [NameID: Set<NameID>] = [:]
  private var instances: [Address: Set<NameID>] = [:]
  /// Services by the addresses access logs say they have: asked where no instance has the address.
  private var logged: [Address: Set<NameID>] = [:]
  /// Names that are no services', with the addresses access logs say they are at.
  private var located: [NameID: Set<Address>] = [:]
  /// Names that are called in traffic, by who they are.
  private var identities: [NodeIdentity: NameID] = [:]

  /// Who calls a name, by spans, and in traffic.
  private(set) var callers: [NameID: Set<NameID>] = [:]
  private(set) var trafficCallers: [NameID: Set<NameID>] = [:]
  private(set) var calling: Set<NameID> = []
  /// Of each queue, as those call it that take from it: by which names messages are sent to it.
  private(set) var sentTo: [NameID: Set<NameID>] = [:]

  init(_ input: GraphInput) {
    for key in input.window.series.keys {
      switch key.kind {
      case .answered:
        answered[NameID(key.first), default: []].insert(NameID(key.second))
      case .instance:
        guard let address = Address(of: key, input.names) else { continue }
        instances[address, default: []].insert(NameID(key.first))
      case .edge:
        callers[NameID(key.second), default: []].insert(NameID(key.first))
        calling.insert(NameID(key.first))
      case .queueAlias: sentTo[NameID(key.first), default: []].insert(NameID(key.second))
      case .traffic: take(key, input.names)
      default: break
      }
    }
    for peer in trafficCallers.keys {
      guard let name = input.names[peer], name.kind == .external else { continue }
      identities[NodeIdentity(text: name.text)] = peer
    }
  }

  private mutating func take(_ key: SeriesKey, _ names: [NameID: Name]) {
    guard key.third == 0 else {
      trafficCallers[NameID(key.second), default: []].insert(NameID(key.first))
      calling.insert(NameID(key.first))
      return
    }
    guard let node = names[NameID(key.first)], let text = names[NameID(key.second)]?.text else {
      return
    }
    let address = Address(environment: NodeIdentity(text: node.text).environment, text: text)
    if node.kind == .service {
      logged[address, default: []].insert(NameID(key.first))
    } else {
      located[NameID(key.first), default: []].insert(address)
    }
  }

  /// The one service that answered to a name, or has it for an address, or is where it is; nil where
  /// none does or several do.
  func service(of name: Name) -> NameID? {
    if let answered = answered[name.id] { return answered.count == 1 ? answered.first : nil }
    return holder(of: name)
  }

  /// Whether somebody answered to a name.
  func isAnswered(_ name: Name) -> Bool { answered[name.id] != nil }

  /// The one service that has a name for an address, or is where it is.
  func holder(of name: Name) -> NameID? {
    let identity = NodeIdentity(text: name.text)
    let own = holders(of: Address(environment: identity.environment, text: identity.name))
    if !own.isEmpty { return own.count == 1 ? own.first : nil }
    let found = (located[name.id] ?? []).reduce(into: Set<NameID>()) {
      $0.formUnion(holders(of: $1))
    }
    return found.count == 1 ? found.first : nil
  }

  /// Whoever is called by the same name in traffic: one that calls and is called is one node.
  func called(alike name: Name) -> NameID? { identities[NodeIdentity(text: name.text)] }

  func holders(of address: Address) -> Set<NameID> {
    instances[address] ?? logged[address] ?? []
  }

  func holders(of addresses: Set<Address>) -> Set<NameID> {
    addresses.reduce(into: []) { $0.formUnion(holders(of: $1)) }
  }

  struct Address: Hashable {
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

  /// Who is said to have an address: an instance of a service, or the service as logs know it.
  struct Claim: Hashable {
    var service: NameID
    /// Nobody where it is out of a log.
    var instance: NameID

    var isLogged: Bool { instance.isNone }
  }

  /// What a series says of who has which address; nil for all others.
  static func claim(_ key: SeriesKey, _ names: [NameID: Name]) -> (Address, Claim)? {
    switch key.kind {
    case .instance:
      Address(of: key, names).map {
        ($0, Claim(service: NameID(key.first), instance: NameID(key.second)))
      }
    case .traffic where key.third == 0:
      if let node = names[NameID(key.first)], node.kind == .service,
        let text = names[NameID(key.second)]?.text
      {
        (
          Address(environment: NodeIdentity(text: node.text).environment, text: text),
          Claim(service: NameID(key.first), instance: .none)
        )
      } else {
        nil
      }
    default: nil
    }
  }
}
