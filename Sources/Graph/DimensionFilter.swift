import Model

/// Which dimensions a part of the graph is about.
///
/// Requests are counted by combinations of dimensions; those that have all that is asked for are summed
/// when the graph is read.
struct DimensionFilter {
  private let asked: [Dimensions.Pair]
  private var matching: [NameID: Bool] = [:]
  private let names: [NameID: Name]
  private var types: [Ends: ConnectionType] = [:]

  private struct Ends: Hashable {
    var client: UInt64
    var server: UInt64

    init(_ key: SeriesKey) { (client, server) = (key.first, key.second) }
  }

  /// - Parameter asked: all of these; none: nothing is left out.
  init(_ asked: [Dimensions.Pair], of input: GraphInput) {
    self.asked = asked
    names = asked.isEmpty ? [:] : input.names
    guard !asked.isEmpty else { return }
    for key in input.window.series.keys where key.kind == .edge {
      let type = UInt8(exactly: key.third).flatMap(ConnectionType.init(rawValue:)) ?? .direct
      let known = types[Ends(key)] ?? type
      types[Ends(key)] = known.rawValue < type.rawValue ? known : type
    }
  }

  var isSet: Bool { !asked.isEmpty }

  mutating func matches(_ dimensions: NameID) -> Bool {
    if let known = matching[dimensions] { return known }
    let named = names[dimensions].map { Dimensions(text: $0.text) }
    let matches = asked.allSatisfy { named?[$0.attribute] == $0.value }
    matching[dimensions] = matches
    return matches
  }

  /// How the ends are connected: as in the whole graph. Two ends are connected in more than one way
  /// only where a queue between two services has no name, or where there are links besides; then all
  /// counts as direct calls.
  func type(ofEdge key: SeriesKey) -> ConnectionType { types[Ends(key)] ?? .direct }
}
