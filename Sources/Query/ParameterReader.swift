import Graph
import Markers
import Model

/// Reads the parameters of one request. What is wrong is gathered, so that all of it is answered at
/// once; `finish()` throws it.
struct ParameterReader {
  private var values: [String: String] = [:]
  private(set) var errors: [QueryProblem.FieldError] = []

  /// The longest value of a parameter.
  static let valueBytesMax = 1_024

  /// No parameters at all.
  init() {}

  /// Where the route is strict, parameters it does not know are errors.
  init(_ query: QueryString, route: Route) {
    let known = route.parameters.map(\.name)
    for (key, value) in query.pairs {
      if let reason = route.declined[key] {
        refuse(key, reason)
      } else if !known.contains(key) {
        if route.isStrict { errors.append(unknown(key, known)) }
      } else if values.updateValue(value, forKey: key) != nil {
        refuse(key, "Given more than once.")
      } else if value.utf8.count > ParameterReader.valueBytesMax {
        refuse(key, "Longer than \(ParameterReader.valueBytesMax) bytes.")
      }
    }
  }

  /// For the questions of other tools: what the route does not know, repeats and empty values (a
  /// dashboard's variable without a choice) count as not given.
  init(lenient query: QueryString, route: Route) {
    let known = Set(route.parameters.map(\.name))
    for (key, value) in query.pairs where known.contains(key) && !value.isEmpty {
      guard values[key] == nil else { continue }
      if value.utf8.count > ParameterReader.valueBytesMax {
        refuse(key, "Longer than \(ParameterReader.valueBytesMax) bytes.")
      } else {
        values[key] = value
      }
    }
  }

  private func unknown(_ key: String, _ known: [String]) -> QueryProblem.FieldError {
    let shown = String(key.prefix(64))
    let nearest = Spelling.nearest(to: shown, among: known, countMax: 1)
    let hint =
      if let nearest = nearest.first {
        "Did you mean \"\(nearest)\"?"
      } else if known.isEmpty {
        "This path takes none."
      } else {
        "This path takes \(known.joined(separator: ", "))."
      }
    return .init(shown, "Unknown parameter \"\(shown)\". \(hint)")
  }

  /// A value from the body of the request, for a parameter its address does not name.
  mutating func supply(_ name: String, from value: JSONValue) {
    let text = value.plain
    guard values[name] == nil, !text.isEmpty else { return }
    if text.utf8.count > ParameterReader.valueBytesMax {
      refuse(name, "Longer than \(ParameterReader.valueBytesMax) bytes.")
    } else {
      values[name] = text
    }
  }

  mutating func refuse(_ field: String, _ message: String) {
    errors.append(.init(field, message))
  }

  func has(_ name: String) -> Bool { values[name] != nil }

  mutating func text(_ name: String) -> String? {
    guard let value = values[name] else { return nil }
    if value.isEmpty { refuse(name, "Must not be empty.") }
    return value
  }

  /// A text that has to be there; empty, and refused, when it is not.
  mutating func required(_ name: String, _ message: String) -> String {
    guard has(name) else {
      refuse(name, message)
      return ""
    }
    return text(name) ?? ""
  }

  /// A text that `-` stands for the absence of.
  mutating func optionalPart(_ name: String) -> String? {
    text(name).map { $0 == "-" ? "" : $0 }
  }

  mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
    guard let value = values[name] else { return nil }
    guard let number = Int(value), range.contains(number) else {
      refuse(name, "Must be a whole number from \(range.lowerBound) to \(range.upperBound).")
      return nil
    }
    return number
  }

  mutating func number(_ name: String, in range: ClosedRange<Double>) -> Double? {
    guard let value = values[name] else { return nil }
    guard let number = Double(value), range.contains(number) else {
      refuse(name, "Must be a number from \(range.lowerBound) to \(range.upperBound).")
      return nil
    }
    return number
  }

  /// A time, or a duration after the start of what is asked about.
  mutating func deadline(_ name: String) -> GateRequest.Deadline? {
    guard let value = values[name] else { return nil }
    if let time = Timestamp.parse(value) { return .at(time) }
    if let nanos = ParameterReader.duration(value) { return .after(nanos) }
    refuse(
      name,
      "Must be a time (2026-11-23T08:00:00Z, or Unix time as 10, 13, 16 or 19 digits), or a "
        + "duration after the start such as 90s, 30m, 2h or 1d.")
    return nil
  }

  /// A whole number and a unit, up to a year; nil for anything else.
  private static func duration(_ text: String) -> Nanos? {
    let units: [Character: Nanos] = ["s": .second, "m": .minute, "h": .hour, "d": .day]
    guard let unit = text.last.flatMap({ units[$0] }), text.count <= 9,
      text.dropLast().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let count = Nanos(text.dropLast()), count <= 365 * .day / unit
    else { return nil }
    return count * unit
  }

  mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String, default standard: Choice
  ) -> Choice {
    optionalChoice(name) ?? standard
  }

  mutating func optionalChoice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String
  ) -> Choice? {
    guard let value = values[name] else { return nil }
    let choice = Choice(rawValue: value)
    if choice == nil {
      let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      refuse(name, "Must be one of \(choices).")
    }
    return choice
  }

  mutating func time(_ name: String) -> Nanos? {
    guard let value = values[name] else { return nil }
    guard let time = Timestamp.parse(value) else {
      refuse(
        name,
        "Must be a time from 1970 to 2261: RFC 3339 (2026-11-23T08:00:00Z), or Unix time as 10, "
          + "13, 16 or 19 digits (seconds, milli-, micro- or nanoseconds).")
      return nil
    }
    return time
  }

  /// `start` and `end`; the end is now and the start so much before it unless they are named.
  /// - Parameters:
  ///   - names: what the two are called.
  ///   - defaultNanos: how much; what the configuration says when nil.
  mutating func range(
    now: Nanos, _ configuration: QueryConfiguration,
    names: (start: String, end: String) = ("start", "end"), defaultNanos: Nanos? = nil
  ) -> Range<Nanos> {
    let start = time(names.start)
    let end = time(names.end) ?? min(now, Timestamp.latest)
    let begin = start ?? end.saturatingSubtracting(defaultNanos ?? configuration.rangeDefaultNanos)
    guard begin < end else {
      // A time that could not be read is the error to report, not what follows from it.
      if errors.isEmpty {
        refuse(
          names.start,
          "Must be before the end: \(names.start) is \(Timestamp.text(begin)), \(names.end) is "
            + "\(Timestamp.text(end))\(has(names.end) || names.end == "base_end" ? "" : " (now)").")
      }
      return 0..<1
    }
    if end - begin > configuration.rangeNanosMax {
      refuse(
        names.start,
        "The range may cover \(configuration.rangeNanosMax / .day) days at most.")
    }
    return begin..<end
  }

  /// - Errors: everything that was refused, in one problem.
  func finish() throws(QueryProblem) {
    guard let first = errors.first else { return }
    let detail =
      errors.count == 1
      ? "\(first.field): \(first.message)"
      : "\(errors.count) parameters are wrong; `errors` lists them."
    throw QueryProblem(.invalidRequest, detail, errors: errors)
  }
}
