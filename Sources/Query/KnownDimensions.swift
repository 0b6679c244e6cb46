import Graph
import Model

/// Which attributes requests can be asked by: those that are told apart now, and those that were in the
/// range. A graph by any other would be empty, which looks like an answer.
enum KnownDimensions {
  /// - Errors: `QueryProblem` (400) that names the attributes there are.
  static func check(
    _ asked: [Dimensions.Pair], configured: [String], tenant: TenantID, in inputs: GraphInput...
  ) throws(QueryProblem) {
    // The cluster always is one of them.
    let wanted = Set(asked.map(\.attribute)).subtracting(configured + [Dimensions.cluster])
    guard !wanted.isEmpty else { return }
    var known = Set(configured + [Dimensions.cluster])
    for name in inputs.lazy.flatMap(\.names.values)
    where name.kind == .dimensions && name.tenant == tenant && name.text != Name.overflowText {
      known.formUnion(Dimensions(text: name.text).pairs.map(\.attribute))
    }
    guard let unknown = wanted.subtracting(known).min() else { return }
    throw QueryProblem(
      .invalidRequest, "Requests are not told apart by this attribute (identity.dimensions).",
      errors: [
        .init(
          "dimension",
          "\"\(unknown.prefix(64))\" is not one of the attributes there are: "
            + known.sorted().joined(separator: ", ") + ".")
      ])
  }
}

extension Call {
  /// A range for a part of the graph with some dimensions.
  func input(
    _ range: Range<Nanos>, _ kinds: Set<SeriesKind>, of dimensions: [Dimensions.Pair]
  ) async throws -> GraphInput {
    let input = try await input(range, kinds)
    try KnownDimensions.check(
      dimensions, configured: configuration.dimensions, tenant: tenant, in: input)
    return input
  }
}
