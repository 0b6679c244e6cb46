import Model
import Testing

@testable import FlowLogs

/// The examples of the documentation.
/// - Source: docs.aws.amazon.com/vpc/latest/userguide/flow-logs-records-examples.html.
@Suite struct FlowLogLineTests {
  private static let interface = "eni-1235b8ca123456789"
  private static let account = "123456789010"

  private func line(
    _ text: String, _ names: String? = nil
  ) throws(FlowLogLine.Malformed) -> FlowLogLine {
    let format = names.map { FlowLogFormat($0.split(separator: " ").map(String.init)) }
    return try FlowLogLine(Array(text.utf8).split(separator: 0x20), format ?? .standard)
  }

  private func record(_ text: String, _ names: String? = nil) -> FlowLogLine.Record? {
    guard case .record(let record)? = try? line(text, names) else { return nil }
    return record
  }

  private func reason(_ text: String, _ names: String? = nil) -> String? {
    refusal(text, names)?.reason
  }

  private func refusal(_ text: String, _ names: String? = nil) -> FlowLogLine.Malformed? {
    do throws(FlowLogLine.Malformed) {
      _ = try line(text, names)
      return nil
    } catch { return error }
  }

  /// Scenario: the documented lines in the default format: SSH let through, RDP rejected, SSH over IPv6.
  /// Guarantees: who called whom, the bytes, the time; what was rejected is no traffic.
  @Test func documentedLines() throws {
    let standard = "2 \(FlowLogLineTests.account) \(FlowLogLineTests.interface)"
    #expect(
      record(
        "\(standard) 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK")
        == .init(
          client: "172.31.16.139", server: "172.31.16.21", start: 1_418_530_010 * .second,
          end: 1_418_530_070 * .second, bytes: 4249, recordedBy: .unknown))
    let rejected =
      "\(standard) 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK"
    #expect(try line(rejected) == .skipped(.rejectedFlow))
    let six = record(
      "\(standard) 2001:db8:1234:a100:8d6e:3477:df66:f105 2001:DB8:1234:a102:3304:8879:34cf:4071 "
        + "34892 22 6 54 8855 1477913708 1477913820 ACCEPT OK")
    #expect(six?.client == "2001:db8:1234:a100:8d6e:3477:df66:f105")
    #expect(six?.server == "2001:db8:1234:a102:3304:8879:34cf:4071" && six?.bytes == 8855)
  }

  /// Scenario: the documented lines of intervals without data and with records left out; a line that names
  /// nobody.
  /// Guarantees: skipped, not rejected, each for its own reason.
  @Test(arguments: [("NODATA", FlowLogSummary.Skip.noData), ("SKIPDATA", .skippedData)])
  func intervalsWithoutData(status: String, reason: FlowLogSummary.Skip) throws {
    let text = "2 123456789010 eni-1 - - - - - - - 1431280876 1431280934 - \(status)"
    #expect(try line(text) == .skipped(reason))
    #expect(try line("- - 1431280876", "srcaddr dstaddr end") == .skipped(.noAddress))
  }

  /// Scenario: a connection as documented for a format with TCP flags: the SYN, and what came back.
  /// Guarantees: both lines are of the same client and server.
  @Test func flagsTellWhoBegan() {
    let names =
      "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport "
      + "dstport pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status"
    let head = "3 vpc-1 subnet-1 i-1 eni-1 123456789010 IPv4"
    let times = "1566848875 1566848933 ACCEPT"
    let asked = record(
      "\(head) 52.213.180.42 10.0.0.62 43416 5001 52.213.180.42 10.0.0.62 6 568 8 \(times) 2 OK",
      names)
    let answered = record(
      "\(head) 10.0.0.62 52.213.180.42 5001 43416 10.0.0.62 52.213.180.42 6 376 7 \(times) 18 OK",
      names)
    #expect(asked?.client == "52.213.180.42" && asked?.server == "10.0.0.62")
    #expect(answered?.client == asked?.client && answered?.server == asked?.server)
    #expect(asked?.bytes == 568 && answered?.bytes == 376)
    // Ports alone would have said the opposite.
    let upside = record(
      "10.0.0.1 10.0.0.2 80 50000 2 9", "srcaddr dstaddr srcport dstport tcp-flags end")
    #expect(upside?.client == "10.0.0.1")
  }

  /// Scenario: lines without flags, by their ports.
  /// Guarantees: the lower port is the server; of equal ones, and without any, who sends is the client.
  @Test(
    arguments: [
      ("50000 443", "a"), ("443 50000", "b"), ("53 53", "a"), ("0 0", "a"), ("- -", "a"),
      ("0 8080", "a"),
    ]) func portsTellWhoCalled(ports: String, client: String)
  {
    let addresses = ["a": "10.0.0.1", "b": "10.0.0.2"]
    let found = record("10.0.0.1 10.0.0.2 \(ports) 9", "srcaddr dstaddr srcport dstport end")
    #expect(found?.client == addresses[client])
  }

  /// Scenario: lines with a direction, of what was asked and what came back; through a NAT gateway, whose
  /// interface is neither end.
  /// Guarantees: at which end a line was recorded; the packet's own addresses name the ends.
  @Test func directionTellsTheEnd() {
    let names = "srcaddr dstaddr srcport dstport flow-direction end"
    let ends: [(String, TrafficEnd)] = [
      ("10.0.0.1 10.0.0.2 50000 443 egress 9", .client),
      ("10.0.0.1 10.0.0.2 50000 443 ingress 9", .server),
      ("10.0.0.2 10.0.0.1 443 50000 egress 9", .server),
      ("10.0.0.2 10.0.0.1 443 50000 ingress 9", .client),
      ("10.0.0.2 10.0.0.1 443 50000 - 9", .unknown),
    ]
    for (text, end) in ends {
      let found = record(text, names)
      #expect(found?.recordedBy == end && found?.client == "10.0.0.1")
    }
    let packets = "srcaddr dstaddr pkt-srcaddr pkt-dstaddr flow-direction end"
    let inside = record("10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5 egress 9", packets)
    #expect(inside?.server == "203.0.113.5" && inside?.recordedBy == .client)
    let between = record("10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5 ingress 9", packets)
    #expect(between?.client == "10.0.1.5" && between?.recordedBy == .unknown)
  }

  /// Scenario: lines that are too short, of another kind, or claim what cannot be.
  /// Guarantees: each is refused with what is wrong with it; never a trap.
  @Test(
    arguments: [
      ("2 1 eni-1 10.0.0.1", nil, "has 4 fields where 14 are expected"),
      ("10.0.0.x 10.0.0.2 9", "srcaddr dstaddr end", "no address in srcaddr"),
      ("10 10.0.0.2 9", "srcaddr dstaddr end", "no address in srcaddr"),
      ("10.0.0.1 10.0.0.2 9 -5", "srcaddr dstaddr end bytes", "no whole number in bytes"),
      (
        "10.0.0.1 10.0.0.2 9 99999999999999999999", "srcaddr dstaddr end bytes",
        "no whole number in bytes"
      ),
      ("10.0.0.1 10.0.0.2 18446744073709551615", "srcaddr dstaddr end", "no Unix time in seconds"),
      ("10.0.0.1 10.0.0.2 -", "srcaddr dstaddr end", "neither a start nor an end"),
      ("10.0.0.1 10.0.0.2 0", "srcaddr dstaddr end", "neither a start nor an end"),
    ] as [(String, String?, String)])
  func badLines(text: String, names: String?, words: String) {
    #expect(reason(text, names)?.contains(words) == true)
  }

  /// Scenario: addresses and ports there cannot be, beside flags that would do without ports.
  /// Guarantees: refused, each counted as what it is.
  @Test(arguments: [
    ("10.0.0.256", "443", FlowLogSummary.Reason.impossibleAddress),
    ("10.0.0", "443", .impossibleAddress), ("1::2::3", "443", .impossibleAddress),
    ("::", "65536", .impossiblePort), ("10.0.0.1", "99999999999", .impossiblePort),
    ("10.0.0.1", "x", .malformed),
  ])
  func impossible(address: String, port: String, kind: FlowLogSummary.Reason) {
    let names = "srcaddr dstaddr srcport dstport tcp-flags end"
    #expect(refusal("\(address) 10.0.0.2 \(port) 80 2 1", names)?.kind == kind)
    #expect(refusal("10.0.0.2 \(address) 80 \(port) 2 1", names)?.kind == kind)
  }

  /// Scenario: one address, written in three ways.
  /// Guarantees: one text.
  @Test func oneFormOfAddresses() {
    let texts = ["2001:DB8::1", "2001:db8:0:0::1", "2001:0db8::0001"].map {
      record("\($0) 2001:db8::2 1", "srcaddr dstaddr end")?.client
    }
    #expect(Set(texts) == ["2001:db8::1"])
  }

  /// Scenario: lines that are right but for one field: an action, a status, a protocol or a version that
  /// nobody knows, an end before the start, ends of two families, more bytes than there can be.
  /// Guarantees: refused, each counted as what it is; the same line with a value that is known is a record.
  @Test(arguments: [
    ("action", "ALLOW", FlowLogSummary.Reason.unknownAction), ("action", "accept", .unknownAction),
    ("log-status", "ok", .unknownStatus), ("log-status", "LOST", .unknownStatus),
    ("protocol", "tcp", .unknownProtocol), ("protocol", "255", .unknownProtocol),
    ("protocol", "-6", .unknownProtocol), ("protocol", "99999999999999999999", .unknownProtocol),
    ("version", "1", .unknownVersion), ("version", "v5", .unknownVersion),
    ("version", "256", .unknownVersion), ("start", "10", .endBeforeStart),
    ("start", "18446744073709551615", .endBeforeStart), ("srcaddr", "2001:db8::1", .mixedFamilies),
    ("dstaddr", "::", .mixedFamilies), ("bytes", "1125899906842625", .impossibleCount),
    ("bytes", "18446744073709551615", .impossibleCount), ("bytes", "131071", .impossibleCount),
    ("packets", "0", .impossibleCount), ("packets", "18446744073709551615", .impossibleCount),
  ])
  func refused(field: String, value: String, kind: FlowLogSummary.Reason) {
    let good = [
      ("version", "5"), ("srcaddr", "10.0.0.1"), ("dstaddr", "10.0.0.2"), ("protocol", "6"),
      ("packets", "2"), ("bytes", "131070"), ("start", "9"), ("end", "9"), ("action", "ACCEPT"),
      ("log-status", "OK"),
    ]
    let names = good.map(\.0).joined(separator: " ")
    let bad = good.map { $0.0 == field ? value : $0.1 }.joined(separator: " ")
    #expect(record(good.map(\.1).joined(separator: " "), names)?.bytes == 131_070)
    #expect(refusal(bad, names)?.kind == kind)
    // What was not let through is read as strictly.
    if field != "action" {
      #expect(refusal(bad.replacing("ACCEPT", with: "REJECT"), names)?.kind == kind)
    }
  }

  /// Scenario: lines of later versions, with the names of their fields and without; lines that do not say
  /// their protocol, action or packets; IPv4 written as IPv6.
  /// Guarantees: named fields are read whatever the version, the default format is version 2's alone; what
  /// is not said is not missed; one family however it is written.
  @Test func whatIsRead() {
    let fields = "srcaddr dstaddr protocol packets bytes end action log-status"
    for version in [2, 5, 10, 11] {
      #expect(
        record("\(version) 10.0.0.1 10.0.0.2 6 1 9 9 ACCEPT OK", "version " + fields) != nil)
    }
    let three = "3 1 eni-1 10.0.0.1 10.0.0.2 20641 22 6 20 4249 10 20 ACCEPT OK"
    #expect(refusal(three)?.kind == .unknownVersion)
    #expect(record("10.0.0.1 10.0.0.2 - - 9 9 - -", fields)?.bytes == 9)
    #expect(record("10.0.0.1 10.0.0.2 6 0 0 9 ACCEPT OK", fields)?.bytes == 0)
    #expect(record("::ffff:10.0.0.1 10.0.0.2 6 1 9 9 ACCEPT OK", fields)?.client == "10.0.0.1")
  }
}
