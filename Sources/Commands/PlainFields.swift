/// One line a field, the names in a column; what is not known has no line.
struct PlainFields {
  private var fields: [(name: String, text: String)]

  init(_ fields: [(String, String?)]) {
    self.fields = fields.compactMap { name, text in
      guard let text, !text.isEmpty else { return nil }
      return (PlainTable.printable(name), PlainTable.printable(text))
    }
  }

  var text: String {
    let width = fields.map(\.name.count).max() ?? 0
    return fields.reduce(into: "") { text, field in
      let padding = String(repeating: " ", count: width - field.name.count)
      text += "\(field.name)\(padding)  \(field.text)\n"
    }
  }
}
