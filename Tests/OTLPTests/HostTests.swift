import Model
import Testing

@testable import OTLP

/// Whose clock timed a span.
@Suite struct HostTests {
  private func host(_ resource: (String, SampleValue)...) throws -> UInt32 {
    let request = SampleRequest(resource: [("service.name", "a")] + resource)
    let built = try #require(request.build().batch.spans.first?.host)
    #expect(try request.read().batch.spans.first?.host == built, "JSON says the same")
    return built
  }

  /// Scenario: resources with each attribute that names a host, with several, with none, with empty and
  /// numeric ones.
  /// Guarantees: a node goes before a host's id, that before its address, that before its name; the same
  /// text is the same host whatever it stands in; none is 0 and nothing else is.
  @Test func precedence() throws {
    let node = try host(("k8s.node.name", "n"))
    #expect(node != 0)
    #expect(try host(("host.name", "pod-1"), ("k8s.node.name", "n")) == node)
    #expect(try host(("host.id", "x"), ("k8s.node.name", "n"), ("host.ip", "y")) == node)
    #expect(try host(("host.id", "n"), ("host.ip", "y"), ("host.name", "z")) == node)
    #expect(try host(("host.name", "z"), ("host.ip", "n")) == node)
    #expect(try host(("host.name", "n")) == node)
    #expect(try host(("host.id", ""), ("host.name", "n")) == node)
    #expect(try host(("host.name", "other")) != node)
    #expect(try host(("host.ip", .array)) == host(("host.name", "a")))
    #expect(try host(("host.id", 7)) == host(("host.name", "7")))
    #expect(try host() == 0)
    #expect(try host(("host.id", .keyValueList)) == 0)
  }

  /// Scenario: the attributes stand in a span instead.
  /// Guarantees: they are not the clock's owner.
  @Test func ofTheResourceOnly() throws {
    var span = SampleSpan()
    span.attributes = [("host.name", "n")]
    #expect(SampleRequest(spans: [span]).build().batch.spans[0].host == 0)
  }
}
