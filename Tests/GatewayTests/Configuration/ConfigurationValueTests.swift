import Foundation
import Model
import Testing

@testable import Gateway

@Suite struct ConfigurationValueTests {
  /// Scenario: durations in every unit, combined, with fractions.
  /// Guarantees: they are exact to the nanosecond and read back from their written form.
  @Test(
    arguments: [
      ("11s", 11_000_000_000), ("14d", 1_209_600_000_000_000), ("500ms", 500_000_000),
      ("1h30m", 5_400_000_000_000), ("0.1s", 100_000_000), ("1.5h", 5_400_000_000_000),
      ("7us", 7_000), ("9ns", 9), ("0", 0), ("0s", 0), ("106751d", 9_223_286_400_000_000_000),
    ] as [(String, UInt64)])
  func durations(text: String, nanos: UInt64) throws {
    #expect(try DurationText.parse(text) == nanos)
    #expect(try DurationText.parse(DurationText.format(nanos)) == nanos)
  }

  /// Scenario: texts that are no durations, or too long ones.
  /// Guarantees: each is refused.
  @Test(arguments: [
    "", "s", "5", "5 s", "-5s", "5x", "5s5", "1..5s", ".5s", "5.s", "1e3s", "106752d", "١s",
    "9999999999999999999s", "100000d100000d",
  ])
  func notDurations(text: String) {
    #expect(throws: InvalidValue.self) { try DurationText.parse(text) }
  }

  /// Scenario: amounts of bytes in binary and decimal units.
  /// Guarantees: they are exact and read back.
  @Test(arguments: [
    ("64MiB", 67_108_864), ("512MB", 512_000_000), ("65536", 65_536), ("1.5GiB", 1_610_612_736),
    ("2 kB", 2_000), ("3TiB", 3_298_534_883_328), ("0", 0), ("10B", 10), ("1TB", 1_000_000_000_000),
  ])
  func bytes(text: String, bytes: Int) throws {
    #expect(try ByteCountText.parse(text) == bytes)
    #expect(try ByteCountText.parse(ByteCountText.format(bytes)) == bytes)
  }

  @Test(arguments: ["", "MiB", "-1", "1MIB", "1 ", "12Q", "99999999TiB", "auto", "1,5GB"])
  func notBytes(text: String) {
    if text == "1 " {
      #expect(throws: Never.self) { try ByteCountText.parse(text) }
    } else {
      #expect(throws: InvalidValue.self) { try ByteCountText.parse(text) }
    }
  }

  /// Scenario: addresses by name, IPv4, IPv6, without a host.
  /// Guarantees: host and port are told apart; they read back.
  @Test(arguments: [
    ("127.0.0.1:4317", "127.0.0.1", 4317), ("[::1]:0", "::1", 0), (":4318", "::", 4318),
    ("gate-way.example:65535", "gate-way.example", 65_535), ("[fe80::1%eth0]:1", "", 0),
    ("[::ffff:1.2.3.4]:80", "::ffff:1.2.3.4", 80),
  ])
  func addresses(text: String, host: String, port: Int) throws {
    if host.isEmpty {
      #expect(throws: InvalidValue.self) { try ListenAddress(parsing: text) }
      return
    }
    let address = try ListenAddress(parsing: text)
    #expect(address == ListenAddress(host: host, port: port))
    #expect(try ListenAddress(parsing: address.description) == address)
  }

  @Test(arguments: [
    "", "4317", "localhost", "::1:4317", "[::1:4317", "[]:1", "a b:1", "host:", "host:-1",
    "host:65536", "host:12a", "http://host:1", "host:٣",
  ])
  func notAddresses(text: String) {
    #expect(throws: InvalidValue.self) { try ListenAddress(parsing: text) }
  }

  /// Scenario: shares as percentages and as fractions.
  /// Guarantees: 1% and 0.01 are the same; what is out of range is refused; what is written is
  /// what was meant, without the digits dividing by a hundred leaves.
  @Test func percents() throws {
    let type = ConfigurationType<Double>.percent()
    #expect(try type.parse("1%") == 0.01)
    #expect(try type.parse("0.01") == 0.01)
    #expect(try type.parse("100%") == 1)
    #expect(type.format(0.5) == "50%")
    #expect(type.format(0.07) == "7%" && type.format(0.0125) == "1.25%")
    #expect(throws: InvalidValue.self) {
      try ConfigurationType<Double>.percent(0.0001...0.5).parse("51%")
    }
    for text in ["", "%", "101%", "1.5", "-1%", "one", "0.x"] {
      #expect(throws: InvalidValue.self) { try type.parse(text) }
    }
  }

  /// Scenario: memory limits of a cgroup and of a machine, as the kernel writes them, or not at all.
  /// Guarantees: the smaller counts; `max`, nonsense and missing files do not.
  @Test func machineMemory() throws {
    #expect(MachineMemory.cgroupLimit("1073741824\n") == 1 << 30)
    #expect(MachineMemory.cgroupLimit("max\n") == nil)
    #expect(MachineMemory.cgroupLimit("-1") == nil)
    #expect(MachineMemory.memoryTotal("MemFree: 1 kB\nMemTotal:    2048 kB\n") == 2 << 20)
    #expect(MachineMemory.memoryTotal("MemTotal:\n") == nil)
    #expect(MachineMemory.memoryTotal("MemTotal: 9223372036854775807 kB") == nil)
    let none = MachineMemory.read(cgroupFile: "/nonexistent", machineFile: "/nonexistent")
    #expect(none.bytes == 1 << 30)
    #expect(MachineMemory.read().bytes > 1 << 24)
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cgroup = folder.appending(path: "memory.max")
    try Data("268435456\n".utf8).write(to: cgroup)
    let limited = MachineMemory.read(cgroupFile: cgroup.path)
    #expect(limited.bytes == 256 << 20)
    #expect(MemoryLimit.automatic.bytes(on: limited) == 128 << 20)
    #expect(MemoryLimit.automatic.bytes(on: MachineMemory(bytes: 1)) == MemoryLimit.bytesMin)
    #expect(MemoryLimit.bytes(5).bytes(on: limited) == 5)
  }

  /// Scenario: a value of control characters and great length is refused.
  /// Guarantees: the error text is one readable line.
  @Test func errorTextsAreReadable() {
    let text = "\u{1B}[31m\n" + String(repeating: "x", count: 10_000)
    let error = #expect(throws: InvalidValue.self) { try DurationText.parse(text) }
    #expect(error?.problem.contains("\u{1B}") == false)
    #expect(error?.problem.contains("\n") == false)
    #expect((error?.problem.count ?? 1_000) < 140)
  }
}
