/// `response_flags` of Envoy: `-`, or short names divided by commas.
/// - Source: Envoy access log documentation, "%RESPONSE_FLAGS%".
enum EnvoyResponseFlags {
  /// Those that say the upstream failed or was not reached. `DC` is not among them: the caller
  /// hung up, which says nothing about who was called.
  private static let failures: [StaticString] = [
    "UF", "UH", "UO", "UT", "UC", "URX", "NR", "NC", "LH", "DPE", "UPE",
  ]

  static func nameFailure(_ flags: UnsafeRawBufferPointer) -> Bool {
    var start = 0
    while start < flags.count {
      let end = unsafe flags.position(of: UInt8(ascii: ","), from: start) ?? flags.count
      let flag = unsafe flags.part(start..<end).trimmed
      for failure in failures where unsafe flag.equals(failure) { return true }
      start = end + 1
    }
    return false
  }
}
