import Model
import Testing

@testable import OTLP

@Suite struct SpanBuilderTests {
  private func build(_ span: SampleSpan, now: Nanos = Sample.now) -> DecodedRequest {
    SampleRequest(spans: [span]).build(now: now)
  }

  // MARK: Ids

  /// Scenario: ids of wrong length, of zeros, and never given.
  /// Guarantees: that span alone is rejected, for the right reason.
  @Test func ids() {
    #expect(build(SampleSpan(trace: "01")).rejections.counts == [.invalidTraceID: 1])
    #expect(
      build(SampleSpan(trace: String(repeating: "0", count: 32))).rejections.counts
        == [.invalidTraceID: 1])
    #expect(build(SampleSpan(id: "010203040506070809")).rejections.counts == [.invalidSpanID: 1])
    #expect(build(SampleSpan(id: "0000000000000000")).rejections.counts == [.invalidSpanID: 1])
    #expect(build(SampleSpan(parent: "01")).rejections.counts == [.invalidParentSpanID: 1])
    #expect(build(SampleSpan(parent: "0000000000000000")).batch.spans[0].parent == .none)
    var builder = SpanBuilder(names: NameTable(), limits: DecodeLimits())
    builder.begin(tenant: .standard, now: Sample.now)
    builder.beginSpan()
    builder.endSpan()
    #expect(builder.finish().rejections.counts == [.invalidTraceID: 1])
  }

  /// Scenario: a good span among bad ones.
  /// Guarantees: the good ones stay, the bad ones are counted by reason.
  @Test func mixed() {
    let request = SampleRequest(spans: [
      SampleSpan(trace: "01"), SampleSpan(), SampleSpan(id: ""), SampleSpan(trace: ""),
    ]).build()
    #expect(request.batch.count == 1 && request.batch.traces == [Sample.trace])
    #expect(request.rejections.rejectedSpans == 3)
    #expect(request.rejections.counts == [.invalidTraceID: 2, .invalidSpanID: 1])
  }

  // MARK: Time

  /// Scenario: ends of 0, before the start, equal to it, starts of 0, both 0, and the largest.
  /// Guarantees: the duration is never negative, the flag tells, nothing overflows.
  @Test(arguments: [
    (Sample.start, Sample.end, Sample.start, Sample.end, false),
    (Sample.start, 0, Sample.start, Sample.start, true),
    (Sample.start, Sample.start - 1, Sample.start, Sample.start, true),
    (Sample.start, 1, Sample.start, Sample.start, true),
    (Sample.start, Sample.start, Sample.start, Sample.start, false),
    (0, Sample.end, Sample.end, Sample.end, false),
    (1, Sample.end, 1, Sample.end, false),
  ]) func times(start: Nanos, end: Nanos, keptStart: Nanos, keptEnd: Nanos, flag: Bool) {
    let span = build(SampleSpan(start: start, end: end)).batch.spans[0]
    #expect(span.start == keptStart && span.end == keptEnd)
    #expect(span.traits.contains(.endBeforeStart) == flag)
  }

  /// Scenario: no time at all; ends at, before and after the borders of what is accepted; 1970, 2200
  /// and the largest number there is.
  /// Guarantees: rejected by reason, to the nanosecond.
  @Test func timeLimits() {
    func reason(_ start: Nanos, _ end: Nanos, now: Nanos = Sample.now) -> RejectionReason? {
      build(SampleSpan(start: start, end: end), now: now).rejections.counts.keys.first
    }
    let oldest = Sample.now - 14 * .day
    let newest = Sample.now + 10 * .minute
    #expect(reason(0, 0) == .noTimestamps)
    #expect(reason(oldest - 5, oldest) == nil)
    #expect(reason(oldest - 5, oldest - 1) == .endBeforeRetention)
    #expect(reason(Sample.start, newest) == nil)
    #expect(reason(Sample.start, newest + 1) == .endInTheFuture)
    #expect(reason(newest + 1, 0) == .endInTheFuture)
    #expect(reason(1, 2) == .endBeforeRetention)
    #expect(reason(.max, .max) == .endInTheFuture)
    #expect(reason(.max, 0) == .endInTheFuture)
    #expect(reason(1, 2, now: 5) == nil)
    #expect(reason(.max, .max, now: .max) == nil)
  }

  // MARK: Names

  private func names(
    _ resource: [(String, SampleValue)], tenant: TenantID = .standard
  ) -> (service: String?, version: String?, instance: String?) {
    let table = NameTable()
    let span = SampleRequest(resource: resource).build(names: table).batch.spans[0]
    return (
      table.name(span.service)?.text, table.name(span.version)?.text,
      table.name(span.instance)?.text
    )
  }

  /// Scenario: resources with all, some and none of the attributes of identity.
  /// Guarantees: the service is environment, namespace and name; without a name it is
  /// `unknown_service`; the newer environment attribute goes before the older.
  @Test func services() {
    func text(_ environment: String, _ namespace: String, _ name: String) -> String {
      NodeIdentity(environment: environment, namespace: namespace, name: name).text
    }
    #expect(names([]).service == text("", "", "unknown_service"))
    #expect(names([("service.name", "")]).service == text("", "", "unknown_service"))
    #expect(names([("service.name", .array)]).service == text("", "", "unknown_service"))
    #expect(
      names([
        ("service.name", "a"), ("service.namespace", "shop"),
        ("deployment.environment", "old"), ("deployment.environment.name", "prod"),
      ]).service == text("prod", "shop", "a"))
    #expect(
      names([("deployment.environment", "old"), ("service.name", "a")]).service
        == text("old", "", "a"))
    #expect(names([("service.name", "a"), ("service.name", "b")]).service == text("", "", "b"))
    #expect(
      names([("service.name", "a"), ("service.name", "")]).service?.hasSuffix("_service") == true)
    #expect(names([("service.name", "a\u{1F}b\u{0}c")]).service == text("", "", "ab\u{FFFD}c"))
  }

  /// Scenario: versions and instances as text, number, truth value, and in the attributes that stand
  /// in for the instance.
  /// Guarantees: read as text, in the order of precedence, none where none was sent.
  @Test func versionsAndInstances() {
    #expect(names([]).version == nil && names([]).instance == nil)
    #expect(names([("service.version", "v42")]).version == "v42")
    #expect(names([("service.version", 42)]).version == "42")
    #expect(names([("service.version", 42.0)]).version == "42")
    #expect(names([("service.version", 1.5)]).version == "1.5")
    #expect(names([("service.version", true)]).version == "true")
    #expect(names([("service.version", false)]).version == "false")
    #expect(names([("service.version", .keyValueList)]).version == nil)
    #expect(names([("container.image.tag", "v3"), ("k8s.replicaset.name", "a-1")]).version == "v3")
    #expect(names([("container.image.tag", "latest")]).version == nil)
    let moving = [("container.image.tag", "latest"), ("k8s.replicaset.name", "a-1")]
    #expect(names(moving.map { ($0.0, .string($0.1)) }).version == "a-1")
    #expect(names([("service.version", "v4"), ("container.image.tag", "v3")]).version == "v4")
    // The tag is that of the proxy, the replica set that of its workload.
    let proxy = ["service.name": "linkerd-proxy", "container.image.tag": "2.18"]
    #expect(names(proxy.map { ($0.key, .string($0.value)) }).version == nil)
    let all: [(String, SampleValue)] = [
      ("container.id", "c"), ("k8s.pod.name", "p"), ("host.name", "h"),
      ("service.instance.id", "i"),
    ]
    #expect(names(all).instance == "i")
    #expect(names(all.dropLast()).instance == "h")
    #expect(names(all.dropLast(2)).instance == "p")
    #expect(names(all.dropLast(3)).instance == "c")
  }

  /// Scenario: names longer than 256 bytes, of ASCII and of longer characters, and of megabytes.
  /// Guarantees: cut between characters, to at most 256 bytes.
  @Test func longNames() {
    func cut(_ text: String) -> String {
      var name = NameText(Redaction())
      Array(text.utf8).withUnsafeBytes { name.append($0) }
      return String(decoding: name.bytes, as: UTF8.self)
    }
    let a = String(repeating: "a", count: 1_000_000)
    #expect(cut(a) == String(repeating: "a", count: 256))
    #expect(cut(String(a.prefix(256))).utf8.count == 256)
    #expect(cut(String(a.prefix(257))).utf8.count == 256)
    #expect(
      cut("b" + String(repeating: "é", count: 500)) == "b" + String(repeating: "é", count: 127))
    let faces = cut("ab" + String(repeating: "😀", count: 900))
    #expect(faces == "ab" + String(repeating: "😀", count: 63))
    #expect(cut(String(repeating: "\u{1F}", count: 700) + "x") == "x")
  }

  /// Scenario: names with invalid UTF-8, one of them used by several spans.
  /// Guarantees: U+FFFD, accepted, counted in a warning each time.
  @Test func invalidText() {
    let table = NameTable()
    var builder = SpanBuilder(names: table, limits: DecodeLimits())
    let bytes = KeptBytes()
    builder.begin(tenant: .standard, now: Sample.now)
    builder.beginResource()
    builder.endResource()
    for id in ["01", "02"] {
      builder.beginSpan()
      builder.traceID(bytes.keep(bytes: Sample.traceBytes))
      builder.spanID(bytes.keep(hexadecimal: id + "02030405060708"))
      builder.end(Sample.end)
      builder.name(bytes.keep(bytes: [0x61, 0xC3, 0x28]))
      builder.endSpan()
    }
    withExtendedLifetime(bytes) {}
    let request = builder.finish()
    #expect(request.batch.count == 2 && request.rejections.rejectedSpans == 0)
    #expect(table.name(request.batch.spans[0].operation)?.text == "a\u{FFFD}(")
    #expect(request.rejections.message?.hasPrefix("2 names were not valid UTF-8") == true)
  }

  /// Scenario: several spans and resources that share some names.
  /// Guarantees: the batch lists every name in use exactly once, operations per service.
  @Test func batchNames() throws {
    let table = NameTable()
    var builder = SpanBuilder(names: table, limits: DecodeLimits())
    builder.begin(tenant: TenantID(7), now: Sample.now)
    var call = SampleSpan(id: "2222222222222222", kind: 3)
    call.attributes = [("peer.service", "b")]
    for service in ["a", "b", "a"] {
      SampleRequest(
        resource: [
          ("service.name", .string(service)), ("service.version", "v1"), ("host.name", "h"),
        ], spans: [SampleSpan(), call]
      ).hand(to: &builder)
    }
    let batch = builder.finish().batch
    #expect(batch.tenant == TenantID(7) && batch.count == 6)
    var expected: Set<NameID> = []
    for span in batch.spans {
      for id in [span.service, span.version, span.instance, span.operation, span.peer]
      where !id.isNone { expected.insert(id) }
    }
    #expect(Set(batch.names) == expected && batch.names.count == expected.count)
    // Two services with a version, an instance and an operation each, and one peer.
    #expect(batch.names.count == 9)
    for id in batch.names { #expect(table.name(id)?.tenant == TenantID(7)) }
    builder.begin(tenant: .standard, now: Sample.now)
    #expect(builder.finish().batch.isEmpty)
  }

  /// Scenario: more operations than the table tells apart, over and over.
  /// Guarantees: the rest is one overflow name, listed once.
  @Test func overflow() {
    var limits = NameLimits()
    limits.operationsMax = 3
    let table = NameTable(limits: limits)
    let spans = (0..<20).map { SampleSpan(name: "op \($0 % 10)") }
    let batch = SampleRequest(spans: spans).build(names: table).batch
    #expect(Set(batch.spans.map(\.operation)).count == 4)
    #expect(batch.names.count == 5)
    #expect(table.name(batch.spans[9].operation)?.text == Name.overflowText)
  }

  /// Scenario: a later attribute with the same key, also one without a value.
  /// Guarantees: the last one counts.
  @Test func duplicateAttributes() {
    var span = SampleSpan(kind: 3)
    span.attributes = [("error", true), ("error", "false"), ("peer.service", "x")]
    #expect(!build(span).batch.spans[0].isError)
    span.attributes.append(("peer.service", .empty))
    #expect(build(span).batch.spans[0].peer == .none)
  }

  /// Scenario: a builder takes spans back.
  /// Guarantees: batch and counts are as they were at the mark.
  @Test func rewind() {
    var builder = SpanBuilder(names: NameTable(), limits: DecodeLimits())
    builder.begin(tenant: .standard, now: Sample.now)
    SampleRequest(spans: [SampleSpan(), SampleSpan(id: "")]).hand(to: &builder)
    let mark = builder.mark
    SampleRequest(spans: [SampleSpan(), SampleSpan(trace: "")]).hand(to: &builder)
    builder.rejectSpan(.unreadable)
    builder.rewind(to: mark)
    #expect(builder.acceptedSpans == 1)
    #expect(builder.finish().rejections.counts == [.invalidSpanID: 1])
  }
}
