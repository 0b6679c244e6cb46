import Foundation

/// How the tables of this command are set.
enum TableText {
  static func row(_ cells: [String]) -> String {
    cells.enumerated().map { column, cell in
      column == 0
        ? cell.padding(toLength: 44, withPad: " ", startingAt: 0)
        : String(repeating: " ", count: max(0, 8 - cell.count)) + cell
    }.joined()
  }

  static func percent(_ share: Double) -> String { "\((share * 1_000).rounded() / 10) %" }
}
