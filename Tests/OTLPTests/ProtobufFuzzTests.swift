import COTLP
import CProtobufC
import Model
import TestSupport
import Testing

@testable import OTLP

/// What the pre-scan promises, against what libprotobuf-c does.
@Suite struct ProtobufFuzzTests {
  /// What libprotobuf-c takes for a body without any help: nil when it refuses.
  private func bytesUnpacked(_ body: [UInt8]) -> Int? {
    let arena = Arena(bytesMax: 64 << 20)
    let request =
      opentelemetry__proto__collector__trace__v1__export_trace_service_request__unpack(
        arena.protobufAllocator, body.count, body)
    return request == nil ? nil : arena.bytesUsed
  }

  /// A request in which every message type and every wire type occurs.
  private var sample: [UInt8] {
    ProtobufBuilder {
      for service in 0..<3 {
        $0.resourceSpans(service: "service\(service)") {
          $0.field(1) { $0.field(1, text: "library") }
          for id in 1...3 {
            $0.span(id: UInt64(id), parent: Sample.bytes(of: 1)) {
              $0.field(3, text: "ot=th:c")
              $0.attribute(9, "int") { $0.field(3, varint: 503) }
              $0.attribute(9, "double") { $0.field(4, fixed64: 1.5.bitPattern) }
              $0.attribute(9, "array") { $0.field(5) { $0.field(1) { $0.field(1, text: "x") } } }
              $0.attribute(9, "list") { $0.field(6) { $0.attribute(1, "k", text: "v") } }
              $0.field(11) { $0.field(2, text: "event") }
              $0.field(13) { $0.field(6, fixed32: 1) }
              $0.field(13) {
                $0.field(1, bytes: [UInt8](repeating: 3, count: 16))
                $0.field(2, bytes: [UInt8](repeating: 4, count: 8))
              }
              $0.field(15) { $0.field(3, varint: 2) }
              $0.field(900, varint: 1)
            }
          }
        }
      }
      $0.group(77) { $0.field(1, bytes: [UInt8](repeating: 7, count: 200)) }
    }.bytes
  }

  /// Scenario: a valid request, and what unpacking it takes.
  /// Guarantees: the pre-scan's figure is exact, also where messages have more members than the
  /// unpacker's first slab of notes holds.
  @Test(arguments: [0, 1, 9, 16, 17, 48, 49, 300])
  func estimateIsExact(attributes: Int) throws {
    let body = ProtobufBuilder.request {
      for index in 0..<attributes { $0.attribute(9, "key\(index)", text: "value") }
      $0.field(900, bytes: [1, 2, 3])
      $0.field(901, varint: 1 << 40)
    }
    let unpacked = bytesUnpacked(body)
    #expect(try Sample.scan(body).memoryBytes == unpacked)
  }

  /// Scenario: a valid request, changed at random: bytes flipped, cut out, doubled, cut off.
  /// Guarantees: never a crash; a body that passes the pre-scan unpacks, into exactly the memory
  /// the pre-scan said; one that it refuses is refused with a message.
  @Test func mutationsNeverCrash() throws {
    var random = SeededGenerator()
    let valid = sample
    let limits = DecodeLimits()
    let decoder = OTLPDecoder(names: NameTable(), limits: limits)
    var passed = 0
    for _ in 0..<3000 {
      let body = mutated(valid, &random)
      do throws(DecodeError) {
        let summary = try Sample.scan(body)
        passed += 1
        if !summary.mergesMessages {
          let unpacked = bytesUnpacked(summary.cleaned ?? body)
          #expect(unpacked == summary.memoryBytes, "seed \(random.seed)")
        }
        let decoded = try Sample.decode(body, with: decoder)
        // Bytes changed at random sometimes turn a short link into a whole one, which is a record
        // of its own beside the spans'.
        #expect(decoded.batch.sentCount <= summary.spans, "seed \(random.seed)")
        #expect(
          decoded.batch.count - decoded.batch.sentCount <= limits.linksPerRequestMax
            + summary.spans, "seed \(random.seed)")
      } catch {
        #expect(!error.message.isEmpty)
      }
    }
    // If all or none passed, one half of the test would not have been one.
    #expect(passed > 100 && passed < 2900)
  }

  /// Scenario: random bytes.
  /// Guarantees: never a crash, and the pre-scan passes nothing that does not unpack.
  @Test func randomBytesNeverCrash() throws {
    var random = SeededGenerator()
    for _ in 0..<3000 {
      let count = Int.random(in: 0...24, using: &random)
      let body = (0..<count).map { _ in UInt8.random(in: 0...0x2F, using: &random) }
      guard let summary = try? Sample.scan(body), !summary.mergesMessages else { continue }
      let unpacked = bytesUnpacked(summary.cleaned ?? body)
      #expect(unpacked == summary.memoryBytes, "seed \(random.seed), body \(body)")
    }
  }

  private func mutated(_ valid: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = valid
    for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
      let index = Int.random(in: 0..<bytes.count, using: &random)
      let end = min(bytes.count, index + Int.random(in: 1...8, using: &random))
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1, 2: bytes[index] = UInt8.random(in: 0...255, using: &random)
      case 3: bytes.removeSubrange(index..<end)
      case 4: bytes.insert(contentsOf: bytes[index..<end], at: index)
      default: bytes.removeSubrange(index...)
      }
    }
    return bytes
  }
}
