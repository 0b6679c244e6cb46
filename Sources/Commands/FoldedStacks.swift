import Gateway
import Model

/// Critical paths as folded stacks, the text that flame graph tools read: a line for each way of
/// calls, its frames divided by semicolons, then a space and the nanoseconds spent at its end. The
/// same way in several traces is one line; ways without time are left out.
/// - Source: brendangregg/FlameGraph, `flamegraph.pl`: counts are whole numbers.
struct FoldedStacks {
  private let traces: [TraceCriticalPath]

  init(_ traces: [TraceCriticalPath]) { self.traces = traces }

  var text: String {
    var times: [String: Nanos] = [:]
    for way in traces.lazy.flatMap(\.callPaths) where way.exclusive > 0 {
      let stack = way.path.map(FoldedStacks.frame).joined(separator: ";")
      times[stack] = times[stack, default: 0].saturatingAdding(way.exclusive)
    }
    let lines = times.sorted { $0.key < $1.key }
    return lines.reduce(into: "") { $0 += "\($1.key) \($1.value)\n" }
  }

  /// A name in which nothing ends a frame or a line.
  static func frame(_ name: String) -> String {
    var frame = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case ";": frame.unicodeScalars.append("_")
      case _ where scalar.properties.generalCategory == .control: frame.append(" ")
      case "\u{2028}", "\u{2029}": frame.append(" ")
      default: frame.unicodeScalars.append(scalar)
      }
    }
    return frame
  }
}
