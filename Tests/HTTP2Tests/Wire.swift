import Glibc
import HTTP2
import HTTP2Client

/// A client and a server session joined without sockets.
final class Wire {
  let client: HTTP2Client
  let server: HTTP2Session
  var events: [HTTP2Event] = []
  /// Body bytes the server received, by stream.
  var bodies: [Int32: [UInt8]] = [:]
  var consumes = true
  var failure: HTTP2Error?

  init(_ configuration: HTTP2Configuration = HTTP2Configuration(), takesBody: Bool = true) throws {
    client = HTTP2Client(takesBody: takesBody)
    server = try HTTP2Session(configuration: configuration)
  }

  /// Carries bytes both ways until both sides are silent.
  /// - Parameter pieceBytes: how many bytes the server gets at once.
  func pump(pieceBytes: Int = .max) {
    for _ in 0..<1000 {
      let up = client.takeOutput()
      var start = 0
      while start < up.count {
        let end = start + min(pieceBytes, up.count - start)
        feed(Array(up[start..<end]))
        start = end
      }
      let down = serverOutput()
      client.receive(down)
      if up.isEmpty && down.isEmpty { return }
    }
  }

  func feed(_ bytes: [UInt8]) {
    do { try server.receive(bytes.span.bytes) } catch { failure = error }
    drain(bytes)
  }

  func serverOutput() -> [UInt8] {
    var output: [UInt8] = []
    do {
      try server.writeOutput { piece in
        piece.withUnsafeBytes { output.append(contentsOf: $0) }
        return true
      }
    } catch { failure = error }
    drain([])
    return output
  }

  private func drain(_ input: [UInt8]) {
    while let event = server.nextEvent() {
      events.append(event)
      if case .bodyReceived(let stream, let range) = event {
        bodies[stream, default: []] += input[range]
        if consumes { server.consume(stream: stream, bytes: range.count) }
      }
    }
  }

  /// The heads of the requests that came.
  var requests: [RequestHead] {
    events.compactMap { if case .requestReceived(_, let head, _) = $0 { head } else { nil } }
  }
}

/// The bytes of one HTTP/2 frame, made by hand.
func frame(type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
  let length = payload.count
  return [
    UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags,
    UInt8(stream >> 24 & 255), UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255),
    UInt8(stream & 255),
  ] + payload
}

let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
