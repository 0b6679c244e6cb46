internal import GRDB
internal import Model

/// The condition a marker has to meet, in SQL.
struct MarkerQuery {
  private(set) var arguments = StatementArguments()
  private var conditions: [String] = []

  init(_ filter: MarkerFilter) {
    require("tenant = ?", Int64(filter.tenant.raw))
    require("time < ?", Int64(clamping: filter.end))
    require("MAX(time, IFNULL(end_time - 1, time)) >= ?", Int64(clamping: filter.start))
    if let kind = filter.kind { require("kind = ?", kind.rawValue) }
    if let state = filter.state { require("state = ?", state.rawValue) }
    // A marker that names no namespace or environment counts for all of them.
    if let namespace = filter.namespace { require("namespace IN ('', ?)", namespace) }
    if let environment = filter.environment {
      require("environment IN ('', ?)", environment)
    }
    if let service = filter.service { require(service: service) }
  }

  var condition: String { conditions.joined(separator: " AND ") }

  mutating func require(_ condition: String, _ values: (any DatabaseValueConvertible)...) {
    conditions.append("(\(condition))")
    arguments += StatementArguments(values)
  }

  /// A name, or `namespace/name`.
  private mutating func require(service: String) {
    let parts = service.split(separator: "/", maxSplits: 1)
    guard parts.count == 2 else { return require("service = ?", service) }
    require(
      "service = ? OR service = ? AND namespace IN ('', ?)", service, String(parts[1]),
      String(parts[0]))
  }
}
