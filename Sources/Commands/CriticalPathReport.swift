import Gateway
import Graph
import Model

/// Where traces spent the time somebody waited for.
struct CriticalPathReport {
  private let traces: [TraceCriticalPath]

  init(_ traces: [TraceCriticalPath]) { self.traces = traces }

  /// One object a trace, as the public contract has it.
  var json: String {
    var json = JSONText()
    json.array(traces) { json, trace in
      json.object { json in
        json.member("trace_id", trace.trace.description)
        json.key("sections")
        json.array(trace.sections) { json, section in
          json.object { json in
            json.member("span_id", section.span.description)
            json.member("start_unix_nano", section.start)
            json.member("end_unix_nano", section.end)
          }
        }
        json.key("exclusive_ns")
        json.object { json in
          for (span, time) in trace.exclusive.sorted(by: { $0.key < $1.key }) {
            json.member(span.description, time)
          }
        }
        json.key("call_paths")
        json.array(trace.callPaths) { json, way in
          json.object { json in
            json.member("path", way.path)
            json.member("exclusive_ns", way.exclusive)
          }
        }
        if let errors = trace.errors {
          json.key("error_path")
          json.object { json in
            json.member("on_path", errors.onPath.map(\.description))
            json.member("connected", errors.connected.map(\.description))
          }
        }
      }
    }
    return json.text
  }

  /// One row a section.
  var table: String {
    PlainTable(
      header: ["TRACE", "SPAN", "START", "TIME"],
      rows: traces.flatMap { trace in
        trace.sections.map { section in
          [
            trace.trace.description, section.span.description, Timestamp.text(section.start),
            Figure.milliseconds(milliseconds(section.end.saturatingSubtracting(section.start))),
          ]
        }
      }, figures: [3]
    ).text
  }

  /// The ways of calls that took most, over all traces.
  var summary: String {
    var times: [[String]: (nanos: Nanos, traces: Int)] = [:]
    for way in traces.flatMap(\.callPaths) {
      let before = times[way.path] ?? (0, 0)
      times[way.path] = (before.nanos.saturatingAdding(way.exclusive), before.traces + 1)
    }
    let total = times.values.reduce(Nanos(0)) { $0.saturatingAdding($1.nanos) }
    guard total > 0 else { return "" }
    let sorted = times.sorted {
      $0.value.nanos != $1.value.nanos
        ? $0.value.nanos > $1.value.nanos : $0.key.lexicographicallyPrecedes($1.key)
    }
    let rows = sorted.prefix(CriticalPathReport.rowsMax).map { path, time in
      [
        Figure.percent(Double(time.nanos) / Double(total)),
        Figure.milliseconds(milliseconds(time.nanos) / Double(time.traces)), "\(time.traces)",
        path.joined(separator: " › "),
      ]
    }
    let more = sorted.count - rows.count
    return PlainTable(
      header: ["SHARE", "A TRACE", "TRACES", "CRITICAL PATH"], rows: rows, figures: [0, 1, 2]
    ).text + (more > 0 ? "… and \(more) more\n" : "")
  }

  private static let rowsMax = 20

  private func milliseconds(_ nanos: Nanos) -> Double { Double(nanos) / 1_000_000 }
}
