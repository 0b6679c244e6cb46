public import Model

/// Which services the names and addresses of peers stand for.
///
/// A call of which no span of the callee tells is a call to whatever its attributes name: a proxy's
/// cluster, a host, the address of a pod. Findings keep it that way; what it stands for is found
/// here, when windows are read, from who answered to the same name in the range, and from the
/// addresses that instances said they have. (Where an address changed hands within the range,
/// `ChangedHands` decided before.) The two ends of traffic are named by the same table, to
/// which access logs add where they say nodes are.
///
/// A queue that is called otherwise by those that take from it than by those that send to it (a
/// subscription and its topic) is one node too, by the senders' name.
public struct PeerAliases: Sendable {
  private var services: [NameID: NameID] = [:]

  /// - Parameter input: with the series of edges, instances, answers and traffic.
  public init(_ input: GraphInput) {
    let table = AddressTable(input)
    // What only logs know of is decided by who calls it there: they change nothing about a call of spans.
    for (peer, clients) in table.callers.merging(
      table.trafficCallers, uniquingKeysWith: { a, _ in a })
    {
      guard let name = input.names[peer], name.kind == .external else { continue }
      // What several answer to is the name of something before them: it stands for none of them.
      guard let service = table.service(of: name) else { continue }
      if clients.contains(service), !PeerAliases.isOwnName(name, of: service, peer, table) {
        continue
      }
      services[peer] = service
    }
    for peer in table.calling {
      guard let name = input.names[peer], name.kind == .client else { continue }
      services[peer] = table.holder(of: name) ?? table.called(alike: name).map { node($0) }
    }
    // A queue to which somebody sends by that name is itself, and one that is fed by several stands
    // for none of them.
    for (queue, sent) in table.sentTo where sent.count == 1 && table.callers[queue] == nil {
      if let sent = sent.first, table.sentTo[sent] == nil { services[queue] = sent }
    }
  }

  /// Whether a service that calls a name calls itself by it. A host's name does say so to which it
  /// answered: that of a load balancer before it. An address does not: the host of a service has it too,
  /// and so do agents there; nor does what each host calls itself.
  private static func isOwnName(
    _ name: Name, of service: NameID, _ peer: NameID, _ table: AddressTable
  ) -> Bool {
    let text = NodeIdentity(text: name.text).name
    return table.isAnswered(name) && IPAddress(text.utf8) == nil && text != "localhost"
      && !text.hasSuffix(".localhost") && table.trafficCallers[peer]?.contains(service) != true
  }

  /// The node a series about `id` belongs to: `id` itself, or the service it stands for.
  public func node(_ id: NameID) -> NameID { services[id] ?? id }
}
