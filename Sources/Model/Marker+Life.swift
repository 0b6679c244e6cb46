extension Marker {
  /// How many attributes are kept of several messages about one change; those first by name.
  public static let mergedAttributesMax = 64

  /// What two messages about the same change say together.
  ///
  /// The answer is the same whatever order messages come in, and however often: it began at the
  /// earliest time named, has come as far as the furthest, and was over when the first message that
  /// far said so. What is known counts more than what is not; of two that contradict each other,
  /// the kind that is listed first and the text that is first in the alphabet.
  public func merged(with other: Marker) -> Marker {
    var merged = self
    merged.kind = min(self.kindOrder, other.kindOrder) == kindOrder ? kind : other.kind
    merged.service = Marker.known(service, other.service)
    merged.namespace = Marker.known(namespace, other.namespace)
    merged.environment = Marker.known(environment, other.environment)
    merged.time = min(time, other.time)
    merged.state = Marker.further(state, other.state)
    let ends = [self, other].filter { $0.state == merged.state }.compactMap(\.endTime)
    merged.endTime = ends.min()
    merged.version = Marker.known(version, other.version)
    merged.previousVersion = Marker.known(previousVersion, other.previousVersion)
    merged.scaling = Scaling.merged(scaling, other.scaling)
    merged.source = Marker.known(source, other.source)
    merged.url = Marker.known(url, other.url)
    merged.attributes = Marker.merged(attributes, other.attributes)
    return merged
  }

  private var kindOrder: Int { MarkerKind.allCases.firstIndex(of: kind) ?? 0 }

  private static func known(_ a: String, _ b: String) -> String {
    if a.isEmpty || b.isEmpty { return a.isEmpty ? b : a }
    return min(a, b)
  }

  private static func further(_ a: MarkerState?, _ b: MarkerState?) -> MarkerState? {
    guard let a, let b else { return a ?? b }
    return max(a, b)
  }

  private static func merged(
    _ a: [String: MarkerAttribute], _ b: [String: MarkerAttribute]
  ) -> [String: MarkerAttribute] {
    let all = a.merging(b) { "\($0)" <= "\($1)" ? $0 : $1 }
    guard all.count > mergedAttributesMax else { return all }
    let kept = all.sorted { $0.key < $1.key }.prefix(mergedAttributesMax)
    return Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
  }
}

extension Marker.Scaling {
  /// Which way it goes: more counts more than fewer, and either more than what is not known.
  private enum Direction: Int {
    case unknown, fewer, more
  }

  private var direction: Direction {
    guard let from, from != to else { return .unknown }
    return to > from ? .more : .fewer
  }

  /// Steps in the same direction are one change, from where the first began to where the last led.
  static func merged(_ a: Self?, _ b: Self?) -> Self? {
    guard let a, let b else { return a ?? b }
    var merged = a
    if a.direction != b.direction {
      merged = a.direction.rawValue > b.direction.rawValue ? a : b
    } else if let from = a.from, let other = b.from, a.direction != .unknown {
      let isMore = a.direction == .more
      merged.from = isMore ? min(from, other) : max(from, other)
      merged.to = isMore ? max(a.to, b.to) : min(a.to, b.to)
    } else if (b.from ?? -1, b.to) > (a.from ?? -1, a.to) {
      merged = b
    }
    let reasons = [a.reason, b.reason].filter { !$0.isEmpty }
    merged.reason = reasons.min() ?? ""
    return merged
  }
}
