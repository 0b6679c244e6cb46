public import Model

/// Who a node is, read from its name.
struct NodeReference: Sendable, Equatable {
  let nameID: NameID
  let id: String
  let environment: String
  let namespace: String
  let name: String
  let kind: NodeKind

  /// nil for names that are not nodes.
  init?(_ name: Name) {
    guard let kind = NodeKind(name.kind) else { return nil }
    let identity = NodeIdentity(text: name.text)
    let plain =
      identity.namespace.isEmpty ? identity.name : "\(identity.namespace)/\(identity.name)"
    nameID = name.id
    id = kind == .service ? plain : "\(kind.rawValue):\(plain)"
    environment = identity.environment
    namespace = identity.namespace
    self.name = identity.name
    self.kind = kind
  }

  /// By id, then environment; the identity decides between what is written alike.
  static func precedes(_ a: NodeReference, _ b: NodeReference) -> Bool {
    if a.id != b.id { return a.id < b.id }
    if a.environment != b.environment { return a.environment < b.environment }
    return a.nameID < b.nameID
  }
}

extension NodeKind {
  init?(_ kind: NameKind) {
    switch kind {
    case .service: self = .service
    case .database: self = .database
    case .messaging: self = .messaging
    case .external: self = .external
    case .client: self = .client
    case .version, .instance, .operation, .address, .dimensions: return nil
    }
  }
}

/// The id of the node a name stands for, as users read it; nil for names that are not nodes.
public enum NodeLabel {
  public static func id(of name: Name) -> String? { NodeReference(name)?.id }
}
