/// Finds the simple paths of a directed graph from some nodes to others, shortest first.
///
/// One round a length: a walk in depth that turns back where the target cannot be reached in the
/// steps that are left. So what is found first is shortest, no more than one path is held at a
/// time, and on a dense graph the limits end the search before it has looked at much. (Yen's
/// algorithm finds the same without repeating the short walks, but holds every candidate.)
/// - Shape: nodes are 0..<count. Paths of one length come in the order of `next`.
struct PathSearch {
  /// Why there may be more paths than were found.
  enum Cut: String {
    /// As many as were asked for.
    case limit
    /// `stepsMax` calls were looked at.
    case steps
  }

  /// How many calls are looked at for one question, rounds together: some tens of milliseconds.
  static let stepsMax = 200_000

  /// By node: where its calls lead.
  private let next: [[Int]]
  private let sources: [Int]
  /// By node: the fewest calls from it to a target; nil when none leads there.
  private let remaining: [Int?]
  private let stepsMax: Int

  private(set) var paths: [[Int]] = []
  private(set) var cut: Cut?
  private var steps = 0

  init(
    next: [[Int]], from sources: [Int], to targets: [Int], stepsMax: Int = PathSearch.stepsMax
  ) {
    self.next = next
    self.sources = sources
    self.stepsMax = stepsMax
    remaining = PathSearch.distances(next, to: targets)
  }

  /// The length of the shortest path; nil when there is none.
  var distance: Int? { sources.compactMap { remaining[$0] }.min() }

  /// - Parameters:
  ///   - pathsMax: paths to find at most.
  ///   - lengthMax: the most calls a path may have.
  mutating func run(pathsMax: Int, lengthMax: Int) {
    guard let distance, distance <= lengthMax else { return }
    for length in distance...lengthMax {
      var isLonger = false
      for source in sources {
        isLonger = walk(from: source, length: length, pathsMax) || isLonger
        if cut != nil { return }
      }
      // No walk was cut short by its length, so none is longer.
      if !isLonger { return }
    }
  }

  /// Adds the paths of exactly this length.
  /// - Returns: whether longer ones may exist.
  private mutating func walk(from source: Int, length: Int, _ pathsMax: Int) -> Bool {
    guard let least = remaining[source] else { return false }
    guard least <= length else { return true }
    var isLonger = false
    var path = [source]
    var isOnPath = Set(path)
    // By node of the path: which of its calls is next.
    var position = [0]
    while let node = path.last, let place = position.last {
      guard remaining[node] != 0, place < next[node].count else {
        if remaining[node] == 0, path.count - 1 == length {
          guard paths.count < pathsMax else {
            cut = .limit
            return true
          }
          paths.append(path)
        }
        isOnPath.remove(node)
        path.removeLast()
        position.removeLast()
        continue
      }
      position[position.count - 1] += 1
      steps += 1
      guard steps <= stepsMax else {
        cut = .steps
        return true
      }
      let callee = next[node][place]
      guard let rest = remaining[callee], !isOnPath.contains(callee) else { continue }
      guard path.count + rest <= length else {
        isLonger = true
        continue
      }
      path.append(callee)
      position.append(0)
      isOnPath.insert(callee)
    }
    return isLonger
  }

  /// By node: the fewest calls from it to a target; nil when none leads there.
  /// Backwards from the targets, breadth first.
  static func distances(_ next: [[Int]], to targets: [Int]) -> [Int?] {
    var callers = [[Int]](repeating: [], count: next.count)
    for (node, callees) in next.enumerated() {
      for callee in callees { callers[callee].append(node) }
    }
    var distances = [Int?](repeating: nil, count: next.count)
    var frontier = targets
    for target in targets { distances[target] = 0 }
    var distance = 0
    while !frontier.isEmpty {
      distance += 1
      frontier = frontier.flatMap { callers[$0] }.filter { node in
        guard distances[node] == nil else { return false }
        distances[node] = distance
        return true
      }
    }
    return distances
  }
}
