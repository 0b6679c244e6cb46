import Model
import OTLP

/// A file of OTLP traces, cut into the requests it holds. The format is told from the content:
/// JSON (one document, several, or one a line), or protobuf (one message, or length-prefixed ones).
struct TraceFile {
  struct Request: Equatable {
    /// Where it stands in the file's bytes.
    var range: Range<Int>
    var encoding: OTLPEncoding
    /// On which line of a JSON file it begins, from 1.
    var line: Int?
  }

  let name: String
  let bytes: [UInt8]
  let requests: [Request]

  static let bytesMax = 1 << 30
  /// Protobuf files are cut between resource spans into pieces of about this size, because a
  /// gateway limits what one request may hold.
  static let pieceBytes = 4 << 20

  /// Reads the file, or standard input when the name is `-`.
  /// - Errors: `CommandFailure` of kind failed when it cannot be read or is no OTLP file.
  init(_ name: String, in context: CommandContext) throws(CommandFailure) {
    let bytes = try InputFile.read(name, bytesMax: TraceFile.bytesMax, in: context)
    try self.init(name: name == "-" ? "standard input" : name, bytes: bytes)
  }

  init(name: String, bytes: [UInt8]) throws(CommandFailure) {
    self.name = name
    self.bytes = bytes
    let start = JSONDocuments.skipBlanks(bytes, from: 0)
    guard start < bytes.count else { throw CommandFailure(.failed, "\(name) is empty") }
    // Protobuf first: its first byte is a line feed, and a length may look like a bracket.
    if let ranges = ProtobufMessages.ranges(in: bytes, pieceBytes: TraceFile.pieceBytes) {
      requests = ranges.map { Request(range: $0, encoding: .protobuf) }
    } else if bytes[start] == UInt8(ascii: "{") || bytes[start] == UInt8(ascii: "[") {
      requests = TraceFile.requests(JSONDocuments.ranges(in: bytes), in: bytes)
    } else if bytes.starts(with: [0x1F, 0x8B]) {
      throw CommandFailure(
        .failed, "\(name) is compressed; decompress it first: gunzip -c FILE | spangate … -")
    } else {
      throw CommandFailure(
        .failed,
        "\(name) is no OTLP trace file\(TraceFile.notJSON(bytes, at: start)); it must hold JSON, "
          + "JSON lines, or a protobuf ExportTraceServiceRequest or TracesData")
    }
  }

  private static func requests(_ ranges: [Range<Int>], in bytes: [UInt8]) -> [Request] {
    var line = 1
    var position = 0
    return ranges.map { range in
      line += lineFeeds(bytes[position..<range.lowerBound])
      position = range.lowerBound
      return Request(range: range, encoding: .json, line: line)
    }
  }

  /// Which line is wrong, when the file looks like a text.
  private static func notJSON(_ bytes: [UInt8], at start: Int) -> String {
    guard (0x20...0x7E).contains(bytes[start]) else { return "" }
    return ": line \(1 + lineFeeds(bytes[..<start])) begins with neither { nor ["
  }

  private static func lineFeeds(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $1 == 0x0A ? $0 + 1 : $0 }
  }

  func body(_ request: Request) -> [UInt8] { Array(bytes[request.range]) }

  /// Where the request at `index` is, for a person: `traces.json, request 2 (line 3)`.
  func place(of index: Int) -> String {
    let line = requests[index].line.map { " (line \($0))" } ?? ""
    return "\(name), request \(index + 1)\(line)"
  }
}
