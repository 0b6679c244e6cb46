/// The names of gRPC's status codes, which newer semantic conventions send instead of numbers.
/// - Source: github.com/grpc/grpc, doc/statuscodes.md.
enum GRPCStatusName {
  /// In the order of their numbers.
  private static let names: [StaticString] = [
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
    "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
  ]

  /// Of a code there is.
  static func name(_ code: Int) -> String {
    names.indices.contains(code) ? "\(names[code])" : "UNKNOWN"
  }

  static func code(_ text: UnsafeRawBufferPointer) -> Int64? {
    for (code, name) in names.enumerated() where unsafe text.equalsIgnoringCase(name) {
      return Int64(code)
    }
    return nil
  }
}
