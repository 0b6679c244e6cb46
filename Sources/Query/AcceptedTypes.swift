/// What an `Accept` header says of the forms metrics can be had in.
/// - Source: RFC 9110, section 12.5.1; the OpenMetrics specification 1.0.0, "Protocol negotiation".
struct AcceptedTypes {
  /// How welcome a form is, 0…1; nil when the header does not name it.
  private(set) var openMetrics: Double?
  private(set) var plain: Double?

  /// - Parameter header: as it was sent; what cannot be read of it is passed over.
  init(_ header: String) {
    for range in header.split(separator: ",") {
      let parts = range.split(separator: ";").map(AcceptedTypes.trimmed)
      guard let type = parts.first?.lowercased() else { continue }
      var version: String?
      var quality = 1.0
      for part in parts.dropFirst() {
        let pair = part.split(separator: "=", maxSplits: 1).map(AcceptedTypes.trimmed)
        guard pair.count == 2 else { continue }
        switch pair[0].lowercased() {
        case "version": version = pair[1].filter { $0 != "\"" }
        case "q": quality = Double(pair[1]).flatMap { (0...1).contains($0) ? $0 : nil } ?? 0
        default: break
        }
      }
      switch type {
      case "application/openmetrics-text" where version == nil || version == "1.0.0":
        openMetrics = max(openMetrics ?? 0, quality)
      case "text/plain", "text/*", "*/*": plain = max(plain ?? 0, quality)
      default: break
      }
    }
  }

  /// Only to who asks for it by name, and not where the plain form is more welcome.
  var prefersOpenMetrics: Bool {
    guard let openMetrics, openMetrics > 0 else { return false }
    return openMetrics >= plain ?? 0
  }

  private static func trimmed(_ text: Substring) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    guard let first = text.firstIndex(where: { !isSpace($0) }),
      let last = text.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(text[first...last])
  }
}
