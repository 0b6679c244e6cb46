import Foundation
import Graph
import Markers
import Model
import Testing

/// When the messages came: after everything in them.
private let received = Timestamp.parse("2026-11-23T08:30:00Z") ?? 0

private let language = MarkerReader.Language(
  time: Timestamp.parse, nearest: { _, _ in nil }, written: Timestamp.text)

private func read(
  _ name: String, address: WebhookAddress = WebhookAddress()
) throws -> WebhookReading {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  let file = folder.appending(path: "Fixtures/webhooks/\(name).json")
  let source = try #require(WebhookSource(rawValue: String(name.split(separator: "/")[0])))
  var headers: [String: String] = [:]
  switch name {
  case _ where source == .github: headers["x-github-event"] = "deployment_status"
  case "cdevents/service_deployed":
    headers = [
      "ce-type": "dev.cdevents.service.deployed.0.2.0", "ce-specversion": "1.0",
      "ce-id": "271069a8-fc18-44f1-b38f-9d70a1695819", "ce-source": "/event/source/123",
    ]
  default: break
  }
  let message = WebhookMessage(
    headers: headers, body: try JSONReader.read(Array(try Data(contentsOf: file))),
    received: received, address: address)
  return WebhookReader(language: language).read(message, from: source, tenant: .standard)
}

/// A marker on one line.
private func line(_ marker: Marker) -> String {
  let place = [marker.environment, marker.namespace, marker.service].joined(separator: "/")
  let times = [marker.time, marker.endTime].compactMap(\.self).map(clock).joined(separator: "–")
  let size = marker.scaling.map { "\($0.from.map(String.init) ?? "?")→\($0.to)" } ?? ""
  return [
    marker.kind.rawValue, place, times, marker.state?.rawValue ?? "-", marker.version, size,
    marker.dedupeKey ?? "-",
  ].filter { !$0.isEmpty }.joined(separator: " ")
}

/// `08:04:30`, of the day of the messages.
private func clock(_ time: Nanos) -> String {
  let text = Timestamp.text(time / .second * .second)
  return text.hasPrefix("2026-11-23T") ? String(text.dropFirst(11).dropLast()) : text
}

private let commit = "1dc6aa69429bff4806ad6afe58d3d8f57e25973e"

private let changes: [(String, [String])] = [
  (
    "github/failure",
    [
      "deployment production//cart 08:04:30–08:04:30 failed v7 github:shop/checkout:145988746"
    ]
  ),
  (
    "github/in_progress",
    [
      "deployment production//checkout 08:00:00 in_progress v42 github:shop/checkout:145988746"
    ]
  ),
  (
    "github/success",
    [
      "deployment production//checkout 08:04:30–08:04:30 finished v42 github:shop/checkout:145988746"
    ]
  ),
  (
    "gitlab/feature_flag",
    [
      "feature_flag //checkout 08:30:00 - -"
    ]
  ),
  (
    "gitlab/release",
    [
      "deployment //checkout 08:00:00 - v1.1 gitlab:release:shop/checkout:1"
    ]
  ),
  (
    "gitlab/running",
    [
      "deployment staging//checkout 08:00:00 in_progress 279484c09fbe69ededfced8c1bb6e6d24616b468 gitlab:deployment:shop/checkout:15"
    ]
  ),
  (
    "gitlab/success",
    [
      "deployment staging//checkout 08:03:00–08:03:00 finished 279484c09fbe69ededfced8c1bb6e6d24616b468 gitlab:deployment:shop/checkout:15"
    ]
  ),
  (
    "jenkins/completed",
    [
      "deployment prod//checkout 08:02:00–08:02:00 finished v42 jenkins:job/deploy-checkout/18/"
    ]
  ),
  (
    "jenkins/finalized_failure",
    [
      "deployment prod//checkout 08:02:03–08:02:03 failed v42 jenkins:job/deploy-checkout/18/"
    ]
  ),
  (
    "jenkins/started",
    [
      "deployment prod//checkout 08:00:00 started v42 jenkins:job/deploy-checkout/18/"
    ]
  ),
  (
    "circleci/job_failed",
    [
      "deployment //checkout 08:04:00–08:05:30 failed \(commit) circleci:job-completed:8b91f9a8-7975-4e60-916c-f0152ccbc937"
    ]
  ),
  (
    "circleci/workflow_deploy",
    [
      "deployment //checkout 08:00:03–08:05:34 finished \(commit) circleci:workflow-completed:fda08377-fe7e-46b1-8992-3a7aaecac9c3"
    ]
  ),
  (
    "argocd/degraded",
    [
      "deployment /shop/checkout 08:00:00–08:01:10 failed v42 argocd:shop/checkout:2026-11-23T08:00:00Z"
    ]
  ),
  (
    "argocd/deployed",
    [
      "deployment /shop/checkout 08:00:00–08:01:10 finished v42 argocd:shop/checkout:2026-11-23T08:00:00Z"
    ]
  ),
  (
    "argocd/running",
    [
      "deployment /shop/checkout 08:00:00 in_progress v42 argocd:shop/checkout:2026-11-23T08:00:00Z"
    ]
  ),
  (
    "argo-rollouts/aborted",
    [
      "deployment /shop/checkout 08:30:00–08:30:00 rolled_back v42 argo-rollouts:shop/checkout:7:6fdc54c4"
    ]
  ),
  (
    "argo-rollouts/completed",
    [
      "deployment /shop/checkout 08:30:00–08:30:00 finished v42 argo-rollouts:shop/checkout:7:6fdc54c4"
    ]
  ),
  (
    "argo-rollouts/paused",
    [
      "deployment /shop/checkout 08:30:00 in_progress v42 argo-rollouts:shop/checkout:7:6fdc54c4"
    ]
  ),
  (
    "cdevents/batch",
    [
      "incident prod//checkout 08:00:00 started cdevents:/event/source/123:incident:incident-7",
      "incident prod//checkout 08:00:00–08:00:00 finished cdevents:/event/source/123:incident:incident-7",
    ]
  ),
  (
    "cdevents/service_deployed",
    [
      "deployment prod//checkout 08:00:00–08:00:00 finished v42 cdevents:/event/source/123:271069a8-fc18-44f1-b38f-9d70a1695819"
    ]
  ),
  (
    "cdevents/structured_rolledback",
    [
      "deployment prod//checkout 08:00:00–08:00:00 rolled_back v41 cdevents:/event/source/123:271069a8-fc18-44f1-b38f-9d70a1695820"
    ]
  ),
  (
    "flagger/failed",
    [
      "deployment /shop/checkout 08:05:00–08:05:00 rolled_back v42 flagger:shop/checkout:85d557f47b"
    ]
  ),
  (
    "flagger/progressing",
    [
      "deployment /shop/checkout 08:00:00 in_progress v42 flagger:shop/checkout:85d557f47b"
    ]
  ),
  (
    "flagger/succeeded",
    [
      "deployment /shop/checkout 08:05:00–08:05:00 finished v42 flagger:shop/checkout:85d557f47b"
    ]
  ),
  (
    "kubernetes/autoscaler",
    [
      "scaling /shop/checkout 08:00:00 - ?→13 kubernetes:u-3:2"
    ]
  ),
  (
    "kubernetes/events_v1",
    [
      "scaling /shop/cart 08:10:00 - ?→2 kubernetes:u-4:3"
    ]
  ),
  (
    "kubernetes/list",
    [
      "scaling /shop/mailer 08:00:00 - 0→1 kubernetes:u-5:1",
      "scaling /shop/mailer 08:00:00 - 1→0 kubernetes:u-6:1",
      "infrastructure // 08:00:00 - kubernetes:u-7:1",
    ]
  ),
  (
    "kubernetes/new_replica_set",
    [
      "deployment /shop/checkout 08:00:00 started checkout-5b7f8c9d44 kubernetes:u-2:1"
    ]
  ),
  (
    "kubernetes/scaling_replica_set",
    [
      "scaling /shop/checkout 08:00:00 - 3→5 kubernetes:u-1:1"
    ]
  ),
  (
    "kubernetes/watch",
    [
      "scaling /shop/checkout 08:00:00 - 5→2 kubernetes:u-9:1"
    ]
  ),
  (
    "eventbridge/application_autoscaling",
    [
      "scaling //checkout 08:00:00–08:03:00 finished 5→8 eventbridge:e-7"
    ]
  ),
  (
    "eventbridge/asg_launch_1",
    [
      "scaling //checkout-asg 08:01:00–08:02:10 finished 2→4 eventbridge:123456789012:us-west-2:checkout-asg:launch:2026-11-23T08:00"
    ]
  ),
  (
    "eventbridge/asg_launch_2",
    [
      "scaling //checkout-asg 08:01:00–08:02:40 finished 2→4 eventbridge:123456789012:us-west-2:checkout-asg:launch:2026-11-23T08:00"
    ]
  ),
  (
    "eventbridge/asg_refresh",
    [
      "deployment //checkout-asg 08:02:10–08:02:10 finished eventbridge:checkout-asg:08b91cf7-8fa6-48af-b6a6-d227f40f1b9b"
    ]
  ),
  (
    "eventbridge/asg_terminate",
    [
      "scaling //checkout-asg 08:01:00–08:04:00 finished 4→3 eventbridge:123456789012:us-west-2:checkout-asg:terminate:2026-11-23T08:00"
    ]
  ),
  (
    "eventbridge/ecs_completed",
    [
      "deployment //checkout 08:00:00–08:00:00 finished eventbridge:arn:aws:ecs:us-west-2:123456789012:service/default/checkout:ecs-svc/123"
    ]
  ),
  (
    "eventbridge/ecs_rollback",
    [
      "deployment //checkout 08:00:00–08:00:00 rolled_back eventbridge:arn:aws:ecs:us-west-2:123456789012:service/default/checkout:ecs-svc/124"
    ]
  ),
  (
    "eventbridge/sns_notification",
    [
      "deployment //checkout 08:00:00–08:00:00 failed eventbridge:arn:aws:ecs:us-west-2:123456789012:service/default/checkout:ecs-svc/125"
    ]
  ),
]

private let ignored = [
  ("github/queued", "the state queued changes nothing that runs"),
  ("gitlab/pipeline", "a pipeline is no change"),
  ("jenkins/queued", "the phase QUEUED changes nothing that runs"),
  ("circleci/workflow_tests", "the name build-and-test does not contain deploy"),
  ("cdevents/batch", "the event dev.cdevents.pipelinerun.finished.0.2.0 changes nothing that runs"),
  ("flagger/initialized", "the phase Initialized changes nothing that runs"),
  ("kubernetes/list", "the reason Pulled changes nothing that runs"),
  ("eventbridge/sns_subscription", "a subscription is confirmed by whoever set it up"),
]

@Suite struct WebhookFixtureTests {
  /// Scenario: a message of every kind that tells of a change, as its source documents it.
  /// Guarantees: the marker that it means, with the source's own key.
  @Test(arguments: changes)
  func change(name: String, expected: [String]) throws {
    let reading = try read(name)
    #expect(reading.problems.isEmpty)
    #expect(reading.markers.map(line) == expected)
    for marker in reading.markers {
      #expect(marker.source == String(name.split(separator: "/")[0]))
      #expect(marker.dedupeKey?.hasPrefix(marker.source + ":") ?? true)
    }
  }

  /// Scenario: messages, or parts of them, that tell of no change.
  /// Guarantees: they say why, and are no problem.
  @Test(arguments: ignored)
  func noChange(name: String, reason: String) throws {
    let reading = try read(name)
    #expect(reading.problems.isEmpty)
    #expect(reading.ignored.contains { $0.hasPrefix(reason) }, "\(reading.ignored)")
  }

  /// Scenario: all files there are.
  /// Guarantees: each is in one of the tables above.
  @Test func complete() throws {
    let known = Set(changes.map(\.0) + ignored.map(\.0))
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/webhooks")
    for source in WebhookSource.allCases.map(\.rawValue) {
      let files = try FileManager.default.contentsOfDirectory(
        atPath: folder.appending(path: source).path)
      #expect(!files.isEmpty)
      for file in files { #expect(known.contains("\(source)/\(file.dropLast(5))")) }
    }
  }

  /// Scenario: all that is told of one change, in both orders, each twice.
  /// Guarantees: one marker, with its beginning, its end and how it came out.
  @Test(
    arguments: [
      (["github/in_progress", "github/success"], "08:00:00–08:04:30 finished v42"),
      (["gitlab/running", "gitlab/success"], "08:00:00–08:03:00 finished"),
      (["jenkins/started", "jenkins/completed"], "08:00:00–08:02:00 finished v42"),
      (["argocd/running", "argocd/deployed"], "08:00:00–08:01:10 finished v42"),
      (["argocd/deployed", "argocd/degraded"], "08:00:00–08:01:10 failed v42"),
      (["argo-rollouts/paused", "argo-rollouts/aborted"], "08:30:00–08:30:00 rolled_back v42"),
      (["flagger/progressing", "flagger/failed"], "08:00:00–08:05:00 rolled_back v42"),
      (["cdevents/batch"], "08:00:00–08:00:00 finished"),
      (["eventbridge/asg_launch_1", "eventbridge/asg_launch_2"], "08:01:00–08:02:10 finished 2→4"),
    ])
  func life(names: [String], expected: String) throws {
    let markers = try names.flatMap { try read($0).markers }
    for order in [markers, markers.reversed(), markers + markers] {
      let merged = order.dropFirst().reduce(order[0]) { $0.merged(with: $1) }
      #expect(Set(order.map(\.id)) == [merged.id])
      #expect(line(merged).contains(" \(expected)"), "\(line(merged))")
    }
  }

  /// Scenario: two instances of one group are launched, a third ended.
  /// Guarantees: the launches are one change that names both, told once or twice; the end is another.
  @Test func instances() throws {
    let launches = try ["asg_launch_1", "asg_launch_2", "asg_launch_1"].flatMap {
      try read("eventbridge/\($0)").markers
    }
    let merged = launches.dropFirst().reduce(launches[0]) { $0.merged(with: $1) }
    #expect(merged.attributes.keys.filter { $0.hasPrefix("instance ") }.count == 2)
    #expect(try read("eventbridge/asg_terminate").markers[0].id != merged.id)
  }

  /// Scenario: the address says which service a message is about, and where it runs.
  /// Guarantees: that counts; for another service it is another change; `-` is none.
  @Test func address() throws {
    let cart = WebhookAddress(service: "cart", namespace: "", environment: "prod")
    let marker = try #require(try read("argocd/deployed", address: cart).markers.first)
    #expect(marker.service == "cart" && marker.namespace.isEmpty && marker.environment == "prod")
    let plain = try #require(try read("argocd/deployed").markers.first)
    #expect(marker.id != plain.id)
    let tests = WebhookAddress(match: "TEST")
    #expect(try read("circleci/workflow_tests", address: tests).markers.count == 1)
    #expect(
      try read("circleci/workflow_tests", address: WebhookAddress(match: "x")).markers.isEmpty)
  }
}
