// The serial form of sums, as the store keeps them in a blob. Changing it means a new version byte.

extension Sums {
  static let serialVersion: UInt8 = 1
  /// Beside the counters in the set of what follows: a histogram of wholes.
  private static let wholesBit: UInt64 = 1 << 16
  /// And what the squares of weights exceed those of requests that were not sampled by.
  private static let squaresBit: UInt64 = 1 << 17
  private static let knownBits = Counters.Field.allCases.reduce(wholesBit | squaresBit) {
    $0 | 1 << UInt64($1.rawValue)
  }

  /// version · set of what follows (varint bits: non-zero counters, 16 for wholes and 17 for squares) ·
  /// values of the counters · squares (high and low half), if there are any · three histograms ·
  /// wholes, if there are any · exemplars.
  public func write(to writer: inout ByteWriter) {
    writer.write(Sums.serialVersion)
    var present: UInt64 = 0
    for field in Counters.Field.allCases where counters[field] != 0 {
      present |= 1 << UInt64(field.rawValue)
    }
    if !wholes.isEmpty { present |= Sums.wholesBit }
    if squaredWeightExcess != 0 { present |= Sums.squaresBit }
    writer.write(varint: present)
    for field in Counters.Field.allCases where counters[field] != 0 {
      writer.write(signed: counters[field])
    }
    if squaredWeightExcess != 0 {
      writer.write(signed: Int64(truncatingIfNeeded: squaredWeightExcess >> 64))
      writer.write(varint: UInt64(truncatingIfNeeded: squaredWeightExcess))
    }
    latency.write(to: &writer)
    clientLatency.write(to: &writer)
    ownTime.write(to: &writer)
    if !wholes.isEmpty { wholes.write(to: &writer) }
    writer.write(varint: UInt64(exemplars.traces.count))
    for trace in exemplars.traces {
      writer.write(fixed: trace.high)
      writer.write(fixed: trace.low)
    }
  }

  public init(from reader: inout ByteReader) throws(MalformedBytes) {
    self.init()
    try merge(from: &reader)
  }

  /// Adds sums in serial form, as `merge` adds what was read from it. After an error part of them
  /// may have been added.
  public mutating func merge(from reader: inout ByteReader) throws(MalformedBytes) {
    guard try reader.readByte() == Sums.serialVersion else { throw MalformedBytes() }
    let present = try reader.readVarint()
    guard present & ~Sums.knownBits == 0 else { throw MalformedBytes() }
    var set = present & ~(Sums.wholesBit | Sums.squaresBit)
    while set != 0 {
      counters.lanes[set.trailingZeroBitCount] &+= try reader.readSigned()
      set &= set - 1
    }
    if present & Sums.squaresBit != 0 {
      let high = try reader.readSigned()
      squaredWeightExcess &+= Int128(high) << 64 | Int128(try reader.readVarint())
    }
    try latency.merge(from: &reader)
    try clientLatency.merge(from: &reader)
    try ownTime.merge(from: &reader)
    if present & Sums.wholesBit != 0 { try wholes.merge(from: &reader) }
    for _ in 0..<(try reader.readCount()) {
      let high = try reader.readFixed64()
      exemplars.offer(TraceID(high: high, low: try reader.readFixed64()))
    }
  }

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    write(to: &writer)
    return writer.bytes
  }
}

extension Histogram {
  /// count of buckets · sum (high and low half) · per bucket the step from the last index and the weight.
  func write(to writer: inout ByteWriter) {
    writer.write(varint: UInt64(buckets.count))
    guard !buckets.isEmpty else { return }
    writer.write(signed: Int64(truncatingIfNeeded: sumNanos >> 64))
    writer.write(varint: UInt64(truncatingIfNeeded: sumNanos))
    var last: UInt16 = 0
    for bucket in buckets {
      writer.write(varint: UInt64(bucket.index - last))
      writer.write(signed: bucket.weight)
      last = bucket.index
    }
  }

  /// Adds a histogram in serial form: one walk along the buckets of both.
  mutating func merge(from reader: inout ByteReader) throws(MalformedBytes) {
    let count = try reader.readCount()
    guard count > 0 else { return }
    let high = try reader.readSigned()
    addSum(Int128(high) << 64 | Int128(try reader.readVarint()), buckets: count)
    var index: UInt64 = 0
    var position = 0
    for bucket in 0..<count {
      let step = try reader.readVarint()
      // Strictly ascending: only the first may be of index 0.
      guard step <= UInt64(HistogramScale.overIndex), bucket == 0 || step > 0 else {
        throw MalformedBytes()
      }
      index += step
      let weight = try reader.readSigned()
      guard index <= UInt64(HistogramScale.overIndex), weight != 0 else { throw MalformedBytes() }
      add(weight, at: UInt16(index), from: &position)
    }
  }
}
