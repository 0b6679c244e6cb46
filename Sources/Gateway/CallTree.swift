import Analyse
import Model

/// The ways of calls to the spans of a critical path, each once however many spans share it.
///
/// Spans are looked at after their parents, so that a way is that of the parent and one label more:
/// building every way from its span up would take time that grows with the square of the depth.
/// - Cost: O(n), besides the text that comes out.
struct CallTree {
  private struct Step: Hashable {
    var parent: Int32
    var label: Int32
  }

  private struct NamePair: Hashable {
    var service: NameID
    var operation: NameID
  }

  private struct Node {
    var step: Step
    var depth: Int
    var time: Nanos = 0
    var covered: Nanos = 0
    /// Spans of the path end here: their time is shown, be it none.
    var isOnPath = false
  }

  /// Where a way is longer, the time of its deepest part counts for the part above.
  static let lengthMax = 256

  private var labels: [String] = []
  private var labelsByText: [String: Int32] = [:]
  private var labelsByName: [NamePair: Int32] = [:]
  private var nodes: [Node] = []
  private var nodesByStep: [Step: Int32] = [:]

  init(_ path: TracePath, in forest: TraceForest, names: NameTable) {
    let isNeeded = CallTree.ancestry(of: path, in: forest)
    var nodeOf = Array(repeating: Int32(-1), count: forest.spans.count)
    for index32 in forest.order where isNeeded[Int(index32)] {
      let index = Int(index32)
      let parent = forest.parent(of: index).map { nodeOf[$0] } ?? -1
      nodeOf[index] = node(below: parent, label(of: forest.spans[index], names))
    }
    for share in path.shares {
      let node = Int(nodeOf[share.span])
      nodes[node].time = nodes[node].time.saturatingAdding(share.time)
      nodes[node].covered = nodes[node].covered.saturatingAdding(share.covered)
      nodes[node].isOnPath = true
    }
  }

  var callPaths: [TraceCriticalPath.CallPath] {
    nodes.indices.filter { nodes[$0].isOnPath }.map { index in
      var path: [String] = []
      var walker = Int32(index)
      while walker >= 0 {
        let step = nodes[Int(walker)].step
        path.append(labels[Int(step.label)])
        walker = step.parent
      }
      return TraceCriticalPath.CallPath(
        path: path.reversed(),
        exclusive: nodes[index].time.saturatingSubtracting(nodes[index].covered))
    }
  }

  /// The spans of the path and all above them.
  private static func ancestry(of path: TracePath, in forest: TraceForest) -> [Bool] {
    var isNeeded = Array(repeating: false, count: forest.spans.count)
    for share in path.shares {
      var walker: Int? = share.span
      while let index = walker, !isNeeded[index] {
        isNeeded[index] = true
        walker = forest.parent(of: index)
      }
    }
    return isNeeded
  }

  private mutating func node(below parent: Int32, _ label: Int32) -> Int32 {
    let depth = parent < 0 ? 1 : nodes[Int(parent)].depth + 1
    if depth > CallTree.lengthMax { return parent }
    let step = Step(parent: parent, label: label)
    if let known = nodesByStep[step] { return known }
    let new = Int32(nodes.count)
    nodes.append(Node(step: step, depth: depth))
    nodesByStep[step] = new
    return new
  }

  private mutating func label(of span: SpanRecord, _ names: NameTable) -> Int32 {
    let pair = NamePair(service: span.service, operation: span.operation)
    if let known = labelsByName[pair] { return known }
    let text = CallTree.text(pair, names)
    let label = labelsByText[text] ?? Int32(labels.count)
    if label == labels.count { labels.append(text) }
    labelsByText[text] = label
    labelsByName[pair] = label
    return label
  }

  private static func text(_ pair: NamePair, _ names: NameTable) -> String {
    let service = names.name(pair.service).map { NodeIdentity(text: $0.text) }
    let operation = names.name(pair.operation)?.text ?? ""
    return "\(service?.path ?? "?") \(operation)"
  }
}
