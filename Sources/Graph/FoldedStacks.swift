public import Model

/// Ways of calls as folded stacks, the text that flame graph tools read: a line for each way, its
/// frames divided by semicolons, then a space and the nanoseconds spent at its end. The same way
/// given several times is one line; ways without time are left out.
/// - Source: brendangregg/FlameGraph, `flamegraph.pl`: counts are whole numbers.
public struct FoldedStacks: Sendable {
  private var times: [String: Nanos] = [:]

  public init() {}

  public mutating func add(_ path: [String], _ nanos: Nanos) {
    guard nanos > 0 else { return }
    let stack = path.map(FoldedStacks.frame).joined(separator: ";")
    times[stack] = times[stack, default: 0].saturatingAdding(nanos)
  }

  /// By name.
  public var text: String {
    times.sorted { $0.key < $1.key }.reduce(into: "") { $0 += "\($1.key) \($1.value)\n" }
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
