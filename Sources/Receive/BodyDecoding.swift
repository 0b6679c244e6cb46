import Model
import OTLP

/// A complete body and how to read it; can be carried to a worker.
struct BodyDecoding: Sendable {
  var bytes: [UInt8]
  var signal = OTLPSignal.traces
  var encoding: OTLPEncoding
  var isGzip: Bool
  /// What a gzip body may unpack to.
  var inflatedBytesMax: Int
  var now: Nanos

  func run(_ decoder: OTLPDecoder) -> Result<DecodedRequest, DecodeError> {
    do throws(DecodeError) {
      guard isGzip else { return .success(try decode(bytes, decoder)) }
      return .success(try decode(inflated(), decoder))
    } catch {
      return .failure(error)
    }
  }

  private func inflated() throws(DecodeError) -> [UInt8] {
    let result = unsafe bytes.withUnsafeBytes { body -> Result<[UInt8], DecodeError> in
      do throws(DecodeError) {
        return .success(unsafe try Gzip.inflate(body, bytesMax: inflatedBytesMax))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private func decode(
    _ plain: [UInt8], _ decoder: OTLPDecoder
  ) throws(DecodeError) -> DecodedRequest {
    let result = unsafe plain.withUnsafeBytes { body -> Result<DecodedRequest, DecodeError> in
      do throws(DecodeError) {
        return .success(
          unsafe try decoder.decode(
            body, signal, encoding: encoding, tenant: .standard, now: now))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// What a gzip body says it unpacks to: its last four bytes, little-endian. A hint only: of
  /// several members it is the last one's, and a damaged body says anything.
  /// - Source: RFC 1952 section 2.3.1, ISIZE.
  static func inflatedBytesHint(_ bytes: [UInt8]) -> Int {
    guard bytes.count >= 18 else { return 0 }
    return bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
