import Foundation

/// Two critical paths of an entry point, as the query API gives them: what the table shows of them.
struct PathComparisonAnswer: Decodable {
  struct Side: Decodable {
    var traces: Double
    var criticalPathMs: Double
  }

  struct Figures: Decodable {
    var criticalPathMs: Double
    var share: Double
  }

  struct Path: Decodable {
    var path: [String]
    var base: Figures?
    var current: Figures?
    var changeMs: Double
  }

  var start: String
  var end: String
  var baseStart: String?
  var baseEnd: String?
  var service: String?
  var version: String?
  var baseVersion: String?
  var entry: String?
  var base: Side
  var current: Side
  var changeMs: Double
  var paths: [Path]
}

extension PathComparisonAnswer {
  var table: String {
    guard let entry else { return "no entry point was seen from \(start) to \(end)\n" }
    let means =
      "mean \(Figure.milliseconds(base.criticalPathMs)) of \(Figure.count(base.traces, "trace")), "
      + "then \(Figure.milliseconds(current.criticalPathMs)) of "
      + "\(Figure.count(current.traces, "trace")): \(Figure.change(milliseconds: changeMs))"
    let table = PlainTable(
      header: ["CHANGE", "BEFORE", "NOW", "SHARE BEFORE", "SHARE NOW", "PATH"],
      rows: paths.map { path in
        [
          Figure.change(milliseconds: path.changeMs),
          Figure.milliseconds(path.base?.criticalPathMs),
          Figure.milliseconds(path.current?.criticalPathMs), Figure.percent(path.base?.share),
          Figure.percent(path.current?.share), path.path.joined(separator: " → "),
        ]
      }, figures: [0, 1, 2, 3, 4]
    ).text
    return "\(PlainTable.printable("\(entry), \(sides)"))\n\(means)\n\n\(table)"
  }

  private var sides: String {
    if let service, let version, let baseVersion {
      return "\(service) \(baseVersion) and \(version), \(start) – \(end)"
    }
    return "\(baseStart ?? "?") – \(baseEnd ?? "?") and \(start) – \(end)"
  }
}
