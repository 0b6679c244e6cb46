import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite struct ConfigurationFuzzTests {
  private static let pieces = [
    "traces", "idle", "max_age", "receiver", "grpc", "address", "workers", ":", ": ", "\n", "  ",
    "- ", "[", "]", "{", "}", ", ", "\"", "'", "|", ">", "&a ", "*a", "!!int ", "? ", "---\n",
    "...\n", "#", "%YAML 1.2\n", "%", "11s", "1e9", "null", "~", "\t", "\r\n", "\u{0}", "é",
    "\u{FEFF}",
    "<<: ", "0x1F", "99999999999999999999", "-", "\\", "\"\\x41\"", "@", "`", "=",
  ]

  /// Scenario: files of random pieces of YAML and of random bytes.
  /// Guarantees: reading never crashes; a result is a configuration or a list of problems.
  @Test func randomFilesNeverCrash() {
    var generator = SeededGenerator()
    for round in 0..<3_000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...40, using: &generator) {
        if round % 4 == 0, Bool.random(using: &generator) {
          bytes.append(UInt8.random(in: 0...255, using: &generator))
        } else {
          bytes += Array((Self.pieces.randomElement(using: &generator) ?? "").utf8)
        }
      }
      let file = ConfigurationFile(name: "fuzz", contents: bytes)
      do {
        _ = try ConfigurationSources().load(file: file)
        #expect(file.problems.isEmpty)
      } catch {
        #expect(!error.problems.isEmpty)
        #expect(error.problems.allSatisfy { !$0.problem.isEmpty && !$0.remedy.isEmpty })
      }
    }
  }

  /// Scenario: a valid file with single bytes changed, lost or doubled.
  /// Guarantees: the same.
  @Test func damagedFilesNeverCrash() throws {
    var generator = SeededGenerator()
    let valid = Array(try ConfigurationSources().load().yaml.utf8)
    for _ in 0..<1_000 {
      var bytes = valid
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: position)
        default: bytes.insert(bytes[position], at: position)
        }
      }
      let file = ConfigurationFile(name: "fuzz", contents: bytes)
      _ = try? ConfigurationSources().load(file: file)
    }
  }

  /// Scenario: random values for every key.
  /// Guarantees: each is taken and reads back to the same text (a secret does not: it is never shown),
  /// or is refused.
  @Test func randomValuesNeverCrash() {
    var generator = SeededGenerator()
    let alphabet = Array("0123456789.smhdkMGiB%:[]-auto \u{663}")
    for key in ConfigurationKey.all {
      for _ in 0..<300 {
        let count = Int.random(in: 0...24, using: &generator)
        let text = String((0..<count).map { _ in alphabet.randomElement(using: &generator) ?? "0" })
        var configuration = Configuration()
        do {
          try key.apply(&configuration, text)
          let written = key.text(configuration)
          guard !key.isSecret else { continue }
          try key.apply(&configuration, written)
          #expect(key.text(configuration) == written)
        } catch {
          #expect(configuration == Configuration(), "\(key.path): \(text)")
        }
      }
    }
  }
}
