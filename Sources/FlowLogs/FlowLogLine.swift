import Model

/// One line of a flow log.
enum FlowLogLine: Equatable {
  case record(Record)
  /// A good line that tells of no traffic.
  case skipped(FlowLogSummary.Skip)

  /// A flow between two addresses.
  struct Record: Equatable {
    var client: String
    var server: String
    /// Unix nanoseconds.
    var start: Nanos
    var end: Nanos
    var bytes: UInt64
    /// On whose interface it was recorded.
    var recordedBy: TrafficEnd
  }

  /// Why a line cannot be read: the end of a sentence about it.
  struct Malformed: Error, Equatable {
    var reason: String
    /// What it is counted as.
    var kind = FlowLogSummary.Reason.malformed
  }

  init(
    _ fields: [ArraySlice<UInt8>], _ format: FlowLogFormat
  ) throws(Malformed) {
    guard fields.count == format.count else {
      throw Malformed(
        reason: "has \(fields.count) fields where \(format.count) are expected; a log of another "
          + "format needs a first line with the names of its fields")
    }
    let line = FlowLogFields(fields, format)
    try line.checkVersion(isNamed: format.isNamed)
    switch try line.status() {
    case .noData?:
      self = .skipped(.noData)
      return
    case .skippedData?:
      self = .skipped(.skippedData)
      return
    case .complete?, nil: break
    }
    let action = try line.action()
    try line.checkProtocol()
    let source = try line.address(.sourceAddress)
    let destination = try line.address(.destinationAddress)
    // Where a packet goes through something in between, these name who sent and who gets it.
    let sender = try line.address(.packetSourceAddress) ?? source
    let receiver = try line.address(.packetDestinationAddress) ?? destination
    guard let sender, let receiver else {
      self = .skipped(.noAddress)
      return
    }
    let isReply = try FlowLogLine.isReply(line)
    guard sender.isIPv4 == receiver.isIPv4 else {
      throw Malformed(
        reason: "has an address of IPv4 at one end and one of IPv6 at the other",
        kind: .mixedFamilies)
    }
    let (start, end) = try FlowLogLine.time(line)
    let bytes = try line.byteCount()
    // What was not let through reached nobody. By now the line is known to be a good one.
    guard action != .reject else {
      self = .skipped(.rejectedFlow)
      return
    }
    let isAtSource = line.text(.direction).flatMap { direction -> Bool? in
      direction == "egress" ? true : direction == "ingress" ? false : nil
    }
    let recordedBy: TrafficEnd =
      switch isAtSource {
      // An interface in between belongs to neither end.
      case true? where source == nil || source == sender: isReply ? .server : .client
      case false? where destination == nil || destination == receiver: isReply ? .client : .server
      default: .unknown
      }
    self = .record(
      Record(
        client: (isReply ? receiver : sender).text, server: (isReply ? sender : receiver).text,
        start: start, end: end, bytes: bytes, recordedBy: recordedBy))
  }

  private static let syn: UInt64 = 2
  private static let ack: UInt64 = 16

  /// Whether the line tells of what came back: it began with SYN and ACK, or else it comes from the
  /// lower port. Of two equal ports, and without ports, the one that sends is who called.
  private static func isReply(_ line: FlowLogFields) throws(Malformed) -> Bool {
    // Impossible ports are told whatever the flags say.
    let ports = (source: try line.port(.sourcePort), destination: try line.port(.destinationPort))
    if let flags = try line.number(.flags), flags & syn != 0 { return flags & ack != 0 }
    guard let source = ports.source, let destination = ports.destination else { return false }
    return source < destination && source > 0
  }

  private static func time(_ line: FlowLogFields) throws(Malformed) -> (start: Nanos, end: Nanos) {
    let first = try line.number(.start)
    guard let last = try line.number(.end) ?? first, last > 0 else {
      throw Malformed(reason: "has neither a start nor an end")
    }
    let (end, overflow) = last.multipliedReportingOverflow(by: .second)
    guard !overflow else { throw Malformed(reason: "has an end that is no Unix time in seconds") }
    guard let first else { return (end, end) }
    guard first <= last else {
      throw Malformed(reason: "ends before it starts", kind: .endBeforeStart)
    }
    return (first &* .second, end)
  }
}

/// The fields of one line, by name.
struct FlowLogFields {
  private let fields: [ArraySlice<UInt8>]
  private let format: FlowLogFormat

  init(_ fields: [ArraySlice<UInt8>], _ format: FlowLogFormat) {
    self.fields = fields
    self.format = format
  }

  /// nil where the format lacks the field, or the line has none: `-`.
  func bytes(_ field: FlowLogFormat.Field) -> ArraySlice<UInt8>? {
    guard let position = format.position(of: field), position < fields.count else { return nil }
    let bytes = fields[position]
    return bytes.elementsEqual("-".utf8) ? nil : bytes
  }

  func text(_ field: FlowLogFormat.Field) -> String? {
    bytes(field).map { String(decoding: $0, as: UTF8.self) }
  }

  func number(_ field: FlowLogFormat.Field) throws(FlowLogLine.Malformed) -> UInt64? {
    guard let bytes = bytes(field) else { return nil }
    guard let number = wholeNumber(bytes) else {
      throw FlowLogLine.Malformed(reason: "has no whole number in \(field.rawValue)")
    }
    return number
  }

  /// nil for what is none, and for one beyond 64 bits.
  func wholeNumber(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for byte in digits {
      let digit = UInt64(byte &- UInt8(ascii: "0"))
      let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = product.addingReportingOverflow(digit)
      guard digit <= 9, !isTooLarge, !overflow else { return nil }
      value = sum
    }
    return value
  }

  func port(_ field: FlowLogFormat.Field) throws(FlowLogLine.Malformed) -> UInt64? {
    let port = try number(field)
    guard port ?? 0 <= UInt64(UInt16.max) else {
      throw FlowLogLine.Malformed(
        reason: "has a port in \(field.rawValue) that there is not", kind: .impossiblePort)
    }
    return port
  }

  func address(_ field: FlowLogFormat.Field) throws(FlowLogLine.Malformed) -> IPAddress? {
    guard let bytes = bytes(field) else { return nil }
    guard let address = IPAddress(bytes) else {
      throw FlowLogLine.Malformed(
        reason: "has no address in \(field.rawValue)", kind: .impossibleAddress)
    }
    return address
  }
}
