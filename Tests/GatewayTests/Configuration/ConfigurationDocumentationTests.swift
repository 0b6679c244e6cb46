import Foundation
import Testing

@testable import Gateway

@Suite struct ConfigurationDocumentationTests {
  private var repository: URL {
    var folder = URL(filePath: #filePath)
    for _ in 0..<4 { folder.deleteLastPathComponent() }
    return folder
  }

  /// Scenario: a key is added, or its default, range or summary changes.
  /// Guarantees: the page in docs/ says so, or this test says what it must say.
  @Test func pageHoldsTheTable() throws {
    let page = try String(
      contentsOf: repository.appending(path: "docs/configuration.md"), encoding: .utf8)
    #expect(
      page.contains(ConfigurationKey.markdownTable),
      "docs/configuration.md must hold this table:\n\(ConfigurationKey.markdownTable)")
  }

  /// Scenario: the table of keys itself.
  /// Guarantees: paths and flags are unique and of one style; every key has a line of its own.
  @Test func keysAreConsistent() {
    let keys = ConfigurationKey.all
    #expect(Set(keys.map(\.path)).count == keys.count)
    #expect(Set(keys.compactMap(\.flag)).count == keys.compactMap(\.flag).count)
    for key in keys {
      #expect(key.path.allSatisfy { $0.isLowercase || $0 == "." || $0 == "_" })
      #expect(!key.path.contains("__"))
      #expect(!key.summary.isEmpty && !key.summary.contains("\n"))
      #expect(key.variable.hasPrefix("SPANGATE_"))
    }
    #expect(ConfigurationKey.at("traces.max_age")?.variable == "SPANGATE_TRACES__MAX_AGE")
  }
}
