import Graph
import Impact
import Model

/// The shapes of the answers, as JSON Schema.
enum OpenAPISchemas {
  /// What a member holds.
  indirect enum Shape: Sendable {
    case text, number, integer, boolean, time
    /// A number, or null when there is nothing to compute it from.
    case maybeNumber
    case reference(String)
    /// A text, or null when it is not known.
    case maybeText
    /// A reference, or null when there is nothing to show.
    case maybe(String)
    case list(Shape)
    /// A list, or null when there is nothing to show.
    case maybeList(Shape)
    /// One of several texts.
    case choice([String])
    /// An object with any keys.
    case map(Shape)
    /// A text, a number, true or false.
    case scalar
  }

  static func write(_ json: inout JSONText) {
    for (name, members) in all + effects {
      json.member(name) { json in
        json.member("type", "object")
        json.member("properties") { json in
          for (member, shape) in members { json.member(member) { write(&$0, shape) } }
        }
        // What is posted is refused with keys nobody knows; answers may gain some.
        if name == "MarkerPost" {
          json.member("required", ["kind"])
          json.member("additionalProperties", false)
        }
      }
    }
  }

  private static let range: [(String, Shape)] = [
    ("start", .time), ("end", .time), ("revision", .integer),
  ]

  private static let figures: [(String, Shape)] = [
    ("requests", .number), ("effective_requests", .number), ("errors", .number),
    ("error_rate", .maybeNumber), ("error_origins", .number), ("errors_passed_through", .number),
    ("traces", .integer),
    ("error_traces", .integer),
    ("latency_ms", .maybe("Durations")), ("self_time_ms", .maybe("Durations")),
    ("critical_path_share", .maybeNumber), ("exemplars", .list(.text)),
  ]

  /// Which node it is.
  private static let identity: [(String, Shape)] = [
    ("id", .text), ("service", .text), ("namespace", .text), ("environment", .text),
    ("kind", .text),
  ]

  /// What was seen of it.
  private static let presence: [(String, Shape)] =
    [("versions", .list(.text)), ("instances", .integer), ("clusters", .list(.text))] + figures
    + [("errors_absorbed", .number)]

  /// Which edge it is.
  private static let ends: [(String, Shape)] = [
    ("client", .text), ("server", .text), ("client_environment", .text),
    ("server_environment", .text), ("connection_type", .text),
  ]

  /// What was seen of it.
  private static let measures: [(String, Shape)] = [
    ("requests", .number), ("failed", .number), ("effective_requests", .number),
    ("client_latency_ms", .maybe("Durations")), ("server_latency_ms", .maybe("Durations")),
    ("gap_ms", .maybe("Durations")),
    ("critical_path_share", .maybeNumber), ("error_propagation", .reference("ErrorPropagation")),
    ("exemplars", .list(.text)),
  ]

  /// What its calls hold up, where one service is shown.
  private static let wait: [(String, Shape)] = [
    ("drag_ms", .maybe("Durations")), ("slack_ms", .maybe("Durations")),
    ("blocking_share", .maybeNumber),
  ]

  private static func differences(of name: String) -> [(String, Shape)] {
    [
      ("new", .list(.reference(name))), ("vanished", .list(.reference(name))),
      ("changed", .list(.reference(name))), ("unchanged", .integer),
    ]
  }

  /// What senders say of a change: all of it can be read again.
  private static let announced: [(String, Shape)] = [
    ("kind", .choice(MarkerKind.allCases.map(\.rawValue))), ("service", .text),
    ("namespace", .text), ("environment", .text), ("time", .time), ("end_time", .time),
    ("state", .choice(MarkerState.allCases.map(\.rawValue))), ("version", .text),
    ("previous_version", .text), ("scaling", .reference("Scaling")),
    ("source", .text), ("dedupe_key", .text), ("url", .text), ("attributes", .map(.scalar)),
  ]

  private static let verdicts = ["promote", "wait", "rollback"]

  private static let verdict: [(String, Shape)] = [
    ("id", .text), ("service", .text), ("version", .text), ("verdict", .choice(verdicts)),
    ("since", .time), ("data_until", .time),
  ]

  private static let all: [(String, [(String, Shape)])] = [
    (
      "BlastRadius",
      [("entry_points", .list(.reference("EntryPoint"))), ("truncated", .boolean)]
    ),
    (
      "Coverage",
      [
        ("spans", .integer), ("traces", .integer), ("late_spans", .integer),
        ("duplicates", .integer), ("clock_skew", .reference("ClockSkew")),
        ("paired", .integer), ("unpaired", .map(.integer)), ("standalone", .map(.integer)),
        ("overflow", .map(.integer)), ("traffic_records", .map(.integer)),
      ]
    ),
    ("ClockSkew", [("adjusted", .integer), ("over_limit", .integer)]),
    (
      "CallErrors",
      [("propagated", .number), ("absorbed", .number), ("probability", .maybeNumber)]
    ),
    (
      "CallPath",
      [
        ("path", .list(.text)), ("traces", .integer), ("exclusive_ms", .reference("PathTimes")),
        ("gap_ms", .reference("PathTimes")), ("share", .number), ("error_traces", .integer),
        ("absorbed_ms", .number), ("retry_ms", .number), ("bands", .list(.reference("PathBand"))),
        ("exemplars", .list(.text)),
        // In a comparison.
        ("base", .maybe("PathFigures")), ("current", .maybe("PathFigures")),
        ("change_ms", .number), ("share_change", .number),
      ]
    ),
    (
      "CriticalPath",
      range + [
        ("rule", .choice(CriticalPathRule.allCases.map(\.rawValue))),
        ("entry", .text), ("traces", .integer), ("requests", .number),
        ("duration_ms", .maybe("Durations")), ("error_traces", .integer),
        ("absorbed_ms", .number), ("retry_ms", .number), ("bands", .list(.reference("PathBand"))),
        ("paths", .list(.reference("CallPath"))), ("error_paths", .list(.reference("ErrorPath"))),
        ("entries", .list(.reference("PathEntry"))),
        // In a comparison.
        ("base_start", .time), ("base_end", .time),
        ("comparison", .choice(["ranges", "versions"])), ("service", .text), ("version", .text),
        ("base_version", .text), ("environment", .text), ("base", .reference("PathSide")),
        ("current", .reference("PathSide")), ("change_ms", .number),
      ]
    ),
    (
      "Dimension",
      [("attribute", .text), ("values", .list(.reference("DimensionValue")))]
    ),
    ("DimensionValue", [("value", .text)] + figures),
    ("Durations", ["mean", "p50", "p90", "p95", "p99", "max"].map { ($0, .number) }),
    (
      "Edge",
      ends + measures + wait
    ),
    (
      "EdgeDifference",
      ends + [
        ("base", .maybe("EdgeFigures")), ("current", .maybe("EdgeFigures")),
        ("changes", .list(.reference("MetricChange"))),
      ]
    ),
    ("EdgeDifferences", differences(of: "EdgeDifference")),
    (
      "CallDifference",
      [
        ("service", .text), ("environment", .text), ("operation", .text), ("callee", .text),
        ("callee_operation", .text), ("base", .maybe("CallFigures")),
        ("current", .maybe("CallFigures")), ("changes", .list(.reference("MetricChange"))),
      ]
    ),
    ("CallDifferences", differences(of: "CallDifference")),
    (
      "CallFigures",
      [("requests", .number), ("probability", .maybeNumber), ("per_request", .maybeNumber)]
    ),
    ("EdgeFigures", [("request_rate", .number), ("error_rate", .maybeNumber)] + measures),
    (
      "EntryPoint",
      identity + [
        ("distance", .integer), ("requests", .number), ("request_rate", .number),
        ("share_at_most", .number),
      ]
    ),
    (
      "ErrorControl",
      [
        ("method", .choice(["mean_of_e_values"])), ("alpha", .number),
        ("alpha_sequential", .number), ("alpha_final", .number), ("e_value", .number),
        ("threshold", .number),
      ]
    ),
    (
      "ErrorPropagation",
      [
        ("callee_failures", .number), ("propagated", .number), ("absorbed", .number),
        ("probability", .maybeNumber), ("absorbed_ms", .number), ("retry_ms", .number),
      ]
    ),
    (
      "ErrorPath",
      [
        ("path", .list(.text)), ("origin", .text), ("error_traces", .integer), ("errors", .number),
        ("share", .number), ("duration_ms", .reference("PathTimes")), ("exemplars", .list(.text)),
      ]
    ),
    (
      "Evidence",
      [
        ("metric", .choice(["errors", "error_rate", "latency"])), ("baseline", .maybeNumber),
        ("current", .maybeNumber), ("ratio", .maybeNumber), ("interval", .maybeList(.maybeNumber)),
        ("decision", .choice(["safe", "harmed", "undecided"])),
      ]
    ),
    ("FieldError", [("field", .text), ("message", .text)]),
    (
      "FlowLogs",
      [
        ("accepted", .integer), ("skipped", .integer), ("skipped_reasons", .map(.integer)),
        ("rejected_lines", .integer), ("rejected_reasons", .map(.integer)),
        ("rejected", .list(.reference("FlowLogLine"))),
      ]
    ),
    ("FlaggerHook", []),
    ("FlowLogLine", [("line", .integer), ("message", .text)]),
    ("Flushed", [("flushed", .boolean), ("time", .time)]),
    (
      "Gate",
      [
        ("id", .text), ("verdict", .choice(verdicts)), ("score", .maybeNumber),
        ("confidence", .number), ("marker", .maybeText), ("service", .maybeText),
        ("environment", .maybeText), ("version", .maybeText), ("baseline", .maybeText),
        ("rollback_to", .text), ("start", .maybeText), ("reasons", .list(.text)),
        ("evidence", .list(.reference("Evidence"))),
        ("attribution", .list(.reference("Hypothesis"))),
        ("health", .reference("Health")), ("comparison", .maybeText), ("data_until", .maybeText),
        ("deadline", .maybeText), ("eta_seconds", .maybeNumber),
        ("smallest_detectable", .reference("SmallestDetectable")),
        ("error_control", .reference("ErrorControl")),
      ]
    ),
    (
      "Graph",
      range + [
        ("nodes", .list(.reference("Node"))), ("edges", .list(.reference("Edge"))),
        ("traffic", .list(.reference("TrafficEdge"))), ("coverage", .reference("Coverage")),
      ]
    ),
    (
      "GraphDiff",
      range + [
        ("base_start", .time), ("base_end", .time),
        ("comparison", .choice(["ranges", "versions"])),
        ("min_change", .number), ("nodes", .reference("NodeDifferences")),
        ("edges", .reference("EdgeDifferences")), ("calls", .reference("CallDifferences")),
        ("coverage", .reference("Coverage")),
        ("base_coverage", .reference("Coverage")), ("node", .reference("VersionDifference")),
        ("not_compared", .list(.text)),
      ]
    ),
    (
      "GraphPath",
      [
        ("length", .integer), ("nodes", .list(.reference("NodeIdentity"))),
        ("edges", .list(.reference("PathEdge"))), ("min_request_rate", .number),
      ]
    ),
    (
      "GraphPaths",
      range + [
        ("from", .text), ("to", .text), ("distance", .maybeNumber),
        ("paths", .list(.reference("GraphPath"))), ("truncated", .boolean),
        ("truncated_by", .maybeText),
      ]
    ),
    ("Health", [("score", .maybeNumber), ("parts", .list(.reference("HealthPart")))]),
    (
      "HealthPart",
      [("name", .text), ("score", .number), ("weight", .number), ("why", .text)]
    ),
    (
      "JaegerAttribute",
      [("key", .text), ("value", .text)]
    ),
    (
      "JaegerDeepDependencies", [("dependencies", .list(.reference("JaegerPath")))]
    ),
    (
      "JaegerDependencies",
      [
        ("data", .list(.reference("JaegerDependency"))), ("total", .integer), ("limit", .integer),
        ("offset", .integer), ("errors", .maybeList(.text)),
      ]
    ),
    ("JaegerDependency", [("parent", .text), ("child", .text), ("callCount", .integer)]),
    (
      "JaegerPath",
      [
        ("path", .list(.reference("JaegerStep"))),
        ("attributes", .list(.reference("JaegerAttribute"))),
      ]
    ),
    ("JaegerStep", [("service", .text), ("operation", .text)]),
    (
      "KayentaConfig",
      [
        ("id", .text), ("name", .text), ("updatedTimestamp", .integer),
        ("updatedTimestampIso", .time), ("applications", .list(.text)),
      ]
    ),
    (
      "KayentaExecution",
      [
        ("canaryExecutionId", .text), ("application", .text), ("complete", .boolean),
        ("status", .choice(["running", "succeeded"])), ("result", .reference("KayentaResult")),
        ("gate", .reference("Gate")),
      ]
    ),
    ("KayentaJudgement", [("judgeName", .text), ("score", .reference("KayentaScore"))]),
    ("KayentaRequest", []),
    ("KayentaResult", [("judgeResult", .reference("KayentaJudgement"))]),
    (
      "KayentaScore",
      [
        ("score", .number), ("classification", .choice(KayentaScore.Classification.texts)),
        ("classificationReason", .text),
      ]
    ),
    ("KayentaStarted", [("canaryExecutionId", .text)]),
    ("Marker", [("id", .text)] + announced + [("inferred", .boolean)]),
    ("MarkerPost", announced),
    ("MarkerPosted", [("id", .text)]),
    (
      "WebhookAnswer",
      [
        ("markers", .list(.text)), ("review", .choice(["waiting"])), ("ignored", .text),
        ("problems", .list(.map(.text))),
      ]
    ),
    ("WebhookMessage", []),
    (
      "Markers",
      [
        ("start", .time), ("end", .time), ("markers", .list(.reference("Marker"))),
        ("truncated", .boolean),
      ]
    ),
    (
      "MetricChange",
      [
        ("metric", .choice(MetricChange.Metric.allCases.map(\.rawValue))), ("base", .number),
        ("current", .number), ("change", .maybeNumber), ("interval", .maybeList(.maybeNumber)),
        ("significant", .boolean),
      ]
    ),
    ("Node", identity + presence + [("health", .maybeNumber)]),
    (
      "NodeDifference",
      identity + [
        ("base", .maybe("NodeFigures")), ("current", .maybe("NodeFigures")),
        ("changes", .list(.reference("MetricChange"))), ("new_versions", .list(.text)),
        ("vanished_versions", .list(.text)),
      ]
    ),
    ("NodeDifferences", differences(of: "NodeDifference")),
    ("NodeFigures", [("request_rate", .number)] + presence),
    (
      "NodeGraphData",
      [("nodes", .list(.map(.scalar))), ("edges", .list(.map(.scalar)))]
    ),
    (
      "NodeGraphField",
      [
        ("field_name", .text), ("type", .choice(["string", "number"])), ("displayName", .text),
        ("color", .text),
      ]
    ),
    (
      "NodeGraphFields",
      [
        ("nodes_fields", .list(.reference("NodeGraphField"))),
        ("edges_fields", .list(.reference("NodeGraphField"))),
      ]
    ),
    ("NodeIdentity", identity),
    (
      "Operation",
      [("operation", .text)] + figures + [("calls", .list(.reference("OperationCall")))]
    ),
    (
      "OperationCall",
      [
        ("callee", .text), ("operation", .text), ("requests", .number), ("failed", .number),
        ("probability", .maybeNumber), ("per_request", .maybeNumber),
        ("error_propagation", .reference("CallErrors")),
      ]
    ),
    (
      "PathEntry",
      [
        ("entry", .text), ("service", .text), ("operation", .text), ("environment", .text),
        ("requests", .number), ("traces", .integer),
      ]
    ),
    (
      "PathBand",
      [
        ("from_quantile", .number), ("to_quantile", .number), ("from_ms", .number),
        ("to_ms", .number), ("requests", .number), ("critical_path_ms", .maybeNumber),
        ("share", .number),
      ]
    ),
    (
      "PathFigures",
      [
        ("traces", .integer), ("error_traces", .integer), ("exclusive_ms", .number),
        ("gap_ms", .number), ("critical_path_ms", .number), ("share", .number),
        ("exemplars", .list(.text)),
      ]
    ),
    (
      "PathSide",
      [
        ("traces", .integer), ("requests", .number), ("duration_ms", .maybe("Durations")),
        ("critical_path_ms", .number),
      ]
    ),
    (
      "PathTimes",
      [("sum", .number)] + ["mean", "p50", "p95", "p99"].map { ($0, .maybeNumber) }
    ),
    (
      "PathEdge",
      ends + [("requests", .number), ("failed", .number), ("request_rate", .number)]
    ),
    (
      "Problem",
      [
        ("type", .text), ("title", .text), ("status", .integer), ("detail", .text),
        ("errors", .list(.reference("FieldError"))),
      ]
    ),
    ("Scaling", [("from", .integer), ("to", .integer), ("reason", .text)]),
    (
      "Service",
      range + [
        ("node", .reference("Node")), ("upstream", .list(.reference("Edge"))),
        ("downstream", .list(.reference("Edge"))),
        ("traffic", .list(.reference("TrafficEdge"))),
        ("operations", .list(.reference("Operation"))),
        ("versions", .list(.reference("Version"))),
        ("dimensions", .list(.reference("Dimension"))), ("not_counted", .list(.text)),
        ("blast_radius", .reference("BlastRadius")), ("health", .reference("Health")),
        ("markers", .list(.reference("Marker"))),
      ]
    ),
    ("Services", range + [("services", .list(.reference("Node")))]),
    (
      "Side",
      [
        ("traces", .integer), ("error_traces", .integer), ("unseen_failures", .integer),
        ("typical_latency_ms", .maybeNumber),
      ]
    ),
    ("SourceHealth", [("status", .text)]),
    (
      "SmallestDetectable", [("errors_ratio", .maybeNumber), ("latency_ratio", .maybeNumber)]
    ),
    ("Stretch", [("before", .reference("Side")), ("after", .reference("Side"))]),
    (
      "Trace",
      [
        ("trace_id", .text), ("start", .time), ("duration_ms", .number),
        ("state", .choice(TraceView.State.allCases.map(\.rawValue))), ("complete", .boolean),
        ("span_count", .integer), ("truncated", .boolean),
        ("spans", .list(.reference("TraceSpan"))),
        ("rule", .choice(CriticalPathRule.allCases.map(\.rawValue))),
        ("critical_path", .list(.reference("TraceSection"))), ("error_path", .list(.text)),
      ]
    ),
    (
      "TraceSection",
      [("span_id", .text), ("start_unix_nano", .integer), ("end_unix_nano", .integer)]
    ),
    (
      "TraceSpan",
      [
        ("span_id", .text), ("parent_span_id", .maybeText), ("service", .text),
        ("environment", .text), ("version", .text), ("instance", .text), ("operation", .text),
        ("kind", .choice(["internal", "server", "client", "producer", "consumer", "traffic"])),
        ("peer", .text), ("start_unix_nano", .integer), ("duration_ms", .number),
        ("self_ms", .number), ("critical_ms", .number), ("error", .boolean),
      ]
    ),
    (
      "TrafficEdge",
      [
        ("client", .text), ("server", .text), ("client_environment", .text),
        ("server_environment", .text), ("source", .choice(TrafficSource.allCases.map(\.label))),
        ("recorded_by", .list(.choice(["client", "server"]))), ("records", .integer),
        ("requests", .maybeNumber), ("failed", .number), ("bytes", .integer),
        ("latency_ms", .maybe("Durations")),
      ]
    ),
    ("Verdict", verdict),
    (
      "VerdictInFull",
      verdict + [
        ("answer", .reference("Gate")), ("recomputed_identically", .boolean),
        ("windows", .list(.reference("VerdictWindow"))),
        ("stretches", .list(.reference("Stretch"))),
      ]
    ),
    (
      "VerdictWindow",
      [
        ("start", .time), ("end", .time), ("current", .reference("Side")),
        ("baseline", .reference("Side")), ("unknown_failures", .integer),
        ("is_warming_up", .boolean),
      ]
    ),
    (
      "Verdicts",
      [
        ("start", .time), ("end", .time), ("verdicts", .list(.reference("Verdict"))),
        ("truncated", .boolean),
      ]
    ),
    ("Version", [("version", .text), ("instances", .integer)] + figures),
    (
      "VersionDifference",
      identity + [
        ("base", .reference("VersionFigures")), ("current", .reference("VersionFigures")),
        ("changes", .list(.reference("MetricChange"))),
      ]
    ),
    (
      "VersionFigures",
      [("request_rate", .number), ("version", .text), ("instances", .integer)] + figures
    ),
    (
      "ZipkinDependency",
      [
        ("parent", .text), ("child", .text), ("callCount", .integer), ("errorCount", .integer),
      ]
    ),
  ]

  /// Two ranges of time.
  private static let twoRanges: [(String, Shape)] = [
    ("start", .time), ("end", .time), ("base_start", .time), ("base_end", .time),
  ]

  private static let serviceHealth: [(String, Shape)] = [
    ("service", .text), ("namespace", .text), ("environment", .text), ("health", .maybeNumber),
    ("why", .text), ("parts", .list(.reference("HealthPart"))),
    ("upstream", .list(.reference("HealthNeighbour"))),
    ("downstream", .list(.reference("HealthNeighbour"))),
  ]

  // What a what-if, a search for causes, and questions about health and changes answer.
  private static let effects: [(String, [(String, Shape)])] = [
    (
      "AffectedService",
      [
        ("service", .maybeText), ("latency_before_ms", .maybeNumber),
        ("latency_after_ms", .maybeNumber), ("error_rate_before", .maybeNumber),
        ("error_rate_after", .maybeNumber),
      ]
    ),
    (
      "Cause",
      [
        ("kind", .choice(RootCause.Kind.allCases.map(\.rawValue))), ("service", .maybeText),
        ("namespace", .text), ("environment", .text), ("score", .number), ("confidence", .number),
        ("evidence", .list(.reference("CauseEvidence"))), ("path", .list(.text)),
        ("affected", .list(.text)), ("marker", .maybeText),
      ]
    ),
    (
      "CauseEvidence",
      [
        ("metric", .choice(CauseEvidence.Metric.allCases.map(\.rawValue))), ("other", .maybeText),
        ("before", .number), ("after", .number), ("deviation", .number),
        ("events_before", .number), ("events_after", .number),
      ]
    ),
    (
      "ErrorEffect",
      [
        ("entry", .text), ("environment", .text), ("requests", .number),
        ("error_rate", .maybeNumber), ("increase", .maybeNumber), ("supposed", .boolean),
        ("overflow", .boolean),
      ]
    ),
    (
      "HealthNeighbour",
      [
        ("service", .text), ("namespace", .text), ("environment", .text), ("calls", .number),
        ("failed", .number), ("propagated", .number), ("absorbed", .number), ("lost_ms", .number),
        ("added_ms", .maybeNumber),
      ]
    ),
    ("Healths", twoRanges + [("services", .list(.reference("HealthOfService")))]),
    ("HealthOfService", serviceHealth),
    (
      "Hypothesis",
      [
        ("hypothesis", .choice(Hypothesis.Kind.allCases.map(\.rawValue))),
        ("probability", .number), ("name", .text), ("caller", .text),
        ("marker", .reference("OtherChange")), ("terms", .list(.reference("AttributionTerm"))),
      ]
    ),
    (
      "OtherChange",
      [
        ("id", .text), ("kind", .choice(MarkerKind.allCases.map(\.rawValue))),
        ("service", .maybeText), ("version", .maybeText), ("time", .time),
      ]
    ),
    (
      "AttributionTerm",
      [
        ("name", .choice(Hypothesis.Name.allCases.map(\.rawValue))), ("log_odds", .number),
        ("why", .text),
      ]
    ),
    (
      "Impact",
      [
        ("marker", .reference("Marker")), ("service", .maybeText), ("environment", .maybeText),
        ("assessment", .choice(ImpactReport.Assessment.allCases.map(\.rawValue))),
        ("verdict", .maybeText), ("confidence", .maybeNumber), ("comparison", .maybeText),
        ("reasons", .list(.text)), ("before", .maybe("ImpactPhase")),
        ("during", .maybe("ImpactPhase")), ("after", .maybe("ImpactPhase")),
        ("metrics", .list(.reference("ImpactMetric"))),
        ("evidence", .list(.reference("Evidence"))),
        ("attribution", .list(.reference("Hypothesis"))),
        ("affected", .list(.reference("AffectedService"))),
        ("causes", .list(.reference("ImpactCause"))), ("data_until", .maybeText),
      ]
    ),
    (
      "ImpactCause",
      [
        ("service", .maybeText), ("kind", .choice(RootCause.Kind.allCases.map(\.rawValue))),
        ("confidence", .number),
      ]
    ),
    (
      "ImpactMetric",
      [
        ("metric", .choice(ChangeEffect.Metric.allCases.map(\.rawValue))),
        ("before", .maybeNumber), ("during", .maybeNumber), ("after", .maybeNumber),
        ("effect_kind", .choice(["ratio", "difference"])), ("effect", .maybeNumber),
        ("interval", .maybeList(.maybeNumber)), ("decision", .maybeText),
      ]
    ),
    ("ImpactPhase", [("start", .time), ("end", .time)]),
    (
      "ServiceWeek",
      [
        ("service", .text), ("environment", .maybeText), ("start", .time), ("end", .time),
        ("begin_standing", .reference("Standing")), ("end_standing", .reference("Standing")),
        ("deployments", .list(.reference("WeekDeployment"))), ("rollbacks", .number),
        ("worst", .maybeText), ("others", .list(.reference("Marker"))),
        ("shifts", .list(.reference("WeekShift"))),
      ]
    ),
    (
      "Standing",
      [
        ("health", .maybeNumber), ("error_rate", .maybeNumber), ("latency_p95_ms", .maybeNumber),
        ("latency_p99_ms", .maybeNumber), ("objective_met", .boolean),
      ]
    ),
    (
      "WeekDeployment",
      [
        ("marker", .reference("Marker")), ("verdict", .maybeText),
        ("outcome", .choice(ServiceWeek.Outcome.allCases.map(\.rawValue))),
        ("rolled_back", .boolean), ("metrics", .list(.reference("ImpactMetric"))),
      ]
    ),
    (
      "WeekShift",
      [
        ("metric", .choice(LevelShift.Metric.allCases.map(\.rawValue))), ("onset", .time),
        ("before", .number), ("after", .number), ("explained_by", .maybeText),
      ]
    ),
    (
      "LatencyEffect",
      [
        ("entry", .text), ("environment", .text), ("requests", .number), ("mean_ms", .number),
        ("expected_mean_ms", .number), ("change_ms", .number), ("on_path_share", .number),
        ("overflow_share", .number),
      ]
    ),
    (
      "RootCauses",
      [
        ("start", .time), ("end", .time), ("base_start", .time), ("base_end", .time),
        ("window_seconds", .number), ("causes", .list(.reference("Cause"))),
      ]
    ),
    ("ServiceHealth", twoRanges + serviceHealth),
    (
      "Shifts",
      [
        ("start", .time), ("end", .time), ("history_start", .time), ("window_seconds", .number),
        ("series", .number), ("false_alarm_rate", .number),
        ("shifts", .list(.reference("Shift"))),
      ]
    ),
    (
      "Shift",
      [
        ("metric", .choice(LevelShift.Metric.allCases.map(\.rawValue))), ("service", .maybeText),
        ("other", .maybeText), ("operation", .maybeText), ("version", .maybeText),
        ("onset", .time), ("onset_earliest", .time), ("onset_latest", .time),
        ("ended", .maybeText), ("before", .number), ("after", .number), ("ratio", .number),
        ("difference", .number), ("interval", .list(.number)), ("deviation", .number),
        ("worse", .boolean), ("explained_by", .maybeText), ("origin", .maybe("ShiftOrigin")),
        ("marker", .maybeText),
      ]
    ),
    ("ShiftOrigin", [("kind", .text), ("service", .maybeText)]),
    (
      "WhatIf",
      range + [
        ("service", .text), ("operation", .text), ("latency", .list(.reference("LatencyEffect"))),
        ("errors", .list(.reference("ErrorEffect"))),
        ("upstream", .list(.reference("UpstreamEffect"))),
        ("calls", .list(.reference("CallEffect"))),
      ]
    ),
    (
      "UpstreamEffect",
      [
        ("service", .text), ("environment", .text), ("entry", .boolean), ("mean_ms", .maybeNumber),
        ("change_ms", .number),
      ]
    ),
    (
      "CallEffect",
      [
        ("client", .text), ("client_environment", .text), ("requests", .number),
        ("change_ms", .maybeNumber),
      ] + wait
    ),
  ]

  private static func write(_ json: inout JSONText, _ shape: Shape) {
    switch shape {
    case .text: json.member("type", "string")
    case .number: json.member("type", "number")
    case .integer: json.member("type", "integer")
    case .boolean: json.member("type", "boolean")
    case .time:
      json.member("type", "string")
      json.member("format", "date-time")
    case .scalar: json.member("type", ["string", "number", "boolean"])
    case .maybeNumber: json.member("type", ["number", "null"])
    case .maybeText: json.member("type", ["string", "null"])
    case .reference(let name): json.member("$ref", reference(name))
    case .maybe(let name):
      json.key("oneOf")
      json.array { json in
        json.object { $0.member("$ref", reference(name)) }
        json.object { $0.member("type", "null") }
      }
    case .list(let element):
      json.member("type", "array")
      json.member("items") { write(&$0, element) }
    case .maybeList(let element):
      json.member("type", ["array", "null"])
      json.member("items") { write(&$0, element) }
    case .choice(let choices):
      json.member("type", "string")
      json.member("enum", choices)
    case .map(let value):
      json.member("type", "object")
      json.member("additionalProperties") { write(&$0, value) }
    }
  }

  private static func reference(_ name: String) -> String { "#/components/schemas/\(name)" }
}
