import Model
import Testing

@testable import OTLP

/// Events of Kubernetes as the Collector's `k8seventsreceiver` sends them.
@Suite struct KubernetesEventTests {
  private let message = "Scaled up replica set checkout-7d9 to 3 from 0"

  private func log(_ attributes: [(String, SampleValue)], count: Int = 1) -> SampleLog {
    SampleLog(
      resource: [
        ("k8s.node.name", ""), ("k8s.object.kind", "Deployment"),
        ("k8s.object.name", "checkout"), ("k8s.object.uid", "d-1"),
      ], attributes: attributes, text: message, count: count)
  }

  private var scaling: SampleLog {
    log([
      ("k8s.event.reason", "ScalingReplicaSet"), ("k8s.event.action", ""),
      ("k8s.event.name", "checkout.17a"), ("k8s.event.uid", "e-1"),
      ("k8s.namespace.name", "shop"), ("k8s.event.count", 2),
    ])
  }

  /// Scenario: an event as protobuf and as JSON.
  /// Guarantees: the same from both, with all that markers are made of; it is no traffic and is not
  /// ignored.
  @Test(arguments: [OTLPEncoding.protobuf, .json])
  func event(encoding: OTLPEncoding) throws {
    let decoded = try scaling.decode(encoding)
    var expected = KubernetesEventRecord()
    expected.kind = "Deployment"
    expected.name = "checkout"
    expected.namespace = "shop"
    expected.reason = "ScalingReplicaSet"
    expected.message = message
    expected.uid = "e-1"
    expected.count = 2
    expected.time = Sample.start
    #expect(decoded.events == [expected])
    #expect(decoded.batch.isEmpty && decoded.ignored.isEmpty && decoded.rejections.counts.isEmpty)
  }

  /// Scenario: records with some of the attributes, with others of types that are no text, without
  /// anything; one of an access log that has a reason too.
  /// Guarantees: only a reason makes an event; what is missing is empty; traffic stays traffic.
  @Test(arguments: [OTLPEncoding.protobuf, .json])
  func otherRecords(encoding: OTLPEncoding) throws {
    let none = try log([("k8s.event.uid", "e-1"), ("k8s.event.reason", "")]).decode(encoding)
    #expect(none.events.isEmpty && none.ignored == [.text: 1])
    let number = try log([("k8s.event.reason", 7)]).decode(encoding)
    #expect(number.events.isEmpty && number.ignored == [.text: 1])
    let bare = try SampleLog(attributes: [("k8s.event.reason", "Pulled")]).decode(encoding)
    var pulled = KubernetesEventRecord()
    pulled.reason = "Pulled"
    pulled.time = Sample.start
    #expect(bare.events == [pulled] && bare.ignored.isEmpty)
    let access = try log([("k8s.event.reason", "x"), ("response_code", 200)]).decode(encoding)
    #expect(access.events.isEmpty && access.batch.count == 1)
    let plain = try log([]).decode(encoding)
    #expect(plain.events.isEmpty && plain.ignored == [.text: 1])
  }

  /// Scenario: as many events as are read of one request, and three more.
  /// Guarantees: those beyond are counted as ignored.
  @Test func bound() throws {
    var many = scaling
    many.count = KubernetesEventRecord.perRequestMax + 3
    let decoded = try many.decode()
    #expect(decoded.events.count == KubernetesEventRecord.perRequestMax)
    #expect(decoded.ignored == [.eventBeyondLimit: 3])
  }

  /// Scenario: two requests read one after the other by the same decoder.
  /// Guarantees: nothing of the first is in the second.
  @Test func nextRequest() throws {
    let decoder = OTLPDecoder(names: NameTable(), limits: DecodeLimits())
    func decode(_ log: SampleLog) throws -> DecodedRequest {
      let body = log.protobuf
      return try body.withUnsafeBytes { bytes in
        try decoder.decode(bytes, .logs, encoding: .protobuf, tenant: .standard, now: Sample.now)
      }
    }
    #expect(try decode(scaling).events.count == 1)
    let next = try decode(SampleLog(attributes: [("k8s.event.reason", "ScalingReplicaSet")]))
    #expect(next.events.map(\.name) == [""] && next.events.map(\.uid) == [""])
    #expect(try decode(SampleLog(text: "x")).events.isEmpty)
  }
}
