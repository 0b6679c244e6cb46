public import Model

/// The names a simulated system uses, as decoding would have made them.
public struct SimulatedNames: Sendable {
  public private(set) var all: [NameID: Name] = [:]

  public init() {}

  mutating func service(_ name: String) -> NameID {
    add(Name(tenant: .standard, kind: .service, text: NodeIdentity(name: name).text))
  }

  mutating func peer(_ name: String, _ kind: NameKind) -> NameID {
    add(Name(tenant: .standard, kind: kind, text: NodeIdentity(name: name).text))
  }

  mutating func scoped(_ text: String, _ kind: NameKind, to service: NameID) -> NameID {
    add(Name(tenant: .standard, kind: kind, scope: service, text: text))
  }

  mutating func address(_ text: String) -> NameID {
    add(Name(tenant: .standard, kind: .address, text: text))
  }

  private mutating func add(_ name: Name) -> NameID {
    all[name.id] = name
    return name.id
  }
}
