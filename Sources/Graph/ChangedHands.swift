public import Model

/// Addresses that one workload after another had within a range.
///
/// What a call to an address stands for is decided for the whole range at once (`PeerAliases`), as long
/// as only one service had it. Where one had it after the other, the series about it are read again
/// stretch by stretch, and each stretch's calls go to whoever had it then. An address that several
/// have at once, such as a host's, stays one. Pure functions: who reads windows is told which.
public struct ChangedHands: Sendable {
  /// How many addresses are looked at, those with the smallest ids: others stay addresses.
  public static let addressesMax = 256
  /// Into how many stretches a range is divided at most, so that finding out stays cheap.
  public static let stretchesMax: Nanos = 128
  /// Under this name `Coverage.overflow` counts addresses beyond `addressesMax`.
  static let overflowLabel = "changed_addresses"

  /// The addresses, by the names of the nodes that series are about.
  let addresses: [NameID: AddressTable.Address]
  /// Addresses beyond `addressesMax`.
  let leftOut: Int
  /// What has to be read of each stretch.
  public let selection: SeriesSelection

  /// nil where no address changed hands, so that nothing has to be read.
  public init?(_ input: GraphInput) {
    // Most ranges know no peer by its address, and are done here.
    let isPeer = { (name: Name) in
      (name.kind == .external || name.kind == .client)
        && IPAddress(NodeIdentity(text: name.text).name.utf8) != nil
    }
    guard input.names.values.contains(where: isPeer) else { return nil }
    var found: [NameID: AddressTable.Address] = [:]
    let table = AddressTable(input)
    for id in Set(table.callers.keys).union(table.trafficCallers.keys).union(table.calling) {
      guard let name = input.names[id], isPeer(name) else { continue }
      let identity = NodeIdentity(text: name.text)
      let address = AddressTable.Address(environment: identity.environment, text: identity.name)
      if table.holders(of: address).count > 1 { found[id] = address }
    }
    guard !found.isEmpty else { return nil }
    let kept = found.keys.sorted().prefix(ChangedHands.addressesMax)
    leftOut = found.count - kept.count
    addresses = found.filter { kept.contains($0.key) }
    selection = ChangedHands.selection(
      Set(kept), table.holders(of: Set(addresses.values)), input.window)
  }

  /// All that is about one of the addresses, and who had them. By what series begin with: asked for by
  /// the store's primary key.
  private static func selection(
    _ addresses: Set<NameID>, _ holders: Set<NameID>, _ window: Window
  ) -> SeriesSelection {
    var firsts: [SeriesKind: Set<UInt64>] = [.instance: Set(holders.map(\.raw))]
    for key in window.series.keys {
      let isEvidence = key.kind == .traffic && key.third == 0
      guard isEvidence ? holders.contains(NameID(key.first)) : isAbout(key, addresses) else {
        continue
      }
      firsts[key.kind, default: []].insert(key.first)
    }
    return SeriesSelection(firsts.mapValues { .first($0) })
  }

  /// How wide stretches are: the finest of which a range has few enough.
  public static func width(of range: Nanos, among widths: [Nanos]) -> Nanos {
    widths.sorted().first { range / max($0, 1) <= stretchesMax } ?? widths.max() ?? windowNanos
  }

  /// The same range, with each stretch's calls to an address at whoever had it then.
  /// - Parameter stretches: the selected series; those about the addresses take the place of the range's.
  public func resolved(_ input: GraphInput, by stretches: WindowSums) -> GraphInput {
    var resolved = input
    resolved.addressesLeftOut = leftOut
    let holders = holders(stretches, input.names)
    let changed = Set(holders.keys)
    guard !changed.isEmpty else { return resolved }
    var window = Window(
      input.window.series.lazy.filter { !ChangedHands.isAbout($0.key, changed) }.map { ($0, $1) })
    for (start, stretch) in stretches.windows {
      for (key, sums) in stretch.series where ChangedHands.isAbout(key, changed) {
        let (key, sums) = ChangedHands.moved(key, sums) { holders[$0]?.service(at: start) }
        window.merge(sums, at: key)
      }
    }
    resolved.window = window
    return resolved
  }

  /// Of each address that is one workload's at a time, whose when.
  private func holders(
    _ stretches: WindowSums, _ names: [NameID: Name]
  ) -> [NameID: Succession] {
    var claims: [AddressTable.Address: [AddressTable.Claim: ClosedRange<Nanos>]] = [:]
    let wanted = Set(addresses.values)
    for (start, stretch) in stretches.windows {
      for key in stretch.series.keys {
        guard let (address, claim) = AddressTable.claim(key, names), wanted.contains(address) else {
          continue
        }
        let before = claims[address]?[claim] ?? start...start
        claims[address, default: [:]][claim] =
          min(before.lowerBound, start)...max(before.upperBound, start)
      }
    }
    return addresses.compactMapValues { address in
      // As in the range: what instances say goes before what logs do.
      let all = claims[address] ?? [:]
      let own = all.filter { !$0.key.isLogged }
      return Succession(own.isEmpty ? all : own)
    }
  }

  /// Whether a series names one of the nodes.
  private static func isAbout(_ key: SeriesKey, _ nodes: Set<NameID>) -> Bool {
    switch key.kind {
    case .node, .dimension: nodes.contains(NameID(key.first))
    case .edge, .dimensionEdge, .wait:
      nodes.contains(NameID(key.first)) || nodes.contains(NameID(key.second))
    case .traffic:
      key.third != 0
        && (nodes.contains(NameID(key.first)) || nodes.contains(NameID(key.second)))
    case .call: nodes.contains(NameID(key.second))
    case .path, .errorPath: nodes.contains(NameID(key.third))
    case .version, .instance, .operation, .unpaired, .coverage, .overflow, .unreached, .answered,
      .queueAlias:
      false
    }
  }

  /// The series as it is about services.
  private static func moved(
    _ key: SeriesKey, _ sums: Sums, _ service: (NameID) -> NameID?
  ) -> (SeriesKey, Sums) {
    var moved = key
    var sums = sums
    switch key.kind {
    case .node, .dimension: moved.first = service(NameID(key.first))?.raw ?? key.first
    case .edge, .dimensionEdge, .wait, .traffic:
      moved.first = service(NameID(key.first))?.raw ?? key.first
      let server = service(NameID(key.second))?.raw ?? key.second
      // A service that calls an address of its own calls something else there.
      guard server != moved.first else { return (key, sums) }
      moved.second = server
    case .call: moved.second = service(NameID(key.second))?.raw ?? key.second
    case .path, .errorPath: moved.third = service(NameID(key.third))?.raw ?? key.third
    case .version, .instance, .operation, .unpaired, .coverage, .overflow, .unreached, .answered,
      .queueAlias:
      break
    }
    guard moved != key else { return (key, sums) }
    if key.kind == .edge { moved.third = UInt64(ConnectionType.direct.rawValue) }
    // Under a name of its own, the call was the only one of the trace by that name.
    if key.kind == .wait, moved.second != key.second { sums.clientLatency = Histogram() }
    return (moved, sums)
  }
}

/// Who had an address, one after the other.
struct Succession {
  private struct Turn {
    var service: NameID
    /// The first and the last stretch in which it was seen there.
    var first: Nanos
    var last: Nanos
  }

  private var turns: [Turn] = []

  /// nil where several have it at the same time: all of it is nobody's.
  init?(_ claims: [AddressTable.Claim: ClosedRange<Nanos>]) {
    let sorted = claims.sorted {
      ($0.value.lowerBound, $0.value.upperBound, $0.key.service)
        < ($1.value.lowerBound, $1.value.upperBound, $1.key.service)
    }
    for (claim, seen) in sorted {
      if let last = turns.last, last.service == claim.service {
        turns[turns.count - 1].last = max(last.last, seen.upperBound)
        continue
      }
      // In one stretch both may be seen: the one in which it changed hands.
      if let last = turns.last, seen.lowerBound < last.last { return nil }
      turns.append(Turn(service: claim.service, first: seen.lowerBound, last: seen.upperBound))
    }
    if turns.isEmpty { return nil }
  }

  /// Whose it was in a stretch: of whoever was seen there, or else of the one seen before and after.
  /// nil where it changed hands, and nobody can tell when.
  func service(at start: Nanos) -> NameID? {
    let seen = turns.filter { $0.first <= start && start <= $0.last }
    if !seen.isEmpty { return seen.count == 1 ? seen[0].service : nil }
    let before = turns.last { $0.last < start }
    let after = turns.first { $0.first > start }
    guard let before, let after else { return (before ?? after)?.service }
    return before.service == after.service ? before.service : nil
  }
}
