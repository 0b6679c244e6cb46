import COTLP

/// The answer to a request that was read: an ExportTraceServiceResponse or ExportLogsServiceResponse.
public enum ExportResponse {
  /// What one answer may take.
  /// - Source: OTLP specification 1.11, limit on response messages.
  public static let bytesMax = 4 << 20

  /// The longest message sent: with every byte escaped by JSON as six and the rest of the body
  /// around it, it stays under `bytesMax`.
  static let messageBytesMax = bytesMax / 8

  /// Nothing (JSON: an empty object) when all was accepted and there is nothing to say.
  public static func encoded(
    _ rejections: Rejections, _ encoding: OTLPEncoding, _ signal: OTLPSignal = .traces
  ) -> [UInt8] {
    let isComplete = rejections.rejectedSpans == 0 && rejections.message == nil
    let message = (rejections.message ?? "").cut(toUTF8Bytes: messageBytesMax)
    switch encoding {
    case .protobuf:
      if isComplete { return [] }
      // The messages of the signals have the same fields with the same numbers.
      return packed(rejections.rejectedSpans, message)
    case .json:
      return isComplete ? Array("{}".utf8) : json(rejections.rejectedSpans, message, signal)
    }
  }

  private static func packed(_ rejectedSpans: Int, _ message: String) -> [UInt8] {
    unsafe Packing.pack { pool in
      var partial =
        unsafe Opentelemetry__Proto__Collector__Trace__V1__ExportTracePartialSuccess()
      unsafe opentelemetry__proto__collector__trace__v1__export_trace_partial_success__init(
        &partial)
      unsafe partial.rejected_spans = Int64(rejectedSpans)
      unsafe partial.error_message = pool.text(message)
      var response =
        unsafe Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceResponse()
      unsafe opentelemetry__proto__collector__trace__v1__export_trace_service_response__init(
        &response)
      unsafe response.partial_success = pool.keep(partial)
      return unsafe pool.message(response)
    }
  }

  private static func json(
    _ rejected: Int, _ message: String, _ signal: OTLPSignal
  ) -> [UInt8] {
    var json = ReplyJSON()
    json.open()
    json.object("partialSuccess") { partial in
      // 64-bit numbers are text in the JSON form of protobuf.
      partial.field(
        signal == .traces ? "rejectedSpans" : "rejectedLogRecords", text: String(rejected))
      partial.field("errorMessage", text: message)
    }
    json.close()
    return json.bytes
  }
}
