import Model

/// How many spans one stands for, from what its sampler wrote into `tracestate`, or else into an
/// attribute.
/// - Source: OpenTelemetry specification, "TraceState: Probability Sampling": entry `ot`, field
///   `th`, up to 14 hexadecimal digits of a rejection threshold of 56 bits, trailing zeros left out;
///   before that, field `p`: the span was kept with probability 2^-p, up to 62. Attribute
///   `sampling.probability` of the first SDKs (opentelemetry-java 0.x).
enum SamplingThreshold {
  private static let digitsMax = 14

  /// - Units: 1/256ths of a span. `SpanRecord.weightOne` where there is no threshold, or a broken one.
  static func weight(traceState: UnsafeRawBufferPointer) -> UInt32 {
    unsafe weightSaid(in: traceState) ?? SpanRecord.weightOne
  }

  /// The same; nil where there is neither a threshold nor a power.
  static func weightSaid(in traceState: UnsafeRawBufferPointer) -> UInt32? {
    guard let entry = unsafe member("ot=", of: traceState, dividedBy: UInt8(ascii: ",")) else {
      return nil
    }
    if let digits = unsafe member("th:", of: entry, dividedBy: UInt8(ascii: ";")) {
      return unsafe threshold(digits).map(weight(threshold:))
    }
    guard let power = unsafe member("p:", of: entry, dividedBy: UInt8(ascii: ";")),
      let power = unsafe WholeNumber(power)?.unsigned, power <= powerMax
    else { return nil }
    return UInt32(clamping: UInt64(SpanRecord.weightOne) << min(power, 32))
  }

  /// 63 stands for a span of unknown probability.
  private static let powerMax: UInt64 = 62

  /// From a probability, as a number or as text; nil where it is none.
  static func weight(probability value: AttributeValue) -> UInt32? {
    let probability: Double
    switch value {
    case .double(let number): probability = number
    case .int(let number): probability = Double(number)
    case .string(let text):
      guard text.count <= 32,
        let number = unsafe Double(String(decoding: text, as: UTF8.self))
      else { return nil }
      probability = number
    default: return nil
    }
    guard probability > 0, probability <= 1 else { return nil }
    let weight = (Double(SpanRecord.weightOne) / probability).rounded()
    return weight < Double(UInt32.max) ? UInt32(weight) : .max
  }

  /// 256 / (1 - threshold / 2^56), rounded to the nearest, at most what 32 bits hold.
  static func weight(threshold: UInt64) -> UInt32 {
    let kept = (1 << 56) - threshold
    // 256 * 2^56 is 2^64: one more than fits, so the dividend is two words.
    guard kept > 1 else { return .max }
    let (quotient, remainder) = kept.dividingFullWidth((high: 1, low: 0))
    let roundsUp = remainder >= kept - remainder
    return UInt32(clamping: quotient.saturatingAdding(roundsUp ? 1 : 0))
  }

  private static func threshold(_ digits: UnsafeRawBufferPointer) -> UInt64? {
    guard unsafe !digits.isEmpty, digits.count <= digitsMax else { return nil }
    var value: UInt64 = 0
    for index in 0..<digits.count {
      guard let nibble = unsafe digits[index].hexadecimalValue else { return nil }
      value = value << 4 | UInt64(nibble)
    }
    return value << UInt64(4 * (digitsMax - digits.count))
  }

  /// What follows `prefix` in the member of the list that begins with it.
  private static func member(
    _ prefix: StaticString, of list: UnsafeRawBufferPointer, dividedBy separator: UInt8
  ) -> UnsafeRawBufferPointer? {
    var start = 0
    while start <= list.count {
      let end = unsafe list.position(of: separator, from: start) ?? list.count
      let member = unsafe list.part(start..<end).trimmed
      if unsafe member.hasPrefix(prefix) {
        return unsafe member.part(from: prefix.utf8CodeUnitCount)
      }
      start = end + 1
    }
    return nil
  }
}
