import Foundation
import Model
import TestSupport
import Testing

@testable import OTLP

/// Events of Kubernetes as the Collector's `k8sobjectsreceiver` sends them: the body is the object.
@Suite struct KubernetesObjectTests {
  private typealias Members = [(String, SampleValue)]

  private func object(_ about: String = "involvedObject", kind: String = "Event") -> Members {
    [
      ("apiVersion", "v1"), ("kind", .string(kind)), ("reason", "ScalingReplicaSet"),
      ("message", "Scaled up replica set checkout-7d9 to 3 from 0"), ("type", "Normal"),
      ("count", 2), ("eventTime", .empty), ("lastTimestamp", "2023-11-14T22:13:18Z"),
      ("source", .members([("component", "deployment-controller")])),
      (
        about,
        .members([
          ("kind", "Deployment"), ("namespace", "shop"), ("name", "checkout"), ("uid", "d-1"),
        ])
      ),
      (
        "metadata",
        .members([
          ("name", "checkout.17a"), ("uid", "e-1"), ("managedFields", .array),
          ("labels", .members([("uid", "no uid")])),
        ])
      ),
    ]
  }

  private func log(_ members: Members, _ attributes: Members? = nil) -> SampleLog {
    SampleLog(
      resource: [("k8s.namespace.name", "shop")], time: 0, observedTime: Sample.start,
      attributes: attributes ?? [("k8s.resource.name", "events")], members: members)
  }

  private func watched(_ type: String, _ object: Members) -> SampleLog {
    log(
      [("type", .string(type)), ("object", .members(object))],
      [
        ("k8s.resource.name", "events"), ("event.domain", "k8s"), ("event.name", "checkout.17a"),
      ])
  }

  private func expected(_ about: String = "involvedObject") -> KubernetesEventRecord {
    var object = KubernetesObject()
    object.values = [
      "kind": .text("Event"), "reason": .text("ScalingReplicaSet"), "count": .number(2),
      "message": .text("Scaled up replica set checkout-7d9 to 3 from 0"),
      "lastTimestamp": .text("2023-11-14T22:13:18Z"),
    ]
    object.parts = [
      "metadata": ["uid": .text("e-1")],
      about: ["kind": .text("Deployment"), "namespace": .text("shop"), "name": .text("checkout")],
    ]
    var event = KubernetesEventRecord()
    event.object = object
    event.time = Sample.start
    return event
  }

  /// Scenario: an event that was pulled, one that a watch saw come and one that it saw change, the latter
  /// with its object before its type; one of events.k8s.io.
  /// Guarantees: the same of all, and the same as protobuf and as JSON: what markers are made of, and
  /// nothing that lies elsewhere under a like name.
  @Test(arguments: [OTLPEncoding.protobuf, .json])
  func event(encoding: OTLPEncoding) throws {
    var modified = watched("MODIFIED", object())
    modified.members.reverse()
    for log in [log(object()), watched("ADDED", object()), modified] {
      let decoded = try log.decode(encoding)
      #expect(decoded.events == [expected()])
      #expect(decoded.batch.isEmpty && decoded.ignored.isEmpty)
      #expect(decoded.rejections.counts.isEmpty)
    }
    let newer = try watched("ADDED", object("regarding")).decode(encoding)
    #expect(newer.events == [expected("regarding")])
  }

  /// Scenario: an event that a watch saw go, in the body's words and in those of an attribute; a pod; an
  /// object that says it is no event; an event without a reason; records of other receivers.
  /// Guarantees: none is an event; objects are counted as such, everything else as ever.
  @Test(arguments: [OTLPEncoding.protobuf, .json])
  func noEvents(encoding: OTLPEncoding) throws {
    let gone: Members = [("k8s.resource.name", "events"), ("event.type", "DELETED")]
    let logs = [
      watched("DELETED", object()), log(object(), gone),
      log(object(), [("k8s.resource.name", "pods")]), log(object(kind: "Pod")),
      log([("kind", "Event"), ("involvedObject", .members([("name", "checkout")]))]),
      log([("object", "no list"), ("metadata", "no list")]),
      log([("reason", .members([("reason", "ScalingReplicaSet")]))]),
    ]
    for log in logs {
      let decoded = try log.decode(encoding)
      #expect(decoded.events.isEmpty && decoded.batch.isEmpty)
      #expect(decoded.ignored == [.object: 1])
    }
    let other = try log(object(), []).decode(encoding)
    #expect(other.events.isEmpty && other.ignored == [.unrecognized: 1])
    var access = object()
    access.append(("response_code", 200))
    let traffic = try log(access).decode(encoding)
    #expect(traffic.events.isEmpty && traffic.batch.count == 1)
  }

  /// Scenario: a watch's object beside members of an event, in either order; a part sent twice.
  /// Guarantees: what is wrapped counts alone; of two parts the last counts whole.
  @Test(arguments: [OTLPEncoding.protobuf, .json])
  func repeated(encoding: OTLPEncoding) throws {
    let stray: Members = [
      ("reason", "Pulled"), ("series", .members([("count", 9)])), ("deprecatedCount", 8),
    ]
    var log = watched("ADDED", object())
    log.members = stray + log.members + stray
    #expect(try log.decode(encoding).events == [expected()])
    let twice: Members = [
      ("metadata", .members([("uid", "e-0"), ("creationTimestamp", "2023-11-14T22:00:00Z")]))
    ]
    #expect(try self.log(twice + object()).decode(encoding).events == [expected()])
  }

  /// Scenario: a text far longer than any of Kubernetes, and lists as deep as a request may nest.
  /// Guarantees: only so much of the text is kept; what lies deeper than a part is passed over.
  @Test(arguments: [OTLPEncoding.protobuf, .json])
  func bounds(encoding: OTLPEncoding) throws {
    let long = String(repeating: "x", count: KubernetesObject.textBytesMax + 1)
    var deep = SampleValue.string("end")
    for _ in 0..<10 { deep = .members([("object", .members([("metadata", deep)]))]) }
    let members: Members = [
      ("reason", "Pulled"), ("message", .string(long)), ("metadata", deep), ("object", deep),
      ("object", .members([("reason", "Pulled"), ("message", .string(long)), ("object", deep)])),
    ]
    var limits = DecodeLimits()
    limits.depthMax = 200
    let decoded = try log(members).decode(encoding, limits: limits)
    let text = String(long.dropLast())
    #expect(
      decoded.events.first?.object?.values == ["reason": .text("Pulled"), "message": .text(text)])
    #expect(decoded.events.first?.object?.parts.isEmpty == true)
  }

  /// Scenario: JSON whose values stand before their keys, with nulls and unknown members in between, and
  /// escapes in a key.
  /// Guarantees: read as in the usual order.
  @Test func valueBeforeKey() throws {
    let body = #"""
      {"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"kvlistValue":{"x":[{}],"values":[
      null,{"value":{"kvlistValue":{"values":[{"value":{"stringValue":"e-1"},"key":"uid"}],
      "values":null}},"key":"metad\u0061ta"},{"value":{"kvlistValue":{}},"key":"series"},
      {"value":{"kvlistValue":{"values":[{"key":"name","value":{"stringValue":"checkout"}}]}},
      "key":"regarding"},{"key":"reason","value":{"stringValue":"Pul\u006ced"}}]}},
      "observedTimeUnixNano":"1","attributes":[
      {"key":"k8s.resource.name","value":{"stringValue":"events"}}]}]}]}]}
      """#
    let decoded = try SampleLog.decode(Array(body.utf8), .json)
    let object = try #require(decoded.events.first?.object)
    #expect(object.values == ["reason": .text("Pulled")])
    #expect(
      object.parts == ["metadata": ["uid": .text("e-1")], "regarding": ["name": .text("checkout")]])
  }

  /// Scenario: what the receiver sends in each of its modes, as its source shows it.
  /// Guarantees: events are read; what was deleted, and a namespace, are counted.
  @Test func fixture() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/kubernetes-events/k8sobjectsreceiver.json")
    let body = try String(contentsOf: file, encoding: .utf8)
      .replacing("NOW000000000", with: "\(Sample.start)")
      .replacing("TIME", with: "2023-11-14T22:13:18Z")
    let decoded = try SampleLog.decode(Array(body.utf8), .json)
    let objects = decoded.events.compactMap(\.object)
    #expect(
      objects.map { $0.values["reason"] } == [
        .text("ScalingReplicaSet"), .text("SuccessfulRescale"), .text("SuccessfulRescale"),
        .text("Pulled"), .text("ScalingReplicaSet"),
      ])
    #expect(objects[1].values["message"] == objects[2].values["note"])
    #expect(objects[1].parts["involvedObject"] == objects[2].parts["regarding"])
    #expect(objects[1].parts["metadata"]?["uid"] == objects[2].parts["metadata"]?["uid"])
    #expect(decoded.ignored == [.object: 3] && decoded.events.count == 5)
  }

  /// Scenario: an event, then one that says less, then a record of another sort, in one decoder.
  /// Guarantees: nothing of one is in the next.
  @Test func nextRecord() throws {
    let decoder = OTLPDecoder(names: NameTable(), limits: DecodeLimits())
    func decode(_ log: SampleLog) throws -> DecodedRequest {
      let body = log.protobuf
      return try body.withUnsafeBytes { bytes in
        try decoder.decode(bytes, .logs, encoding: .protobuf, tenant: .standard, now: Sample.now)
      }
    }
    #expect(try decode(watched("DELETED", object())).events.isEmpty)
    let bare = try decode(log([("reason", "Pulled")]))
    #expect(bare.events.first?.object?.values == ["reason": .text("Pulled")])
    #expect(bare.events.first?.object?.parts == [:])
    #expect(try decode(log([("x", "y")])).ignored == [.object: 1])
  }
}
