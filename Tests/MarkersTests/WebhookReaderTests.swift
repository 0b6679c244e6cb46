import Graph
import Markers
import Model
import TestSupport
import Testing

private let now: Nanos = 1_790_000_000 * .second

private let reader = WebhookReader(
  language: MarkerReader.Language(
    time: Timestamp.parse, nearest: { _, _ in nil }, written: Timestamp.text))

private func read(
  _ text: String, from source: WebhookSource, headers: [String: String] = [:],
  address: WebhookAddress = WebhookAddress()
) throws -> WebhookReading {
  let message = WebhookMessage(
    headers: headers, body: try JSONReader.read(Array(text.utf8)), received: now, address: address)
  return reader.read(message, from: source, tenant: .standard)
}

private func flagger(_ name: String, timestamp: String) -> String {
  #"{"name": "\#(name)", "namespace": "shop", "phase": "Succeeded", "checksum": "c", "#
    + #""metadata": {"timestamp": "\#(timestamp)"}}"#
}

@Suite struct WebhookReaderTests {
  /// Scenario: messages without what makes them a change.
  /// Guarantees: a problem that names the field; no marker.
  @Test(
    arguments: [
      (WebhookSource.github, "{}", "deployment"),
      (
        .gitlab,
        #"{"object_kind": "deployment", "#
          + #""status": "success"}"#, "deployment_id"
      ),
      (.gitlab, #"{"object_kind": "feature_flag"}"#, "object_attributes"),
      (.jenkins, "[]", "build"),
      (.circleci, #"{"type": "job-completed"}"#, "id"), (.argocd, "{}", "app"),
      (.argoRollouts, "7", "rollout"), (.cdevents, "{}", "type"), (.flagger, "null", "name"),
      (.kubernetes, #"{"kind": "Pod"}"#, "involvedObject"), (.eventbridge, "{}", "detail"),
      (.eventbridge, #"{"Type": "Notification", "Message": "hello"}"#, "Message"),
      (
        .kubernetes,
        #"{"involvedObject": {"name": "a"}, "reason": "SuccessfulRescale", "message": "soon"}"#,
        "message"
      ),
    ])
  func wrong(source: WebhookSource, body: String, field: String) throws {
    let headers = ["x-github-event": "deployment_status"]
    let reading = try read(body, from: source, headers: headers)
    #expect(reading.markers.isEmpty)
    #expect(reading.problems.map(\.field) == [field])
  }

  /// Scenario: a message that names no service, without and with one in the address.
  /// Guarantees: a problem that says what to do; then a marker.
  @Test func withoutService() throws {
    let body = #"{"object_kind": "release", "action": "create", "tag": "v1", "project": {}}"#
    #expect(try read(body, from: .gitlab).problems.map(\.field) == ["service"])
    let address = WebhookAddress(service: "checkout")
    #expect(try read(body, from: .gitlab, address: address).markers.map(\.service) == ["checkout"])
  }

  /// Scenario: clocks that are ahead by nine minutes and by an hour, behind by an hour, or show no time
  /// at all.
  /// Guarantees: what is ahead by more than ten minutes is refused with both times; what is behind is
  /// taken as it is; what shows none happened when it came.
  @Test func clocks() throws {
    func at(_ nanos: Nanos) throws -> WebhookReading {
      try read(flagger("a", timestamp: "\(nanos / .millisecond)"), from: .flagger)
    }
    #expect(try at(now + 9 * .minute).markers.map(\.time) == [now + 9 * .minute])
    let ahead = try at(now + .hour)
    #expect(ahead.markers.isEmpty)
    #expect(ahead.problems.first?.message.contains(Timestamp.text(now)) == true)
    #expect(try at(now - .hour).markers.map(\.time) == [now - .hour])
    let late = """
      {"app": "a", "phase": "Succeeded", "startedAt": "\(Timestamp.text(now))",
       "finishedAt": "\(Timestamp.text(now + .hour))"}
      """
    #expect(try read(late, from: .argocd).problems.map(\.field) == ["end_time"])
    let protection = try read(
      "{}", from: .github, headers: ["x-github-event": "deployment_protection_rule"])
    #expect(protection.ignored.first?.contains("asks for an answer") == true)
    for text in ["0001-01-01T00:00:00Z", "", "soon"] {
      let reading = try read(flagger("a", timestamp: text), from: .flagger)
      #expect(reading.markers.map(\.time) == [now])
      #expect(reading.markers.map(\.endTime) == [now])
    }
  }

  /// Scenario: texts longer than a marker's, with line breaks, and an address that is none.
  /// Guarantees: they are cut between characters; a change that cannot be told from others is refused.
  @Test func long() throws {
    let long = String(repeating: "é", count: 300)
    let job = #"{"name": "\#(long)", "build": {"phase": "STARTED", "url": "job/7/"}}"#
    let marker = try #require(try read(job, from: .jenkins).markers.first)
    #expect(marker.service == String(repeating: "é", count: 128))
    let key =
      #"{"name": "a", "phase": "Failed", "checksum": "\#(String(repeating: "x", count: 600))"}"#
    #expect(try read(key, from: .flagger).problems.map(\.field) == ["dedupe_key"])
    let jenkins = #"{"name": "a\nb", "build": {"phase": "STARTED", "full_url": "javascript:x"}}"#
    let build = try #require(try read(jenkins, from: .jenkins).markers.first)
    #expect(build.service == "a b" && build.url.isEmpty)
  }

  /// Scenario: more events in one message than are read, some of them wrong.
  /// Guarantees: the others are taken; what is wrong is told, each thing once.
  @Test func many() throws {
    let good =
      #"{"involvedObject": {"name": "a"}, "reason": "SuccessfulRescale", "#
      + #""message": "New size: 2; reason: x", "metadata": {"uid": "UID"}}"#
    let events = (0..<1_200).map { $0 % 2 == 0 ? good.replacing("UID", with: "\($0)") : "{}" }
    let reading = try read("[\(events.joined(separator: ","))]", from: .kubernetes)
    #expect(reading.markers.count == 500)
    #expect(reading.problems.map(\.field) == ["items", "involvedObject"])
  }

  /// Scenario: an event of Kubernetes as the Collector's receiver writes it into a log record, and the
  /// same event posted.
  /// Guarantees: the same marker.
  @Test func logRecord() throws {
    let message = "New size: 4; reason: cpu resource utilization above target"
    let event = try #require(
      KubernetesEvent(
        body: message,
        attributes: [
          "k8s.event.reason": .text("SuccessfulRescale"), "k8s.event.uid": .text("u"),
          "k8s.event.count": .integer(2), "k8s.namespace.name": .text("shop"),
        ],
        resource: [
          "k8s.object.kind": .text("HorizontalPodAutoscaler"), "k8s.object.name": .text("cart"),
        ], time: .text("2026-09-21T13:00:00Z")))
    let posted = """
      {"kind": "Event", "metadata": {"uid": "u"}, "count": 2, "reason": "SuccessfulRescale",
       "lastTimestamp": "2026-09-21T13:00:00Z", "message": "\(message)",
       "involvedObject": {"kind": "HorizontalPodAutoscaler", "namespace": "shop", "name": "cart"}}
      """
    let logged = reader.read(event, received: now, tenant: .standard)
    #expect(logged.markers.count == 1)
    #expect(try read(posted, from: .kubernetes).markers == logged.markers)
    #expect(KubernetesEvent(body: "x", attributes: [:], resource: [:], time: .null) == nil)
  }

  /// Scenario: a package URL in its forms.
  /// Guarantees: the tag, else what stands after `@`.
  @Test func packageURL() throws {
    for (artifact, version) in [
      ("pkg:oci/a@sha256%3Aff?repository_url=r&tag=v1", "v1"), ("pkg:npm/%40x/a@1.2.3", "1.2.3"),
      ("pkg:golang/x/a@v1%2B2#sub", "v1+2"), ("pkg:npm/a", ""), ("a@1", ""),
      ("pkg:npm/a@%zz", "%zz"),
    ] {
      let body = """
        {"context": {"type": "dev.cdevents.service.deployed.0.1.0", "id": "1", "source": "s"},
         "subject": {"id": "a", "content": {"artifactId": "\(artifact)"}}}
        """
      #expect(try read(body, from: .cdevents).markers.map(\.version) == [version])
    }
  }

  /// Scenario: random values under the keys sources use, nested at random, to every source.
  /// Guarantees: no crash, and what becomes a marker keeps every limit.
  @Test func random() {
    var generator = SeededGenerator()
    let keys = [
      "deployment_status", "deployment", "state", "id", "sha", "object_kind", "project", "status",
      "build", "phase", "name", "workflow", "type", "pipeline", "vcs", "app", "images", "rollout",
      "context", "subject", "content", "artifactId", "checksum", "metadata", "timestamp", "items",
      "involvedObject", "reason", "message", "detail", "detail-type", "resources", "time", "Type",
      "repository", "full_name", "deploymentId", "eventName", "AutoScalingGroupName",
    ]
    let texts = [
      "success", "deployment", "STARTED", "workflow-completed", "Succeeded", "Progressing",
      "dev.cdevents.service.deployed.0.1.0", "ScalingReplicaSet", "Scaled up replica set a to 5",
      "New size: 99999999999999999999; reason: ", "ECS Deployment State Change", "", "a:b@c?tag=",
      "2026-11-23 10:00:00 +0200", "arn:x:service/a", "SERVICE_DEPLOYMENT_FAILED", "pkg:a@%",
      "EC2 Instance Launch Successful", "\u{1}\u{0}é", "0001-01-01T00:00:00Z", "deploy",
    ]
    func value(_ depth: Int) -> JSONValue {
      switch generator.below(depth > 3 ? 4 : 9) {
      case 0: return .integer(Int64(bitPattern: generator.next()))
      case 1: return .null
      case 2, 3: return .text(texts[generator.below(texts.count)])
      case 4: return .array((0..<generator.below(4)).map { _ in value(depth + 1) })
      default:
        var members: [String: JSONValue] = [:]
        for _ in 0..<generator.below(14) {
          members[keys[generator.below(keys.count)]] = value(depth + 1)
        }
        return .object(members)
      }
    }
    for _ in 0..<1_000 {
      let message = WebhookMessage(
        headers: ["x-github-event": "deployment_status"], body: value(0), received: now)
      for source in WebhookSource.allCases {
        for marker in reader.read(message, from: source, tenant: .standard).markers {
          #expect(marker.service.utf8.count <= 256 && marker.attributes.count <= 64)
          #expect((marker.endTime != nil) == (marker.state?.isOver == true))
          #expect(!marker.service.isEmpty || !marker.kind.needsService)
        }
      }
    }
  }
}
