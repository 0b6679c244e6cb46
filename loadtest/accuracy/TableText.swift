import Foundation

/// The one table of this command: a line a figure, and a column a kind of it.
struct TableText {
  struct Row {
    var name: String
    var runs = 0
    /// Shares: wrongly found or rolled back; rightly found, rolled back or attributed.
    var wrong: Double?
    var right: Double?
    /// Among the first three and five.
    var three: Double?
    var five: Double?
    /// Minutes until half of them were found.
    var median: Double?
    /// The mean probability said.
    var said: Double?
  }

  static let header = text(["", "runs", "false", "right", "@3", "@5", "median", "said"])

  static func heading(_ title: String) -> String { "\n\(title)" }

  static func row(_ row: Row) -> String {
    text([
      row.name, row.runs > 0 ? "\(row.runs)" : "", share(row.wrong), share(row.right),
      share(row.three), share(row.five),
      row.median.map { "\(($0 * 10).rounded() / 10)" } ?? "", share(row.said),
    ])
  }

  /// A figure that is of none of the columns.
  static func figure(_ name: String, _ value: String) -> String { text([name, value]) }

  private static func text(_ cells: [String]) -> String {
    let line = cells.enumerated().map { column, cell in
      column == 0
        ? cell.padding(toLength: 52, withPad: " ", startingAt: 0)
        : String(repeating: " ", count: max(0, 8 - cell.count)) + cell
    }.joined()
    return String(line.reversed().drop { $0 == " " }.reversed())
  }

  private static func share(_ share: Double?) -> String { share.map(percent) ?? "" }

  static func percent(_ share: Double) -> String { "\((share * 1_000).rounded() / 10) %" }
}
