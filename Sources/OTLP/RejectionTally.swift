import Model

/// Counts what a request had wrong while it is decoded, and puts it into words at the end.
struct RejectionTally: Sendable, Equatable {
  private(set) var counts: [RejectionReason: Int] = [:]
  private(set) var warnings: [DecodeWarning: Int] = [:]
  private var unknownKeys: [String] = []
  private let signal: OTLPSignal

  /// How many unknown keys one message names.
  static let unknownKeysMax = 8

  init(_ signal: OTLPSignal = .traces) { self.signal = signal }

  mutating func reject(_ reason: RejectionReason, spans: Int = 1) {
    guard spans > 0 else { return }
    counts[reason, default: 0] &+= spans
  }

  mutating func warn(_ warning: DecodeWarning) {
    if case .unknownTopLevelKey(let key) = warning {
      guard unknownKeys.count < RejectionTally.unknownKeysMax, !unknownKeys.contains(key) else {
        return
      }
      unknownKeys.append(key)
    }
    warnings[warning, default: 0] &+= 1
  }

  func rejections(limits: DecodeLimits) -> Rejections {
    let rejected = counts.values.reduce(0, &+)
    return Rejections(
      rejectedSpans: rejected, message: message(rejected: rejected, limits: limits),
      counts: counts)
  }

  private func message(rejected: Int, limits: DecodeLimits) -> String? {
    var sentences: [String] = []
    if rejected > 0 {
      let reasons = RejectionReason.allCases.compactMap { clause($0, limits) }
      sentences.append(
        "\(rejected) \(signal.records(rejected)) rejected: "
          + reasons.joined(separator: "; "))
    }
    if !unknownKeys.isEmpty { sentences.append(unknownKeysSentence) }
    if let count = warnings[.stringIndexFields] {
      sentences.append(
        "\(count) attribute keys or values were references to a string table, which only profiles "
          + "have, and were ignored (send keys and values as text)")
    }
    if let count = warnings[.invalidText] {
      sentences.append(
        "\(count) names were not valid UTF-8; the invalid bytes were replaced by U+FFFD")
    }
    return sentences.isEmpty ? nil : sentences.joined(separator: ". ")
  }

  private func clause(_ reason: RejectionReason, _ limits: DecodeLimits) -> String? {
    guard let count = counts[reason] else { return nil }
    return "\(count) \(words(reason, plural: count != 1, limits)) (\(reason.remedy))"
  }

  /// The explanation with this request's limits, and with the verb in the plural where needed.
  private func words(_ reason: RejectionReason, plural: Bool, _ limits: DecodeLimits) -> String {
    let text =
      switch reason {
      case .endBeforeRetention: "ended more than \(limits.retentionNanos.inWords) ago"
      case .endInTheFuture: "ends more than \(limits.aheadNanosMax.inWords) in the future"
      default: reason.explanation
      }
    guard plural else { return text }
    for (one, many) in [("has ", "have "), ("ends ", "end "), ("uses ", "use ")]
    where text.hasPrefix(one) {
      return many + text.dropFirst(one.count)
    }
    return text.hasPrefix("names its") ? "name their" + text.dropFirst("names its".count) : text
  }

  private var unknownKeysSentence: String {
    let keys = unknownKeys.joined(separator: ", ")
    return "unknown top-level \(unknownKeys.count == 1 ? "key" : "keys") \(keys): nothing was read "
      + "(OTLP/JSON has the key \(signal.topLevelKey), in lowerCamelCase)"
  }
}

extension Nanos {
  /// A limit as a person would say it: in the widest unit that divides it.
  fileprivate var inWords: String {
    for (unit, name) in [
      (Nanos.day, "day"), (.hour, "hour"), (.minute, "minute"), (.second, "second"),
    ]
    where self >= unit && self % unit == 0 {
      let count = self / unit
      return "\(count) \(name)\(count == 1 ? "" : "s")"
    }
    return "\(self) ns"
  }
}
