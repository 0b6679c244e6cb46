import Model
import Testing

@testable import OTLP

/// What requests are told apart by, besides who took them.
@Suite struct DimensionTests {
  private typealias Attributes = [(String, SampleValue)]

  private func decode(
    _ resource: Attributes, _ spans: [Attributes] = [[]], chosen: [String] = [],
    names: NameTable = NameTable()
  ) -> SpanBatch {
    var rules = DecodeRules()
    rules.dimensionAttributes = chosen
    var builder = SpanBuilder(names: names, limits: DecodeLimits(), rules: rules)
    let spans = spans.enumerated().map { index, attributes in
      var span = SampleSpan(id: "000000000000000\(index + 1)", kind: 2)
      span.attributes = attributes
      return span
    }
    return SampleRequest(resource: [("service.name", "a")] + resource, spans: spans)
      .build(with: &builder).batch
  }

  /// The texts of the spans' dimensions; nil where there are none. Each is listed with the batch.
  private func texts(
    _ resource: Attributes, _ spans: [Attributes] = [[]], chosen: [String] = []
  ) -> [String?] {
    let names = NameTable()
    let batch = decode(resource, spans, chosen: chosen, names: names)
    return batch.spans.map { span in
      #expect(span.dimensions.isNone || batch.names.contains(span.dimensions))
      return names.name(span.dimensions).map { name in
        #expect(name.kind == .dimensions && Dimensions(text: name.text).text == name.text)
        return name.text.replacing("\u{1F}", with: "|")
      }
    }
  }

  private static let cluster = ("k8s.cluster.name", "eu-1" as SampleValue)

  /// Scenario: a resource with and without a cluster, and nothing chosen.
  /// Guarantees: the cluster is always told apart; nothing else is.
  @Test func cluster() {
    #expect(texts([Self.cluster]) == ["k8s.cluster.name=eu-1"])
    #expect(texts([]) == [nil])
    #expect(texts([("k8s.cluster.name", "")]) == [nil])
    #expect(texts([], [[Self.cluster]]) == [nil])
    #expect(texts([Self.cluster, ("region", "eu")]) == ["k8s.cluster.name=eu-1"])
  }

  /// Scenario: attributes are chosen; the resource has some, spans have others or the same.
  /// Guarantees: sorted pairs of both; the span's value wins, for itself alone; numbers are text.
  @Test func chosen() {
    let chosen = ["tier", "region", "k8s.cluster.name"]
    #expect(
      texts(
        [Self.cluster, ("region", "eu"), ("tier", 1)],
        [[], [("region", "us")], [("tier", "")], [("other", "x")], [("tier", .array)]],
        chosen: chosen) == [
          "k8s.cluster.name=eu-1|region=eu|tier=1", "k8s.cluster.name=eu-1|region=us|tier=1",
          "k8s.cluster.name=eu-1|region=eu|tier=1", "k8s.cluster.name=eu-1|region=eu|tier=1",
          "k8s.cluster.name=eu-1|region=eu|tier=1",
        ])
    #expect(
      texts([], [[("region", "us")], [], [Self.cluster]], chosen: chosen)
        == ["region=us", nil, nil])
    #expect(texts([("region", "a\u{1F}=b")], chosen: chosen) == ["region=a=b"])
  }

  /// Scenario: a mesh's proxies name their cluster, in spans, beside and without the resource's.
  /// Guarantees: it is the cluster where the resource names none; no value and Istio's word for a
  /// cluster nobody named are none.
  @Test func mesh() {
    let mesh: Attributes = [("istio.cluster_id", "us-2")]
    #expect(texts([], [mesh, []]) == ["k8s.cluster.name=us-2", nil])
    #expect(texts([Self.cluster], [mesh]) == ["k8s.cluster.name=eu-1"])
    for value: SampleValue in ["Kubernetes", "-", "unknown", ""] {
      #expect(texts([], [[("istio.cluster_id", value)]]) == [nil])
    }
  }

  /// Scenario: a value of ten thousand characters; one value more than there is room for.
  /// Guarantees: it is cut; the span says that its dimensions are summed under overflow.
  @Test func bounds() throws {
    let long = texts([("k8s.cluster.name", .string(String(repeating: "x", count: 10_000)))])
    #expect(long == ["k8s.cluster.name=" + String(repeating: "x", count: NameText.bytesMax)])
    var limits = NameLimits()
    limits.dimensionsMax = 2
    let names = NameTable(limits: limits)
    let spans = decode(
      [], ["a", "b", "c", "a"].map { [("region", .string($0))] }, chosen: ["region"],
      names: names
    ).spans
    #expect(
      spans.map { $0.traits.contains(.overflow(.dimensions)) } == [false, false, true, false])
    #expect(names.name(spans[2].dimensions)?.text == Name.overflowText)
    let resource = decode([("region", "d")], [[], []], chosen: ["region"], names: names).spans
    #expect(resource.allSatisfy { $0.traits.contains(.overflow(.dimensions)) })
    #expect(decode([], [[]], names: names).spans[0].traits.isDisjoint(with: .anyOverflow))
  }
}
