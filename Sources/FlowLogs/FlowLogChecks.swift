// What a line of a flow log may say. What nobody knows the meaning of is refused rather than guessed at:
// an edge that is made up is worse than one that is missing.
// - Source: docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html, "Available fields".

/// Whether an interval was recorded as a whole.
enum FlowLogStatus: String {
  case complete = "OK"
  case noData = "NODATA"
  case skippedData = "SKIPDATA"
}

/// Whether a flow was let through.
enum FlowLogAction: String {
  case accept = "ACCEPT"
  case reject = "REJECT"
}

extension FlowLogFields {
  /// The default format is that of version 2. Where the fields are named, the version is the
  /// highest that any of them is of.
  func checkVersion(isNamed: Bool) throws(FlowLogLine.Malformed) {
    guard let text = bytes(.version) else { return }
    let version = wholeNumber(text)
    let isKnown = version.map { isNamed ? $0 >= 2 && $0 <= UInt64(UInt8.max) : $0 == 2 } ?? false
    guard isKnown else {
      throw FlowLogLine.Malformed(
        reason: "is of a version that is not known"
          + (isNamed ? "" : "; only version 2 can do without a line with the names of its fields"),
        kind: .unknownVersion)
    }
  }

  /// nil where the line does not say.
  func status() throws(FlowLogLine.Malformed) -> FlowLogStatus? {
    guard let text = text(.status) else { return nil }
    guard let status = FlowLogStatus(rawValue: text) else {
      throw FlowLogLine.Malformed(
        reason: "has a log-status that is not known", kind: .unknownStatus)
    }
    return status
  }

  /// nil where the line does not say.
  func action() throws(FlowLogLine.Malformed) -> FlowLogAction? {
    guard let text = text(.action) else { return nil }
    guard let action = FlowLogAction(rawValue: text) else {
      throw FlowLogLine.Malformed(reason: "has an action that is not known", kind: .unknownAction)
    }
    return action
  }

  /// The number of a protocol has eight bits, and the last of them is nobody's.
  /// - Source: IANA, "Protocol Numbers": 255 is reserved.
  func checkProtocol() throws(FlowLogLine.Malformed) {
    guard let text = bytes(.protocol) else { return }
    guard let number = wholeNumber(text), number < UInt64(UInt8.max) else {
      throw FlowLogLine.Malformed(
        reason: "has a protocol that there is not", kind: .unknownProtocol)
    }
  }

  /// No network passes more in the minutes that a line is about: a pebibyte.
  static let bytesMax: UInt64 = 1 << 50
  /// The total length of a packet has 16 bits.
  static let bytesPerPacketMax: UInt64 = 65_535

  /// How many bytes passed, as many as so many packets can hold.
  func byteCount() throws(FlowLogLine.Malformed) -> UInt64 {
    let bytes = try number(.bytes) ?? 0
    guard bytes <= FlowLogFields.bytesMax else {
      throw FlowLogLine.Malformed(
        reason: "has more bytes than a network passes", kind: .impossibleCount)
    }
    guard let packets = try number(.packets) else { return bytes }
    // A packet has a byte at least, so that there are never more of them.
    let (room, overflow) = packets.multipliedReportingOverflow(by: FlowLogFields.bytesPerPacketMax)
    guard packets <= FlowLogFields.bytesMax, overflow || bytes <= room else {
      throw FlowLogLine.Malformed(
        reason: "has a number of packets that its bytes cannot be in", kind: .impossibleCount)
    }
    return bytes
  }
}
