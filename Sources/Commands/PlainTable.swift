/// Rows in columns that are as wide as their widest cell.
struct PlainTable {
  var header: [String]
  var rows: [[String]]
  /// Columns of figures, which stand to the right.
  var figures: Set<Int> = []

  var text: String {
    let cells = ([header] + rows).map { $0.map(PlainTable.printable) }
    let widths = header.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    return cells.reduce(into: "") { $0 += line($1, widths) + "\n" }
  }

  private func line(_ row: [String], _ widths: [Int]) -> String {
    var line = row.indices.map { column in
      let padding = String(repeating: " ", count: widths[column] - row[column].count)
      return figures.contains(column) ? padding + row[column] : row[column] + padding
    }.joined(separator: "  ")
    while line.last == " " { line.removeLast() }
    return line
  }

  /// Names come from senders: nothing in them may move the cursor.
  static func printable(_ text: String) -> String {
    var printable = ""
    for scalar in text.unicodeScalars {
      let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
      printable.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
    }
    return printable
  }
}
