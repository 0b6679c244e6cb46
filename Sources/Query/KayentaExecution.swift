import Graph
import Markers
import Model

/// One analysis, as its id says it: all that was asked for is in the id, so that nothing has to be
/// kept, and a gateway that was restarted answers as the one before.
struct KayentaExecution: Equatable {
  var service: String
  var environment: String?
  var version: String?
  /// When to give up waiting; nil for never.
  var end: Nanos?
  var pass = 0
  var marginal = 0

  /// Thresholds beyond this are as good as this.
  static let thresholds = -1_000_000...1_000_000

  /// Letters and digits alone: it becomes a part of an address as it is.
  var id: String {
    var json = JSONText()
    json.object { json in
      json.member("service", service)
      if let environment { json.member("environment", environment) }
      if let version { json.member("version", version) }
      if let end { json.member("end", end) }
      json.member("pass", pass)
      json.member("marginal", marginal)
    }
    return json.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// nil for what is no id.
  init?(id: String) {
    let digits = Array(id.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[place].hexadecimalValue,
        let low = digits[place + 1].hexadecimalValue
      else { return nil }
      bytes.append(high << 4 | low)
    }
    guard let json = try? JSONReader.read(bytes), !json["service"].text.isEmpty,
      let pass = KayentaExecution.threshold(json["pass"]),
      let marginal = KayentaExecution.threshold(json["marginal"])
    else { return nil }
    service = json["service"].text
    environment = KayentaExecution.text(json["environment"])
    version = KayentaExecution.text(json["version"])
    if case .integer(let time) = json["end"] { end = Nanos(exactly: time) }
    self.pass = pass
    self.marginal = marginal
  }

  init(service: String, environment: String?, version: String?, end: Nanos?) {
    self.service = service
    self.environment = environment
    self.version = version
    self.end = end
  }

  func isOver(at now: Nanos) -> Bool { end.map { $0 <= now } ?? false }

  /// nil for what is no number.
  static func threshold(_ value: JSONValue) -> Int? {
    switch value {
    case .integer(let number):
      Int(min(max(number, Int64(thresholds.lowerBound)), Int64(thresholds.upperBound)))
    case .number(let number) where !number.isNaN:
      Int(min(max(number, Double(thresholds.lowerBound)), Double(thresholds.upperBound)))
    default: nil
    }
  }

  private static func text(_ value: JSONValue) -> String? {
    if case .text(let text) = value { return text }
    return nil
  }
}
