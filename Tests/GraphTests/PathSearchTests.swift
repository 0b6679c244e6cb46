import TestSupport
import Testing

@testable import Graph

@Suite struct PathSearchTests {
  private func search(
    _ next: [[Int]], _ from: Int, _ to: Int, pathsMax: Int = 1_000, lengthMax: Int = 64,
    stepsMax: Int = PathSearch.stepsMax
  ) -> PathSearch {
    var search = PathSearch(next: next, from: [from], to: [to], stepsMax: stepsMax)
    search.run(pathsMax: pathsMax, lengthMax: lengthMax)
    return search
  }

  /// Scenario: random graphs with cycles.
  /// Guarantees: exactly the simple paths brute force finds, shortest first, then by number.
  @Test func findsWhatBruteForceFinds() {
    var random = SeededGenerator("findsWhatBruteForceFinds")
    for _ in 0..<200 {
      let count = Int.random(in: 2...7, using: &random)
      let density = Double.random(in: 0.1...0.8, using: &random)
      let next = (0..<count).map { node in
        (0..<count).filter { $0 != node && Double.random(in: 0..<1, using: &random) < density }
      }
      let lengthMax = Int.random(in: 1...7, using: &random)
      let expected = paths(next, from: [0], to: count - 1)
        .filter { $0.count - 1 <= lengthMax }
        .sorted { $0.count != $1.count ? $0.count < $1.count : $0.lexicographicallyPrecedes($1) }
      let found = search(next, 0, count - 1, lengthMax: lengthMax)
      #expect(found.paths == expected)
      #expect(found.cut == nil)
    }
  }

  private func paths(_ next: [[Int]], from path: [Int], to target: Int) -> [[Int]] {
    guard let last = path.last, last != target else { return [path] }
    return next[last].filter { !path.contains($0) }
      .flatMap { paths(next, from: path + [$0], to: target) }
  }

  /// Scenario: as many paths as were asked for, and one fewer.
  /// Guarantees: it says that there are more only when there are.
  @Test func limit() {
    let next = [[1, 2, 3], [4], [4], [4], []]
    #expect(search(next, 0, 4, pathsMax: 3).paths.count == 3)
    #expect(search(next, 0, 4, pathsMax: 3).cut == nil)
    #expect(search(next, 0, 4, pathsMax: 2).paths == [[0, 1, 4], [0, 2, 4]])
    #expect(search(next, 0, 4, pathsMax: 2).cut == .limit)
  }

  /// Scenario: everybody calls everybody, sixty services: more paths than there are atoms.
  /// Guarantees: the shortest are found; the work is bounded when more are asked for than the limit
  /// of steps lets it find.
  @Test func denseGraphs() {
    let next = (0..<60).map { node in (0..<60).filter { $0 != node } }
    let few = search(next, 0, 59, pathsMax: 20)
    #expect(few.paths.count == 20)
    #expect(few.paths[0] == [0, 59])
    #expect(few.cut == .limit)
    let many = search(next, 0, 59, pathsMax: .max)
    #expect(many.cut == .steps)
    #expect(many.paths.count > 1_000)
  }

  /// Scenario: a target only a dense cluster lies before, and that cannot be reached from it simply:
  /// the one way into the target leads back through the start.
  /// Guarantees: the search ends.
  @Test func deadEndsAreBounded() {
    // 0 calls the cluster 1..<30; all of the cluster call each other and 0; 0 alone calls 30.
    var next = (0..<31).map { node in (0..<30).filter { $0 != node } }
    next[0].append(30)
    next[30] = []
    let found = search(next, 0, 30)
    #expect(found.paths == [[0, 30]])
    #expect(found.cut == nil || found.cut == .steps)
  }

  /// Scenario: no way there; a way longer than allowed.
  /// Guarantees: no paths, and the distance where there is one.
  @Test func outOfReach() {
    #expect(search([[1], [], []], 0, 2).distance == nil)
    let long = search([[1], [2], []], 0, 2, lengthMax: 1)
    #expect(long.distance == 2)
    #expect(long.paths.isEmpty)
  }
}
