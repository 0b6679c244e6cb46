import COTLP
import CProtobufC

/// A `google.rpc.Status`: the body of every error answer, and gRPC's `grpc-status-details-bin`.
public struct RPCStatus: Sendable, Equatable {
  public var code: RPCCode
  /// English, for the person who runs the exporter. At most `messageBytesMax` bytes are sent.
  public var message: String
  /// Adds a RetryInfo: the sender may try again after so many seconds.
  public var retryDelaySeconds: Int?
  /// Adds a BadRequest: the part of the request that is at fault.
  public var badRequestField: String?

  /// gRPC carries the message in a header field, and peers limit those.
  public static let messageBytesMax = 4096

  public init(
    code: RPCCode, message: String, retryDelaySeconds: Int? = nil, badRequestField: String? = nil
  ) {
    self.code = code
    self.message = message
    self.retryDelaySeconds = retryDelaySeconds
    self.badRequestField = badRequestField
  }

  /// The answer to a request that could not be decoded. Never retryable.
  public init(_ error: DecodeError) {
    self.init(
      code: error.kind.code, message: error.message,
      badRequestField: error.kind == .malformed ? error.field : nil)
  }

  public func encoded(_ encoding: OTLPEncoding) -> [UInt8] {
    switch encoding {
    case .protobuf: encodedProtobuf()
    case .json: encodedJSON()
    }
  }

  private var sentMessage: String { message.cut(toUTF8Bytes: RPCStatus.messageBytesMax) }
  private var sentField: String? { badRequestField?.cut(toUTF8Bytes: RPCStatus.messageBytesMax) }

  private static let retryInfoType = "type.googleapis.com/google.rpc.RetryInfo"
  private static let badRequestType = "type.googleapis.com/google.rpc.BadRequest"
}

// MARK: - JSON

extension RPCStatus {
  private func encodedJSON() -> [UInt8] {
    var json = ReplyJSON()
    json.open()
    json.field("code", number: code.rawValue)
    json.field("message", text: sentMessage)
    if retryDelaySeconds != nil || badRequestField != nil {
      json.array("details") { details in
        if let retryDelaySeconds { RPCStatus.addRetry(retryDelaySeconds, &details) }
        if let sentField { addBadRequest(sentField, &details) }
      }
    }
    json.close()
    return json.bytes
  }

  private static func addRetry(_ seconds: Int, _ json: inout ReplyJSON) {
    json.open()
    json.field("@type", text: retryInfoType)
    json.field("retryDelay", text: "\(seconds)s")
    json.close()
  }

  private func addBadRequest(_ field: String, _ json: inout ReplyJSON) {
    json.open()
    json.field("@type", text: RPCStatus.badRequestType)
    json.array("fieldViolations") { violations in
      violations.open()
      violations.field("field", text: field)
      violations.field("description", text: sentMessage)
      violations.close()
    }
    json.close()
  }
}

// MARK: - Protobuf

extension RPCStatus {
  private func encodedProtobuf() -> [UInt8] {
    var details: [(type: String, value: [UInt8])] = []
    if let retryDelaySeconds {
      details.append((RPCStatus.retryInfoType, RPCStatus.packedRetry(retryDelaySeconds)))
    }
    if let sentField {
      details.append((RPCStatus.badRequestType, packedBadRequest(sentField)))
    }
    return unsafe Packing.pack { pool in
      var status = unsafe Google__Rpc__Status()
      unsafe google__rpc__status__init(&status)
      unsafe status.code = Int32(code.rawValue)
      unsafe status.message = pool.text(sentMessage)
      var pointers: [UnsafeMutablePointer<Google__Protobuf__Any>?] = unsafe []
      for detail in details {
        var any = unsafe Google__Protobuf__Any()
        unsafe google__protobuf__any__init(&any)
        unsafe any.type_url = pool.text(detail.type)
        unsafe any.value = pool.bytes(detail.value)
        unsafe pointers.append(pool.keep(any))
      }
      unsafe status.n_details = pointers.count
      unsafe status.details = pool.keep(pointers)
      return unsafe pool.message(status)
    }
  }

  private static func packedRetry(_ seconds: Int) -> [UInt8] {
    unsafe Packing.pack { pool in
      var delay = unsafe Google__Protobuf__Duration()
      unsafe google__protobuf__duration__init(&delay)
      unsafe delay.seconds = Int64(seconds)
      var retry = unsafe Google__Rpc__RetryInfo()
      unsafe google__rpc__retry_info__init(&retry)
      unsafe retry.retry_delay = pool.keep(delay)
      return unsafe pool.message(retry)
    }
  }

  private func packedBadRequest(_ field: String) -> [UInt8] {
    unsafe Packing.pack { pool in
      var violation = unsafe Google__Rpc__BadRequest__FieldViolation()
      unsafe google__rpc__bad_request__field_violation__init(&violation)
      unsafe violation.field = pool.text(field)
      unsafe violation.description = pool.text(sentMessage)
      var request = unsafe Google__Rpc__BadRequest()
      unsafe google__rpc__bad_request__init(&request)
      unsafe request.n_field_violations = 1
      unsafe request.field_violations = pool.keep([pool.keep(violation)])
      return unsafe pool.message(request)
    }
  }
}
