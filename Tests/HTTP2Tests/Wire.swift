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
  /// The clock, in nanoseconds.
  var now: UInt64 = 0

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
    do { try server.receive(bytes.span.bytes, at: now) } catch { failure = error }
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
