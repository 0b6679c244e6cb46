import Impact

// A service and what it is held to, as one text, which is the form that fits into a list, a variable
// and a flag alike: `shop/checkout error_rate=0.5% latency_p99=300ms`.
extension ConfigurationType where Value == NamedObjective {
  static var objective: Self {
    Self(
      name: "objective", range: "such as shop/checkout error_rate=0.5% latency_p99=300ms",
      parse: ObjectiveText.parse, format: ObjectiveText.format)
  }
}

private enum ObjectiveText {
  private static let errorRate = "error_rate"
  private static let latencyP95 = "latency_p95"
  private static let latencyP99 = "latency_p99"
  private static let metrics = [errorRate, latencyP95, latencyP99]

  private static let share = ConfigurationType<Double>.percent(0.00001...0.5)
  private static let duration = ConfigurationType<UInt64>.duration(1_000...3_600_000_000_000)
  static let nameBytesMax = 512

  @Sendable
  static func parse(_ text: String) throws(InvalidValue) -> NamedObjective {
    let words = text.split(separator: " ")
    // A name may hold spaces: what is promised stands behind it.
    let promises = words.reversed().prefix { $0.contains("=") }.reversed()
    let service = words.dropLast(promises.count).joined(separator: " ")
    guard !service.isEmpty, service.utf8.count <= nameBytesMax else {
      throw InvalidValue(
        "'\(InvalidValue.shown(text))' names no service",
        remedy: "write a name or an id of at most \(nameBytesMax) bytes, then what it is held to")
    }
    guard !promises.isEmpty else {
      throw InvalidValue(
        "'\(InvalidValue.shown(text))' says nothing \(InvalidValue.shown(service)) is held to",
        remedy: "add error_rate=0.5%, latency_p95=100ms or latency_p99=300ms")
    }
    var objective = ServiceObjective()
    var given: Set<String> = []
    for promise in promises {
      let parts = promise.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let metric = String(parts[0])
      guard given.insert(metric).inserted else {
        throw InvalidValue(
          "'\(InvalidValue.shown(metric))' is given twice", remedy: "keep one of the two")
      }
      try set(metric, String(parts[1]), &objective)
    }
    return NamedObjective(service: service, objective: objective)
  }

  private static func set(
    _ metric: String, _ value: String, _ objective: inout ServiceObjective
  ) throws(InvalidValue) {
    switch metric {
    case errorRate: objective.errorRate = try share.parse(value)
    case latencyP95: objective.latencyP95 = try duration.parse(value)
    case latencyP99: objective.latencyP99 = try duration.parse(value)
    default:
      let nearest = Suggestion.nearest(to: metric, among: metrics)
      throw InvalidValue(
        "'\(InvalidValue.shown(metric))' is nothing a service can be held to",
        remedy: nearest.map { "did you mean \($0)?" }
          ?? "write one of \(metrics.joined(separator: ", "))")
    }
  }

  @Sendable
  static func format(_ named: NamedObjective) -> String {
    let objective = named.objective
    let values = [
      objective.errorRate.map { (errorRate, share.format($0)) },
      objective.latencyP95.map { (latencyP95, duration.format($0)) },
      objective.latencyP99.map { (latencyP99, duration.format($0)) },
    ]
    return ([named.service] + values.compactMap { $0 }.map { "\($0)=\($1)" })
      .joined(separator: " ")
  }
}
