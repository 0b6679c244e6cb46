public import Model

/// When two markers tell of the same deployment or scaling, and which of them stands for both.
///
/// What somebody announced says more than what the spans show, so the announced one stays and the
/// id of the other leads to it. Which of the two came first does not matter.
public enum MarkerMerging {
  /// How far apart the announcement and the first span may be.
  public static let apartNanosMax: Nanos = .hour
  /// How far apart a scaling that is announced and one that is seen may be: there are many of them.
  public static let scalingsApartNanosMax: Nanos = 5 * .minute

  public static let rule = MarkerRule(nearNanos: apartNanosMax, place: place)

  /// - Parameter others: markers of the same tenant that stand around the new one.
  static func place(_ new: Marker, among others: [Marker]) -> MarkerPlacement {
    if new.inferred {
      let announced = others.filter { isSame(announced: $0, inferred: new) }
      let nearest = announced.min { precedes($0, $1, from: new.time) }
      return nearest.map { .within($0.id) } ?? .replacing([])
    }
    let inferred = others.filter { isSame(announced: new, inferred: $0) }
    return .replacing(inferred.map(\.id).sorted())
  }

  private static func isSame(announced: Marker, inferred: Marker) -> Bool {
    let service = NodeIdentity(
      environment: inferred.environment, namespace: inferred.namespace, name: inferred.service)
    guard inferred.inferred, !announced.inferred, announced.kind == inferred.kind,
      announced.tenant == inferred.tenant, announced.concerns(service)
    else { return false }
    switch announced.kind {
    case .deployment:
      return announced.version == inferred.version
        && distance(announced.time, inferred.time) <= apartNanosMax
    case .scaling:
      // Instances come and go from when it begins until a while after it is over.
      return inferred.time <= announced.until.saturatingAdding(scalingsApartNanosMax)
        && announced.time <= inferred.until.saturatingAdding(scalingsApartNanosMax)
        && isSameWay(announced.scaling, inferred.scaling)
    default: return false
    }
  }

  /// Up or down; what does not say so is either.
  private static func isSameWay(_ a: Marker.Scaling?, _ b: Marker.Scaling?) -> Bool {
    guard let a, let b, let from = a.from, let other = b.from, a.to != from, b.to != other else {
      return true
    }
    return (a.to > from) == (b.to > other)
  }

  private static func precedes(_ a: Marker, _ b: Marker, from time: Nanos) -> Bool {
    let first = distance(a.time, time)
    let second = distance(b.time, time)
    return first != second ? first < second : a.id < b.id
  }

  private static func distance(_ a: Nanos, _ b: Nanos) -> Nanos { a > b ? a - b : b - a }
}
