// The serial form of sums, as the store keeps them in a blob. Changing it means a new version byte.

extension Sums {
  static let serialVersion: UInt8 = 1

  /// Beside the counters in the set of what follows: a histogram of wholes.
  private static let wholesBit: UInt64 = 1 << 16
  private static let knownBits = Counters.Field.allCases.reduce(wholesBit) {
    $0 | 1 << UInt64($1.rawValue)
  }

  /// version · set of what follows (varint bits: non-zero counters, and 16 for wholes) · values of the
  /// counters · three histograms · wholes, if there are any · exemplars.
  public func write(to writer: inout ByteWriter) {
    writer.write(Sums.serialVersion)
    var present: UInt64 = 0
    for field in Counters.Field.allCases where counters[field] != 0 {
      present |= 1 << UInt64(field.rawValue)
    }
    if !wholes.isEmpty { present |= Sums.wholesBit }
    writer.write(varint: present)
    for field in Counters.Field.allCases where counters[field] != 0 {
      writer.write(signed: counters[field])
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
    guard try reader.readByte() == Sums.serialVersion else { throw MalformedBytes() }
    let present = try reader.readVarint()
    guard present & ~Sums.knownBits == 0 else { throw MalformedBytes() }
    for field in Counters.Field.allCases where present & 1 << UInt64(field.rawValue) != 0 {
      counters[field] = try reader.readSigned()
    }
    latency = try Histogram(from: &reader)
    clientLatency = try Histogram(from: &reader)
    ownTime = try Histogram(from: &reader)
    if present & Sums.wholesBit != 0 { wholes = try Histogram(from: &reader) }
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

  init(from reader: inout ByteReader) throws(MalformedBytes) {
    let count = try reader.readCount()
    guard count > 0 else {
      self.init()
      return
    }
    let high = try reader.readSigned()
    let sum = Int128(high) << 64 | Int128(try reader.readVarint())
    var buckets: [Bucket] = []
    buckets.reserveCapacity(count)
    var index: UInt64 = 0
    for _ in 0..<count {
      index &+= try reader.readVarint()
      guard index <= UInt64(HistogramScale.overIndex) else { throw MalformedBytes() }
      buckets.append(Bucket(index: UInt16(index), weight: try reader.readSigned()))
    }
    guard let histogram = Histogram(buckets: buckets, sumNanos: sum) else {
      throw MalformedBytes()
    }
    self = histogram
  }
}
