import Glibc

struct ClientError: Error, CustomStringConvertible {
  var description: String
}

/// A blocking TCP connection that gives up after thirty seconds: what answers may have to wait for tests that
/// compute.
final class RawConnection {
  private let descriptor: Int32
  private var buffered: [UInt8] = []
  private(set) var isClosedByServer = false

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var timeout = timeval(tv_sec: 30, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw ClientError(description: "connect: errno \(errno)") }
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw ClientError(description: "send: errno \(errno)") }
      sent += count
    }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func shutDownWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// What came next; empty when the server has closed.
  func receive() throws -> [UInt8] {
    if !buffered.isEmpty {
      defer { buffered = [] }
      return buffered
    }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    if count < 0 && errno == ECONNRESET {
      isClosedByServer = true
      return []
    }
    guard count >= 0 else { throw ClientError(description: "nothing came within 30 s") }
    if count == 0 { isClosedByServer = true }
    return Array(bytes[..<count])
  }

  func giveBack(_ bytes: [UInt8]) { buffered = bytes + buffered }

  /// True when the server closes without sending more.
  func isClosed() throws -> Bool { try receive().isEmpty }
}

/// An HTTP/1.1 answer.
struct HTTPAnswer {
  var status: Int
  /// By lower-case name.
  var headers: [String: String]
  var body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
}

extension RawConnection {
  /// The next answer, interim ones included. - Parameter hasBody: false after HEAD.
  func answer(hasBody: Bool = true) throws -> HTTPAnswer {
    var bytes: [UInt8] = []
    let end = Array("\r\n\r\n".utf8)
    while true {
      if let headEnd = bytes.firstRange(of: end) {
        let head = String(decoding: bytes[..<headEnd.lowerBound], as: UTF8.self)
        var lines = head.split(separator: "\r\n").map(String.init)
        let status = Int(lines.removeFirst().split(separator: " ")[1]) ?? 0
        var headers: [String: String] = [:]
        for line in lines {
          let parts = line.split(separator: ":", maxSplits: 1)
          headers[parts[0].lowercased()] =
            parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        let length = hasBody ? headers["content-length"].flatMap { Int($0) } ?? 0 : 0
        let bodyEnd = headEnd.upperBound + length
        if bytes.count >= bodyEnd {
          giveBack(Array(bytes[bodyEnd...]))
          return HTTPAnswer(
            status: status, headers: headers, body: Array(bytes[headEnd.upperBound..<bodyEnd]))
        }
      }
      let more = try receive()
      guard !more.isEmpty else {
        throw ClientError(
          description: "closed after \(String(decoding: bytes, as: UTF8.self).debugDescription)")
      }
      bytes += more
    }
  }

  /// Sends a request and gives back its answer.
  func post(
    _ path: String = "/v1/traces", type: String? = "application/x-protobuf", body: [UInt8],
    headers: [String] = [], method: String = "POST"
  ) throws -> HTTPAnswer {
    try sendRequest(path, type: type, body: body, headers: headers, method: method)
    return try answer(hasBody: method != "HEAD")
  }

  func sendRequest(
    _ path: String = "/v1/traces", type: String? = "application/x-protobuf", body: [UInt8],
    headers: [String] = [], method: String = "POST"
  ) throws {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: localhost", "Content-Length: \(body.count)"]
    if let type { lines.append("Content-Type: \(type)") }
    lines += headers
    try send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
  }
}
