/// How long things took: counts over base-2 exponential buckets at one fixed scale.
///
/// The scale never adapts, so a bucket is a function of the value alone, and adding and subtracting
/// are exact: what was added can be taken away again without a trace.
/// - Shape: scale 5 (32 buckets an octave, each 2.2 % wide) from 1 µs to 1 h; below and above one
///   bucket each. Sparse, sorted by bucket.
/// - Units: nanoseconds in; counts in 1/256ths of an event (`SpanRecord.weightOne`).
/// - Source: opentelemetry.io/docs/specs/otel/metrics/data-model, exponential histograms.
public struct Histogram: Equatable, Sendable {
  public struct Bucket: Equatable, Sendable {
    public var index: UInt16
    public var weight: Int64

    public init(index: UInt16, weight: Int64) {
      self.index = index
      self.weight = weight
    }
  }

  /// Sorted by index; no bucket has weight 0.
  public private(set) var buckets: [Bucket]
  /// The sum of value × weight ÷ 256 over all events, in nanoseconds.
  public private(set) var sumNanos: Int128

  public init() {
    buckets = []
    sumNanos = 0
  }

  /// Rebuilds a histogram from its parts; nil when the buckets are not strictly ascending.
  public init?(buckets: [Bucket], sumNanos: Int128) {
    for (a, b) in zip(buckets, buckets.dropFirst()) where a.index >= b.index { return nil }
    guard buckets.allSatisfy({ $0.index <= HistogramScale.overIndex && $0.weight != 0 }) else {
      return nil
    }
    self.buckets = buckets
    self.sumNanos = sumNanos
  }

  public var isEmpty: Bool { buckets.isEmpty }

  /// The number of events, in 1/256ths.
  public var weight: Int64 { buckets.reduce(0) { $0 &+ $1.weight } }

  /// Adds an event, or takes one away with a negative weight.
  public mutating func add(_ valueNanos: Nanos, weight: Int64) {
    guard weight != 0 else { return }
    let clamped = min(valueNanos, HistogramScale.sumValueNanosMax)
    sumNanos &+= Int128(clamped) &* Int128(weight) / Int128(SpanRecord.weightOne)
    add(weight, at: HistogramScale.index(of: valueNanos))
  }

  public mutating func merge(_ other: Histogram, sign: Int64 = 1) {
    if buckets.isEmpty, sumNanos == 0, sign == 1 {
      self = other
      return
    }
    sumNanos &+= Int128(sign) &* other.sumNanos
    for bucket in other.buckets { add(sign &* bucket.weight, at: bucket.index) }
  }

  private mutating func add(_ weight: Int64, at index: UInt16) {
    let position = firstPosition(notBefore: index)
    if position < buckets.count, buckets[position].index == index {
      buckets[position].weight &+= weight
      if buckets[position].weight == 0 { buckets.remove(at: position) }
    } else {
      buckets.insert(Bucket(index: index, weight: weight), at: position)
    }
  }

  /// Adds the sum of a run of buckets that are about to be added one by one.
  mutating func addSum(_ nanos: Int128, buckets count: Int) {
    sumNanos &+= nanos
    if buckets.isEmpty { buckets.reserveCapacity(count) }
  }

  /// Adds one bucket of an ascending run.
  /// - Parameter position: no bucket before it comes after this one; moved on to where it stands.
  mutating func add(_ weight: Int64, at index: UInt16, from position: inout Int) {
    while position < buckets.count, buckets[position].index < index { position += 1 }
    if position < buckets.count, buckets[position].index == index {
      buckets[position].weight &+= weight
      if buckets[position].weight == 0 { buckets.remove(at: position) }
    } else {
      buckets.insert(Bucket(index: index, weight: weight), at: position)
    }
  }

  private func firstPosition(notBefore index: UInt16) -> Int {
    var low = 0
    var high = buckets.count
    while low < high {
      let middle = (low + high) / 2
      if buckets[middle].index < index { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Histogram {
  /// The mean in nanoseconds; nil without events.
  public var meanNanos: Double? {
    let total = weight
    guard total > 0 else { return nil }
    return Double(sumNanos) * Double(SpanRecord.weightOne) / Double(total)
  }

  /// The value below which the share `quantile` (0…1) of the events lies, interpolated linearly
  /// inside its bucket; nil without events. Off by at most the width of a bucket, 2.2 %.
  public func quantileNanos(_ quantile: Double) -> Double? {
    let total = weight
    guard total > 0 else { return nil }
    let rank = Double(total) * min(max(quantile, 0), 1)
    var below: Double = 0
    for bucket in buckets {
      let weight = Double(bucket.weight)
      if below + weight >= rank {
        let low = HistogramScale.lowerEdgeNanos(bucket.index)
        let high = HistogramScale.upperEdgeNanos(bucket.index)
        return low + (high - low) * max(0, (rank - below) / weight)
      }
      below += weight
    }
    return maximumNanos
  }

  /// The upper edge of the highest bucket in use; nil without events.
  public var maximumNanos: Double? { buckets.last.map { HistogramScale.upperEdgeNanos($0.index) } }
}

/// The one scale all histograms share.
public enum HistogramScale {
  static let bucketsPerOctave = 32
  /// Absolute index (on the scale whose bucket 0 begins at 1 ns) of the first regular bucket.
  static let firstAbsolute = 318  // 2^(318/32) = 981 ns: the bucket that holds 1 µs
  static let lastAbsolute = 1334  // 2^(1335/32) = 3.62e12 ns: the bucket that holds 1 h
  /// The bucket of everything shorter than the first regular one.
  public static let underIndex: UInt16 = 0
  /// The bucket of everything longer than the last regular one.
  public static let overIndex = UInt16(lastAbsolute - firstAbsolute + 2)
  /// Longer values count as this much in sums (about 11 days): with 128 bits no number of claims
  /// can overflow them.
  static let sumValueNanosMax: Nanos = 1_000_000 * .second

  /// Edges inside an octave: 2^(i/32) for i in 0..<32, by repeated square roots.
  static let edges: [Double] = {
    var root = 2.0
    var roots: [Double] = []  // 2^(1/2), 2^(1/4), … 2^(1/32)
    for _ in 0..<5 {
      root = root.squareRoot()
      roots.append(root)
    }
    return (0..<bucketsPerOctave).map { step in
      var edge = 1.0
      for (bit, root) in roots.enumerated() where step & (16 >> bit) != 0 { edge *= root }
      return edge
    }
  }()

  /// The bucket a duration falls into: a function of the value alone.
  public static func index(of nanos: Nanos) -> UInt16 {
    guard nanos > 0 else { return underIndex }
    let octave = 63 - nanos.leadingZeroBitCount
    let mantissa = Double(nanos) / Double(UInt64(1) << UInt64(octave))
    var low = 0
    var high = bucketsPerOctave
    while high - low > 1 {
      let middle = (low + high) / 2
      if edges[middle] <= mantissa { low = middle } else { high = middle }
    }
    let absolute = octave * bucketsPerOctave + low
    if absolute < firstAbsolute { return underIndex }
    if absolute > lastAbsolute { return overIndex }
    return UInt16(absolute - firstAbsolute + 1)
  }

  public static func lowerEdgeNanos(_ index: UInt16) -> Double {
    index == underIndex ? 0 : edgeNanos(absolute: firstAbsolute + Int(index) - 1)
  }

  /// For the bucket above all others its lower edge: longer is all one knows.
  public static func upperEdgeNanos(_ index: UInt16) -> Double {
    let next = min(Int(index) + 1, Int(overIndex))
    return edgeNanos(absolute: firstAbsolute + next - 1)
  }

  static func edgeNanos(absolute: Int) -> Double {
    edges[absolute % bucketsPerOctave] * Double(UInt64(1) << UInt64(absolute / bucketsPerOctave))
  }
}
