import Model
import Testing

@testable import OTLP

@Suite struct SamplingThresholdTests {
  private func weight(_ text: String) -> UInt32 {
    Array(text.utf8).withUnsafeBytes { SamplingThreshold.weight(traceState: $0) }
  }

  /// Scenario: thresholds of known probabilities, alone and among other entries and fields.
  /// Guarantees: the weight is 256 divided by the probability, rounded.
  @Test(arguments: [
    ("ot=th:0", 256), ("ot=th:8", 512), ("ot=th:c", 1024), ("ot=th:C", 1024),
    ("ot=th:fd70a3d70a3d71", 25_600), ("ot=th:e6666666666668", 2_560),
    ("ot=th:55555555555554", 384), ("ot=th:80000000000000", 512),
    ("rojo=00f067aa0ba902b7, ot=rv:9b8233f7e3a151;th:8 ,congo=t61rcWkgMzE", 512),
    ("ot=th:8;rv:9b8233f7e3a151", 512), ("ot=p:8;th:c;x:y", 1024),
  ]) func known(text: String, expected: UInt32) { #expect(weight(text) == expected) }

  /// Scenario: the smallest probabilities there are.
  /// Guarantees: saturated, not wrapped.
  @Test func saturates() {
    #expect(weight("ot=th:ffffffffffffff") == .max)
    #expect(weight("ot=th:fffffffffffffe") == .max)
    #expect(weight("ot=th:ffffff") == .max)
    #expect(weight("ot=th:fffffe") == 1 << 31)
    #expect(weight("ot=th:fffff0") == 256 << 20)
    #expect(weight("ot=th:fffffd") == 1_431_655_765)
  }

  /// Scenario: no threshold, or a broken one.
  /// Guarantees: the span stands for itself.
  @Test(arguments: [
    "", "ot=", "ot=th:", "ot=th:x", "ot=th:123456789012345", "ot=th:8 8", "th:8", "xot=th:8",
    "other=ot=th:8", "ot=rv:8", ",,,;", "ot=;;th", "ot=th:-8",
  ]) func broken(text: String) { #expect(weight(text) == SpanRecord.weightOne) }

  /// Scenario: a span with a threshold, and one whose threshold does not come.
  /// Guarantees: the record carries the weight, in 1/256ths.
  @Test func inRecord() {
    let spans = [SampleSpan(traceState: "a=b,ot=th:8"), SampleSpan()]
    #expect(SampleRequest(spans: spans).build().batch.spans.map(\.weight) == [512, 256])
  }

  /// Scenario: the power of two older samplers wrote, alone, with a threshold, and out of range.
  /// Guarantees: 2^p spans where there is no threshold; what is unknown counts as itself.
  @Test func powers() {
    func weight(_ state: String) -> UInt32? {
      Array(state.utf8).withUnsafeBytes { SamplingThreshold.weightSaid(in: $0) }
    }
    #expect(weight("ot=p:0") == 256 && weight("ot=p:3;r:5") == 2048)
    #expect(weight("ot=r:5;p:3,x=y") == 2048 && weight("ot=p:24") == .max)
    #expect(weight("ot=p:62") == .max)
    for state in ["ot=p:63", "ot=p:", "ot=p:-1", "ot=p:x", "ot=p:99999999999999999999", "x=p:3"] {
      #expect(weight(state) == nil)
    }
    #expect(weight("ot=p:3;th:8") == 512 && weight("ot=th:zz;p:3") == nil)
  }

  /// Scenario: the attribute of the first SDKs, in every form, beside a threshold and alone.
  /// Guarantees: the threshold wins; nonsense counts as one.
  @Test func probabilityAttribute() {
    func weight(_ value: SampleValue, traceState: String = "") -> UInt32 {
      var span = SampleSpan(traceState: traceState)
      span.attributes = [("sampling.probability", value)]
      return SampleRequest(spans: [span]).build().batch.spans[0].weight
    }
    #expect(weight(0.25) == 1024 && weight("0.25") == 1024 && weight(1) == 256)
    #expect(weight(0.3) == 853 && weight(1e-300) == .max)
    for value: SampleValue in [0, -0.5, 1.5, "nan", "", "x", true, .array, .double(.infinity)] {
      #expect(weight(value) == 256)
    }
    #expect(
      weight(0.25, traceState: "ot=th:8") == 512 && weight(0.25, traceState: "ot=th:0") == 256)
  }
}
