import HTTP2
import HTTP2Client

/// An HTTP/2 client over a blocking socket.
final class HTTP2Connection {
  let client: HTTP2Client
  let socket: RawConnection

  init(port: Int, takesBody: Bool = true) throws {
    client = HTTP2Client(takesBody: takesBody)
    socket = try RawConnection(port: port)
  }

  /// Carries bytes both ways until `condition` holds or the server closes.
  func run(until condition: () -> Bool) throws {
    try flush()
    while !condition() {
      let bytes = try socket.receive()
      guard !bytes.isEmpty else { return }
      client.receive(bytes)
      try flush()
    }
  }

  func flush() throws {
    let output = client.takeOutput()
    if !output.isEmpty { try socket.send(output) }
  }

  /// Waits until the stream is closed, and gives back what came.
  func response(_ stream: Int32) throws -> ClientResponse {
    try run { client.responses[stream]?.closeCode != nil }
    return client.responses[stream] ?? ClientResponse()
  }

  /// Waits until the server has seen everything sent so far.
  func roundTrip() throws {
    let answers = client.pingAnswers
    client.ping()
    try run { client.pingAnswers > answers }
  }

  static let exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

  /// A complete export call.
  func export(
    _ message: [UInt8], compressed: Bool = false, headers: [(String, String)] = []
  ) throws -> ClientResponse {
    try call(
      HTTP2Connection.exportPath, GRPCFraming.framed(message, compressed: compressed),
      headers: headers)
  }

  func call(
    _ path: String, _ body: [UInt8], contentType: String = "application/grpc",
    headers: [(String, String)] = [("te", "trailers")]
  ) throws -> ClientResponse {
    try response(client.post(path, contentType: contentType, body: body, headers: headers))
  }

  func beginExport(
    _ bytes: [UInt8] = [], end: Bool = false, headers: [(String, String)] = []
  ) -> Int32 {
    client.post(
      HTTP2Connection.exportPath, contentType: "application/grpc", body: bytes, end: end,
      headers: headers)
  }
}

extension ClientResponse {
  /// The one message of the answer, without its prefix.
  var message: [UInt8]? {
    guard body.count >= 5 else { return nil }
    let length = body[1..<5].reduce(0) { $0 << 8 | Int($1) }
    return body.count == 5 + length ? Array(body[5...]) : nil
  }

  /// `grpc-status-details-bin` as a google.rpc.Status.
  var statusDetails: ProtobufFields? {
    guard let text = trailers["grpc-status-details-bin"] ?? headers["grpc-status-details-bin"]
    else { return nil }
    return decodedBase64(text).flatMap(ProtobufFields.init)
  }
}

/// Base64 without padding; nil for anything else.
func decodedBase64(_ text: String) -> [UInt8]? {
  let digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var bytes: [UInt8] = []
  var pending = 0
  var bits = 0
  for digit in text.utf8 {
    guard let value = digits.firstIndex(of: digit) else { return nil }
    pending = pending << 6 | value
    bits += 6
    if bits >= 8 {
      bits -= 8
      bytes.append(UInt8(pending >> bits & 255))
    }
  }
  return bytes
}
