// Lines of AWS VPC flow logs to records of traffic: who talked with whom, how many bytes, and whether it
// was let through. A line is read alone and is never trusted: a bad one is left out and told of.

/// The order of a flow log's fields.
/// - Source: docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html, "Available fields".
struct FlowLogFormat: Equatable {
  /// The fields that are read.
  enum Field: String, CaseIterable {
    case sourceAddress = "srcaddr"
    case destinationAddress = "dstaddr"
    case sourcePort = "srcport"
    case destinationPort = "dstport"
    case version
    case `protocol`
    case packets
    case bytes
    case start
    case end
    case action
    case status = "log-status"
    case direction = "flow-direction"
    case flags = "tcp-flags"
    case packetSourceAddress = "pkt-srcaddr"
    case packetDestinationAddress = "pkt-dstaddr"
  }

  /// How many fields a line has.
  let count: Int
  /// Its fields were named, so that they are what they are called whatever the version.
  let isNamed: Bool
  private let positions: [Field: Int]

  /// Version 2 in its order, which a flow log has that was created without a format.
  static let standard = FlowLogFormat(
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end "
      + "action log-status")

  private init(_ names: String) {
    self.init(names.split(separator: " ").map(String.init), isNamed: false)
  }

  init(_ names: [String], isNamed: Bool = true) {
    self.isNamed = isNamed
    count = names.count
    var positions: [Field: Int] = [:]
    for (position, name) in names.enumerated() {
      if let field = Field(rawValue: name) { positions[field] = position }
    }
    self.positions = positions
  }

  func position(of field: Field) -> Int? { positions[field] }

  /// The format a line of names states; nil for a line that is none of names.
  init?(header fields: [ArraySlice<UInt8>]) {
    let names = fields.map { String(decoding: $0, as: UTF8.self) }
    let isHeader = names.contains { name in
      name == Field.sourceAddress.rawValue || name == Field.packetSourceAddress.rawValue
    }
    guard isHeader else { return nil }
    self.init(names)
  }

  /// What a format lacks that every record needs; nil when it has all of it.
  var missing: String? {
    if positions[.sourceAddress] == nil, positions[.packetSourceAddress] == nil { return "srcaddr" }
    if positions[.destinationAddress] == nil, positions[.packetDestinationAddress] == nil {
      return "dstaddr"
    }
    return positions[.start] == nil && positions[.end] == nil ? "start or end" : nil
  }
}
