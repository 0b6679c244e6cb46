import HTTP2
import OTLP

/// An answer in the form of OTLP/HTTP, the same for HTTP/1.1 and HTTP/2.
struct HTTPReply: Equatable {
  var status: Int
  var headers: [HTTP2Header]
  var body: [UInt8]

  init(_ answer: Answer, to head: RequestHead, _ encoding: OTLPEncoding, _ services: LoopServices) {
    let configuration = services.configuration
    headers = configuration.crossOrigin.answerHeaders(for: head)
    headers.append(HTTP2Header("date", services.dateText()))
    switch answer {
    case .exported(let signal, let rejections):
      status = 200
      body = ExportResponse.encoded(rejections, encoding, signal)
    case .preflight(let allowed):
      status = 204
      body = []
      headers += allowed
      return
    case .refused(let refusal):
      let row = refusal.row
      status = row.http
      headers += row.headers
      if let seconds = row.retryAfterSeconds {
        headers.append(HTTP2Header("retry-after", String(seconds)))
      }
      body = RPCStatus(row).encoded(encoding)
    case .health: preconditionFailure("health checks are gRPC")
    }
    headers.append(HTTP2Header("content-type", encoding.contentType))
    if body.count >= configuration.compressedAnswerBytesMin,
      acceptsGzip(head.acceptEncoding)
    {
      body = Gzip.deflate(body)
      headers.append(HTTP2Header("content-encoding", "gzip"))
    }
  }
}

extension OTLPEncoding {
  fileprivate var contentType: String {
    switch self {
    case .protobuf: "application/x-protobuf"
    case .json: "application/json"
    }
  }
}

extension RPCStatus {
  init(_ row: Refusal.Row) {
    self.init(
      code: row.code, message: row.message, retryDelaySeconds: row.retryAfterSeconds,
      badRequestField: row.field)
  }
}

/// Whether a list of codings names gzip, and not as unwanted (`q=0`).
func acceptsGzip(_ list: String?) -> Bool {
  guard let list else { return false }
  return list.split(separator: ",").contains { item in
    let parts = item.lowercased().filter { $0 != " " }.split(separator: ";")
    guard parts.first == "gzip" else { return false }
    return !parts.dropFirst().contains {
      $0.hasPrefix("q=0") && $0.allSatisfy { "q=0.".contains($0) }
    }
  }
}
