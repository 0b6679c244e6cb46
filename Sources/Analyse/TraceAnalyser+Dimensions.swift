import Model

// What else is told apart of requests: whatever a node or an edge is credited with is credited once more
// under its dimensions, so that the part of the graph with some of them is a sum of series. A call has the
// dimensions of its callee's request; where the callee does not report, those of who called.
extension TraceAnalyser {
  /// Emits a finding about a node, and the same by what else is told apart of the request.
  func emit(
    _ finding: Finding, at node: NameID, _ dimensions: NameID, into findings: inout [Finding]
  ) {
    findings.append(finding)
    guard !dimensions.isNone else { return }
    var again = finding
    again.key = .dimension(node, dimensions)
    findings.append(again)
  }

  /// The same for a finding about an edge.
  func emit(
    _ finding: Finding, from client: NameID, to server: NameID, _ dimensions: NameID,
    into findings: inout [Finding]
  ) {
    findings.append(finding)
    guard !dimensions.isNone else { return }
    var again = finding
    again.key = .dimensionEdge(client, server, dimensions)
    findings.append(again)
  }
}
