public import Model

/// Who a node is, read from its name.
struct NodeReference: Sendable, Equatable {
  let nameID: NameID
  let id: String
  /// The same with nothing percent-encoded, as people may write it.
  let plainID: String
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
    id = kind.id(of: identity.path)
    plainID = kind == .service ? plain : "\(kind.rawValue):\(plain)"
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

extension NodeReference {
  /// Those a name or an id stands for: one, or one id in several environments.
  static func named(
    _ service: String, among known: [NodeReference]
  ) throws(GraphError) -> [NodeReference] {
    let byID = known.filter { $0.id == service }
    let found =
      byID.isEmpty ? known.filter { $0.name == service || $0.plainID == service } : byID
    guard !found.isEmpty else {
      throw .unknownService(
        service: service,
        nearest: Spelling.nearest(to: service, among: known.flatMap { [$0.id, $0.name] }))
    }
    let ids = Set(found.map(\.id))
    guard ids.count == 1 else { throw .ambiguous(service: service, ids: ids.sorted()) }
    return found
  }
}

extension NodeKind {
  /// The id of a node of this kind: the path of a service, all else with its kind before it. Of a service that
  /// is called as if it had one, the colon is percent-encoded.
  func id(of path: String) -> String {
    guard self == .service else { return "\(rawValue):\(path)" }
    for kind in NodeKind.allCases where kind != .service && path.hasPrefix("\(kind.rawValue):") {
      return "\(kind.rawValue)%3A\(path.dropFirst(kind.rawValue.count + 1))"
    }
    return path
  }

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

  /// The nodes a name or an id stands for: one, or one id in several environments.
  public static func nodes(
    named service: String, among names: some Sequence<Name>
  ) throws(GraphError) -> Set<NameID> {
    let known = names.compactMap { NodeReference($0) }
    return Set(try NodeReference.named(service, among: known).map(\.nameID))
  }
}
