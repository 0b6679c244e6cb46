/// Collects the fields of one request head, and keeps the texts of the one before: the requests of
/// a connection mostly say the same, and then need no new strings.
struct RequestHeadBuilder {
  private(set) var current = RequestHead()
  private var previous = RequestHead()
  private var listBytes = 0
  private let listBytesMax: Int
  private(set) var isTooLarge = false
  /// The fields after a body, which mean nothing in a request here.
  private var isTrailers = false
  /// Header blocks that have begun, and whether the last of them is not complete yet.
  private(set) var blocks = 0
  private(set) var isOpen = false

  init(listBytesMax: Int) { self.listBytesMax = listBytesMax }

  mutating func begin(trailers: Bool) {
    if !trailers {
      previous = current
      current = RequestHead()
    }
    blocks &+= 1
    isOpen = true
    listBytes = 0
    isTooLarge = false
    isTrailers = trailers
  }

  mutating func end() { isOpen = false }

  mutating func add(_ name: Span<UInt8>, _ value: Span<UInt8>) {
    // 32 for each field, as SETTINGS_MAX_HEADER_LIST_SIZE counts.
    listBytes &+= name.count &+ value.count &+ 32
    if listBytes > listBytesMax {
      isTooLarge = true
      current.others = []
    }
    guard !isTooLarge, !isTrailers else { return }
    switch name.count {
    case 2 where name.equals("te"): Self.keep(value, in: &current.te, like: previous.te)
    case 5 where name.equals(":path"): Self.keep(value, in: &current.path, like: previous.path)
    case 7 where name.equals(":method"):
      Self.keep(value, in: &current.method, like: previous.method)
    case 7 where name.equals(":scheme"): break
    case 10 where name.equals(":authority"):
      Self.keep(value, in: &current.authority, like: previous.authority)
    case 4 where name.equals("host"):
      guard current.authority.isEmpty else { return }
      Self.keep(value, in: &current.authority, like: previous.authority)
    case 10 where name.equals("user-agent"):
      Self.keep(value, in: &current.userAgent, like: previous.userAgent)
    case 12 where name.equals("content-type"):
      Self.keep(value, in: &current.contentType, like: previous.contentType)
    case 12 where name.equals("grpc-timeout"):
      Self.keep(value, in: &current.grpcTimeout, like: previous.grpcTimeout)
    case 13 where name.equals("authorization"):
      Self.keep(value, in: &current.authorization, like: previous.authorization)
    case 13 where name.equals("grpc-encoding"):
      Self.keep(value, in: &current.grpcEncoding, like: previous.grpcEncoding)
    case 14 where name.equals("content-length"): current.contentLength = Int(value.text)
    case 15 where name.equals("accept-encoding"):
      Self.keep(value, in: &current.acceptEncoding, like: previous.acceptEncoding)
    case 16 where name.equals("content-encoding"):
      Self.keep(value, in: &current.contentEncoding, like: previous.contentEncoding)
    case 20 where name.equals("grpc-accept-encoding"):
      Self.keep(value, in: &current.grpcAcceptEncoding, like: previous.grpcAcceptEncoding)
    default: keepOther(name, value)
    }
  }

  private static func keep(_ value: Span<UInt8>, in field: inout String, like before: String) {
    field = value.equals(before) ? before : value.text
  }

  private static func keep(_ value: Span<UInt8>, in field: inout String?, like before: String?) {
    if let before, value.equals(before) { field = before } else { field = value.text }
  }

  private mutating func keepOther(_ name: Span<UInt8>, _ value: Span<UInt8>) {
    let index = current.others.count
    guard index < RequestHead.othersMax else { return }
    if index < previous.others.count, name.equals(previous.others[index].name),
      value.equals(previous.others[index].value)
    {
      current.others.append(previous.others[index])
    } else {
      current.others.append(HTTP2Header(name.text, value.text))
    }
  }
}

extension Span<UInt8> {
  /// Senders' bytes as text; what is not UTF-8 is replaced, never an error.
  fileprivate var text: String {
    unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  fileprivate func equals(_ other: StaticString) -> Bool {
    guard count == other.utf8CodeUnitCount else { return false }
    let start = unsafe other.utf8Start
    for index in indices where unsafe self[index] != start[index] { return false }
    return true
  }

  fileprivate func equals(_ other: String) -> Bool {
    let bytes = other.utf8.span
    guard count == bytes.count else { return false }
    for index in indices where self[index] != bytes[index] { return false }
    return true
  }
}
