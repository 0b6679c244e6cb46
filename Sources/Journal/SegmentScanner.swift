internal import Model

/// Walks the records of one segment. What is damaged is passed over: the scan goes on at the next
/// place where a marker, a possible length and a fitting check come together.
struct SegmentScanner {
  struct Record {
    var type: UInt8
    var payload: ArraySlice<UInt8>
    /// Where the next record begins.
    var end: Int
  }

  private let bytes: [UInt8]
  private let marker: UInt32
  private var position: Int
  /// Where the last intact record ended: what follows at the end of the scan is a torn tail.
  private(set) var intactEnd: Int
  private(set) var skippedRecords = 0
  private(set) var skippedBytes = 0

  init(_ bytes: [UInt8], header: SegmentHeader) {
    self.bytes = bytes
    marker = header.marker
    position = min(bytes.count, 2 * SegmentHeader.bytesCount)
    intactEnd = position
  }

  /// Bytes behind the last intact record.
  var tailBytes: Int { bytes.count - intactEnd }

  /// The next intact record; nil when there is none.
  mutating func next() -> Record? {
    while position + GroupBuffer.recordHeaderBytes <= bytes.count {
      if let record = record(at: position) {
        if position > intactEnd {
          skippedRecords += 1
          skippedBytes += position - intactEnd
        }
        position = record.end
        intactEnd = record.end
        return record
      }
      position = nextMarker(after: position)
    }
    return nil
  }

  private func record(at start: Int) -> Record? {
    guard fixed32(at: start) == marker else { return nil }
    let payloadStart = start + GroupBuffer.recordHeaderBytes
    let length = Int(fixed32(at: start + 8))
    guard length <= bytes.count - payloadStart else { return nil }
    let end = payloadStart + length
    let check = unsafe bytes.withUnsafeBytes { all in
      unsafe CRC32C.checksum(UnsafeRawBufferPointer(rebasing: all[start + 8..<end]), seed: marker)
    }
    guard check == fixed32(at: start + 4) else { return nil }
    return Record(
      type: bytes[payloadStart - 1], payload: bytes[payloadStart..<end], end: end)
  }

  private func nextMarker(after start: Int) -> Int {
    let first = UInt8(truncatingIfNeeded: marker)
    var candidate = start + 1
    while candidate + GroupBuffer.recordHeaderBytes <= bytes.count {
      if bytes[candidate] == first, fixed32(at: candidate) == marker { return candidate }
      candidate += 1
    }
    return bytes.count
  }

  private func fixed32(at offset: Int) -> UInt32 {
    UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16
      | UInt32(bytes[offset + 3]) << 24
  }
}
