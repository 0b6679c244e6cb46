/// By which rule the critical path of a trace is found. They differ in what becomes of children
/// that overlap each other or reach beyond their parent; none lets the sections of one root
/// overlap.
public enum CriticalPathRule: String, Sendable, CaseIterable {
  /// The span the root was waiting for at each instant. What slack, drag and the costs of errors rest on.
  case wallclock
  /// As CRISP does it, for comparison with its reports.
  /// - Source: uber-research/CRISP, `crisp/graph.py` and `crisp/critical_path_segments.py`.
  case crisp
  /// As the trace page of Jaeger's user interface shows it.
  /// - Source: jaegertracing/jaeger-ui, `components/TracePage/CriticalPath`.
  case jaeger
}
