import Model
import Testing

@testable import OTLP

@Suite struct JSONValueTests {
  private func read(_ more: String) throws -> DecodedRequest {
    try SampleRequest.read(
      JSONReaderTests.request(JSONReaderTests.span("0102030405060708", "," + more)))
  }

  private func error(_ more: String) -> DecodeError? {
    SampleRequest.error(
      JSONReaderTests.request(JSONReaderTests.span("0102030405060708", "," + more)))
  }

  // MARK: 64-bit numbers

  /// Scenario: a time as a string, as a number beyond 2^53, with a fraction of zero, an exponent.
  /// Guarantees: all of them mean the same time, to the nanosecond.
  @Test(arguments: [
    #""1699999998201336001""#, "1699999998201336001", "1699999998201336001.0",
    "1699999998201336001.000e0", "1699999998201336.001e3", "16999999982013360010e-1",
    #""1699999998201336001.0""#, #""001699999998201336001""#, #""\u0031699999998201336001""#,
  ]) func exact(text: String) throws {
    let span = try #require(try read(#""startTimeUnixNano":\#(text)"#).batch.spans.first)
    #expect(span.start == 1_699_999_998_201_336_001)
  }

  /// Scenario: numbers at and beyond the ends of 64 bits, fractions, and text that is no number.
  /// Guarantees: read exactly, or nil; never a trap and never a wrong value.
  @Test func wholeNumbers() {
    func number(_ text: String) -> WholeNumber? {
      Array(text.utf8).withUnsafeBytes { WholeNumber($0) }
    }
    #expect(number("18446744073709551615")?.unsigned == .max)
    #expect(number("18446744073709551615")?.signed == nil)
    #expect(number("-9223372036854775808")?.signed == .min)
    #expect(number("9223372036854775807")?.signed == .max)
    #expect(number("-1")?.unsigned == nil)
    #expect(number("-0")?.unsigned == 0 && number("-0.0e5")?.signed == 0)
    #expect(number("1e19")?.unsigned == 10_000_000_000_000_000_000)
    #expect(number("0e999999999999999999999")?.unsigned == 0)
    #expect(number("1500e-2")?.unsigned == 15 && number("1.50E+1")?.unsigned == 15)
    for text in [
      "18446744073709551616", "-9223372036854775809", "1e20", "1e400", "99999999999999999999",
      "1.5", "1e-1", "", "-", ".", "1.e", "e5", "1e", "1e+", "0x10", " 1", "1 ", "+1", "1_0", "NaN",
    ] { #expect(number(text)?.signed == nil, "\(text)") }
  }

  /// Scenario: a JavaScript exporter writes 64-bit numbers as objects of two halves.
  /// Guarantees: 400 with the path to it, not a crash.
  @Test func longObject() throws {
    let good = JSONReaderTests.span()
    let bad = JSONReaderTests.span("01", #","startTimeUnixNano":{"low":1,"high":2}"#)
    let text = JSONReaderTests.request("\(good),\(good),\(bad)")
    let error = try #require(SampleRequest.error(text))
    guard case .malformedJSON(let offset, let path, let reason) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(path == "resourceSpans[0].scopeSpans[0].spans[2].startTimeUnixNano")
    #expect(String(decoding: Array(text.utf8)[offset...].prefix(6), as: UTF8.self) == #"{"low""#)
    #expect(reason.contains("got an object"))
    #expect(error.kind == .malformed)
  }

  /// Scenario: fields of another type than theirs.
  /// Guarantees: 400 that names the field.
  @Test(arguments: [
    #""startTimeUnixNano":"noon""#, #""startTimeUnixNano":-1"#, #""startTimeUnixNano":true"#,
    #""startTimeUnixNano":1e400"#, #""startTimeUnixNano":1.5"#, #""startTimeUnixNano":"""#,
    #""name":5"#, #""traceId":5"#, #""kind":{}"#, #""kind":1.5"#, #""status":[]"#,
    #""status":{"code":[]}"#, #""attributes":{}"#, #""traceState":[]"#,
  ]) func wrongType(member: String) throws {
    let error = try #require(self.error(member))
    let key = member.split(separator: "\"")[0]
    guard case .malformedJSON(_, let path, _) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(path.hasPrefix("resourceSpans[0].scopeSpans[0].spans[0].\(key)"))
    #expect(error.message.contains(path))
  }

  /// Scenario: attribute values of each type, well-formed and not.
  /// Guarantees: integers are exact, doubles may be words, what is malformed is a 400.
  @Test func attributeValues() throws {
    func isError(_ key: String, _ value: String) throws -> Bool {
      try self.read(#""kind":3,"attributes":[{"value":{\#(value)},"key":"\#(key)"}]"#)
        .batch.spans[0].isError
    }
    #expect(try isError("http.status_code", #""intValue":"500""#))
    #expect(try isError("http.status_code", #""intValue":500"#))
    #expect(try isError("http.status_code", #""doubleValue":500"#))
    #expect(try isError("http.status_code", #""doubleValue":"5e2""#))
    #expect(try isError("error", #""boolValue":true"#))
    #expect(try isError("error", #""stringValue":"\u0074rue""#))
    #expect(try !isError("error", #""boolValue":true,"stringValue":"no""#))
    for value in [
      #""doubleValue":"NaN""#, #""doubleValue":"-Infinity""#, #""doubleValue":1e400"#,
      #""bytesValue":"AAE=""#, #""arrayValue":{"values":[{"intValue":{}}]}"#, #""kvlistValue":[]"#,
      "", #""otherValue":500"#, #""intValue":null"#,
    ] { #expect(try !isError("http.status_code", value), "\(value)") }
    for value in [
      #""intValue":9223372036854775808"#, #""intValue":1.5"#, #""intValue":{"low":1,"high":0}"#,
      #""doubleValue":"x""#, #""doubleValue":[]"#, #""boolValue":"true""#, #""boolValue":null0"#,
      #""boolValue":1"#, #""stringValue":1"#,
    ] {
      let error = self.error(#""attributes":[{"key":"a","value":{\#(value)}}]"#)
      #expect(error?.message.contains("spans[0].attributes[0].value") == true, "\(value)")
    }
  }

  // MARK: Enums

  /// Scenario: kind and status code by name, as strings of digits, and as numbers.
  /// Guarantees: names reject that span alone; numbers of any value are read.
  @Test func enums() throws {
    for member in [
      #""kind":"SPAN_KIND_SERVER""#, #""kind":"2""#, #""status":{"code":"STATUS_CODE_ERROR"}"#,
    ] {
      let good = JSONReaderTests.span("2222222222222222")
      let bad = JSONReaderTests.span("1111111111111111", "," + member)
      let request = try SampleRequest.read(JSONReaderTests.request("\(bad),\(good)"))
      #expect(request.batch.spans.map(\.id) == [SpanID(0x2222_2222_2222_2222)])
      #expect(request.rejections.counts == [.enumByName: 1])
      #expect(
        request.rejections.message
          == "1 span rejected: 1 names its kind or status code "
          + "(OTLP/JSON writes enums as numbers)")
    }
    for (number, kind) in [("0", SpanKind.internal), ("2.0", .server), ("99", .internal)] {
      #expect(try read(#""kind":\#(number)"#).batch.spans[0].kind == kind)
    }
    #expect(try read(#""status":{"code":2e0}"#).batch.spans[0].isError)
    #expect(try read(#""status":{"code":-7,"message":"?"}"#).batch.count == 1)
  }

  // MARK: Ids

  /// Scenario: ids in upper, lower and mixed case, with escapes.
  /// Guarantees: they are the same ids.
  @Test func hexadecimal() throws {
    for id in ["ABCDEF0123456789", "abcdef0123456789", #"AbCdEf012345678\u0039"#] {
      let text = JSONReaderTests.request(JSONReaderTests.span(id, #","parentSpanId":"\#(id)""#))
      let span = try #require(SampleRequest.read(text).batch.spans.first)
      #expect(span.id == SpanID(0xABCD_EF01_2345_6789) && span.parent == span.id)
    }
  }

  /// Scenario: ids in base64, of other lengths, of zeros, with letters that are no digits.
  /// Guarantees: that span is rejected for the right reason, base64 with a text that says so.
  @Test(arguments: [
    (#""traceId":"AQIDBAUGBwgJCgsMDQ4PEA==""#, RejectionReason.base64ID),
    (#""traceId":"AQIDBAUGBwgJCgsMDQ4PEA""#, .base64ID),
    (#""spanId":"AQIDBAUGBwg=""#, .base64ID), (#""parentSpanId":"AQIDBAUGBw-""#, .base64ID),
    (#""traceId":"AQIDBAUGBwgJCgsMDQ4PEA=!""#, .invalidTraceID),
    (#""traceId":"01020304-0506-0708-090a-0b0c0d0e0f10""#, .invalidTraceID),
    (#""traceId":"""#, .invalidTraceID), (#""traceId":"0102""#, .invalidTraceID),
    (#""traceId":"00000000000000000000000000000000""#, .invalidTraceID),
    (#""traceId":"0102030405060708090a0b0c0d0e0fxx""#, .invalidTraceID),
    (#""spanId":"0000000000000000""#, .invalidSpanID), (#""spanId":"01""#, .invalidSpanID),
    (#""spanId":"010203040506070\u0000""#, .invalidSpanID),
    (#""parentSpanId":"01""#, .invalidParentSpanID),
    (#""parentSpanId":"010203040506070g""#, .invalidParentSpanID),
  ]) func badID(member: String, reason: RejectionReason) throws {
    let request = try read(member)
    #expect(request.batch.isEmpty)
    #expect(request.rejections.counts == [reason: 1])
    if reason == .base64ID {
      #expect(request.rejections.message?.contains("hex expected, got base64?") == true)
    }
  }

  /// Scenario: the parent's id is empty, zero, or missing.
  /// Guarantees: the span is a root.
  @Test func roots() throws {
    for member in [#""parentSpanId":"""#, #""parentSpanId":"0000000000000000""#, #""x":1"#] {
      #expect(try read(member).batch.spans.map(\.parent) == [.none])
    }
  }

  // MARK: Text

  /// Scenario: names with every escape, with surrogates in pairs and alone, with raw bytes that are
  /// not UTF-8.
  /// Guarantees: escapes are resolved; what is no character becomes U+FFFD; nothing is refused.
  @Test func escapes() throws {
    func name(_ text: [UInt8]) throws -> String? {
      let names = NameTable()
      let bytes =
        Array(#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":""#.utf8) + text
        + Array(
          #"","traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","#.utf8)
        + Array(#""endTimeUnixNano":\#(Sample.end)}]}]}]}"#.utf8)
      let batch = try SampleRequest.read(bytes, names: names).batch
      return batch.spans.first.flatMap { names.name($0.operation) }?.text
    }
    func name(_ text: String) throws -> String? { try name(Array(text.utf8)) }
    #expect(try name(#"a\"\\\/\b\f\n\r\t\u00e9\u20AC"#) == "a\"\\/\u{8}\u{C}\n\r\té€")
    #expect(try name(#"\ud83d\ude00!"#) == "😀!")
    #expect(try name(#"\ud800"#) == "\u{FFFD}")
    #expect(try name(#"\ud800\ud83d\ude00"#) == "\u{FFFD}😀")
    #expect(try name(#"\udc00\ud800x\ud800\n"#) == "\u{FFFD}\u{FFFD}x\u{FFFD}\n")
    #expect(try name(#"a\u0000b\u001fc"#) == "a\u{FFFD}bc")
    #expect(try name([0x61, 0xFF, 0x62]) == "a\u{FFFD}b")
    #expect(try name("żółw 亀") == "żółw 亀")
  }

  /// Scenario: one span has so many escaped texts that they fill several chunks.
  /// Guarantees: all of them stay readable until the span ends.
  @Test func manyEscapes() throws {
    let filler = (0..<500).map {
      #"{"key":"k\u0065y\#($0)","value":{"stringValue":"\n\#(String(repeating: "x", count: 100))"}}"#
    }.joined(separator: ",")
    let peer = #"{"key":"peer\u002eservice","value":{"stringValue":"p\u0061yments"}}"#
    let names = NameTable()
    let text = JSONReaderTests.request(
      JSONReaderTests.span(
        "0102030405060708", #","kind":3,"name":"\u0047ET","attributes":[\#(peer),\#(filler)]"#))
    let span = try #require(SampleRequest.read(text, names: names).batch.spans.first)
    #expect(names.name(span.peer)?.text == NodeIdentity(name: "payments").text)
    #expect(names.name(span.operation)?.text == "GET")
  }
}
