import COTLP
import CProtobufC

/// What a health check is told of a service.
/// - Source: grpc/health/v1/health.proto, `HealthCheckResponse.ServingStatus`.
public enum ServingStatus: Int, Sendable {
  case unknown = 0
  case serving = 1
  case notServing = 2
  /// Only in the stream of Watch: Check answers NOT_FOUND instead.
  case serviceUnknown = 3
}

/// The messages of `grpc.health.v1.Health`.
public enum HealthCodec {
  /// More than any name of a service takes; a longer request is not looked at.
  public static let requestBytesMax = 4096

  /// The service asked for, empty for the server as a whole; nil when the bytes are no request.
  public static func decodeRequest(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard bytes.count <= requestBytesMax else { return nil }
    let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    let request = unsafe grpc__health__v1__health_check_request__unpack(nil, bytes.count, start)
    guard let request = unsafe request else { return nil }
    defer { unsafe grpc__health__v1__health_check_request__free_unpacked(request, nil) }
    let service = unsafe request.pointee.service
    return unsafe String(
      decoding: UnsafeRawBufferPointer(start: service.data, count: service.len), as: UTF8.self)
  }

  public static func encodeResponse(_ status: ServingStatus) -> [UInt8] {
    unsafe Packing.pack { pool in
      var response = unsafe Grpc__Health__V1__HealthCheckResponse()
      unsafe grpc__health__v1__health_check_response__init(&response)
      unsafe response.status = Grpc__Health__V1__HealthCheckResponse__ServingStatus(
        rawValue: UInt32(status.rawValue))
      return unsafe pool.message(response)
    }
  }
}
