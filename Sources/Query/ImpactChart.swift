import Graph
import Impact
import Model

/// Error rate and p95 over the time before, during and after a change: one SVG that needs nothing
/// else. Only figures and words of our own are in it.
struct ImpactChart {
  private struct Point {
    var time: Nanos
    var value: ChangePoint
  }

  private let points: [Point]
  private let range: Range<Nanos>
  private let lines: [Nanos]
  private let windowNanos: Nanos

  private static let width = 720.0
  private static let height = 132.0
  private static let left = 64.0
  private static let top = 24.0
  private static let gap = 40.0

  /// nil where there is nothing to draw.
  init?(_ report: ImpactReport) {
    guard let service = report.service, let before = report.before else { return nil }
    let phases = [before, report.during, report.after].compactMap { $0 }
    points = phases.flatMap { phase in
      phase.windows.enumerated().map { position, window in
        // The last window of a phase ends where it ends.
        let back = Nanos(phase.windows.count - position) * report.windowNanos
        return Point(
          time: phase.end.saturatingSubtracting(back), value: ChangePoint(window, of: service.id))
      }
    }
    let end = phases.map(\.end).max() ?? before.end
    guard before.start < end, points.contains(where: { $0.value.latencyP95 != nil }) else {
      return nil
    }
    range = before.start..<end
    lines = [report.marker.time] + (report.after == nil ? [] : [report.after?.start ?? end])
    windowNanos = report.windowNanos
  }

  /// A stretch of windows of one width, and the changes in it; nil where there is nothing to draw.
  init?(_ week: ServiceWeek) {
    let facts = week.facts
    points = facts.windows.enumerated().map { position, window in
      Point(
        time: facts.start.saturatingAdding(Nanos(position) * facts.width),
        value: ChangePoint(window, of: facts.service))
    }
    guard points.contains(where: { $0.value.latencyP95 != nil }) else { return nil }
    range = facts.start..<facts.end
    lines = week.deployments.map(\.marker.time).filter(range.contains)
    windowNanos = facts.width
  }

  /// Without blank lines, which would end the block in Markdown.
  var svg: String {
    let panels: [(title: String, values: [Double?], text: (Double) -> String)] = [
      ("errors", points.map(\.value.errorRate), { HumanText.percent($0) }),
      (
        "latency p95", points.map(\.value.latencyP95),
        { HumanText.duration(milliseconds: $0) }
      ),
    ]
    let total = ImpactChart.top + Double(panels.count) * (ImpactChart.height + ImpactChart.gap)
    var text = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(ImpactChart.width)) "
        + "\(number(total))\" width=\"\(number(ImpactChart.width))\" role=\"img\" "
        + "font-family=\"sans-serif\" font-size=\"12\">",
      "<title>Errors and latency over time, with the changes</title>",
    ]
    for (position, panel) in panels.enumerated() {
      let top = ImpactChart.top + Double(position) * (ImpactChart.height + ImpactChart.gap)
      text += self.panel(panel.title, panel.values, panel.text, top: top)
    }
    return (text + ["</svg>"]).joined(separator: "\n")
  }

  private func panel(
    _ title: String, _ values: [Double?], _ text: (Double) -> String, top: Double
  ) -> [String] {
    let highest = values.compactMap { $0 }.filter(\.isFinite).max() ?? 0
    let scale = highest > 0 ? highest : 1
    let bottom = top + ImpactChart.height
    var lines = [
      "<text x=\"\(number(ImpactChart.left))\" y=\"\(number(top - 8))\">\(title)</text>",
      "<rect x=\"\(number(ImpactChart.left))\" y=\"\(number(top))\" "
        + "width=\"\(number(ImpactChart.width - ImpactChart.left))\" "
        + "height=\"\(number(ImpactChart.height))\" fill=\"none\" stroke=\"#b0bec5\"/>",
      "<text x=\"\(number(ImpactChart.left - 6))\" y=\"\(number(top + 10))\" "
        + "text-anchor=\"end\">\(text(highest))</text>",
      "<text x=\"\(number(ImpactChart.left - 6))\" y=\"\(number(bottom))\" "
        + "text-anchor=\"end\">0</text>",
    ]
    for time in self.lines {
      lines.append(
        "<line x1=\"\(number(x(time)))\" y1=\"\(number(top))\" x2=\"\(number(x(time)))\" "
          + "y2=\"\(number(bottom))\" stroke=\"#c62828\" stroke-dasharray=\"4 3\"/>")
    }
    for run in runs(values) {
      let path = run.map { point in
        "\(number(x(point.time))),\(number(bottom - ImpactChart.height * point.value / scale))"
      }.joined(separator: " ")
      lines.append(
        "<polyline points=\"\(path)\" fill=\"none\" stroke=\"#1565c0\" stroke-width=\"1.5\"/>")
    }
    return lines
  }

  /// Values that follow each other without a gap.
  private func runs(_ values: [Double?]) -> [[(time: Nanos, value: Double)]] {
    var runs: [[(time: Nanos, value: Double)]] = []
    var isOpen = false
    for (point, value) in zip(points, values) {
      guard let value, value.isFinite else {
        isOpen = false
        continue
      }
      let middle = point.time.saturatingAdding(windowNanos / 2)
      if isOpen {
        runs[runs.count - 1].append((middle, value))
      } else {
        runs.append([(middle, value)])
      }
      isOpen = true
    }
    return runs
  }

  private func x(_ time: Nanos) -> Double {
    let length = Double(range.upperBound - range.lowerBound)
    let inside = min(max(time, range.lowerBound), range.upperBound) - range.lowerBound
    return ImpactChart.left + (ImpactChart.width - ImpactChart.left) * Double(inside) / length
  }

  /// To a tenth of a pixel.
  private func number(_ value: Double) -> String {
    let tenths = Int((min(max(value, -1e6), 1e6) * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let whole = "\(sign)\(tenths.magnitude / 10)"
    return tenths % 10 == 0 ? whole : "\(whole).\(tenths.magnitude % 10)"
  }
}
