import Model
import OTLP

/// Looks into a request for what replaying needs to know. The bytes that are sent stay as they are.
struct RequestScan {
  struct Result: Equatable {
    /// All spans, also those a gateway will reject one by one.
    var spans: Int
    /// Unix nanoseconds; nil without spans, or when the request cannot be read.
    var earliestStart: Nanos?
  }

  private let decoder: OTLPDecoder

  init() {
    var limits = DecodeLimits()
    limits.requestBytesMax = TraceFile.bytesMax
    limits.memoryBytesMax = 4 << 30
    limits.retentionNanos = .max
    limits.aheadNanosMax = .max
    decoder = OTLPDecoder(names: NameTable(), limits: limits)
  }

  func scan(_ body: [UInt8], encoding: OTLPEncoding) -> Result {
    unsafe body.withUnsafeBytes { bytes in
      do throws(DecodeError) {
        let decoded = try unsafe decoder.decode(
          bytes, encoding: encoding, tenant: .standard, now: 0)
        return Result(
          spans: decoded.batch.sentCount + decoded.rejections.rejectedSpans,
          earliestStart: decoded.batch.spans.lazy.map(\.start).min())
      } catch {
        // The gateway will say what is wrong with it.
        return Result(spans: 0, earliestStart: nil)
      }
    }
  }
}
