import Foundation
import GRDB
import Model
import TestSupport

@testable import Store

/// A directory that disappears with the value that owns it.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "spangate-store-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var file: String { "\(path)/\(TileStore.fileName)" }

  func size(_ suffix: String = "") throws -> Int {
    try FileManager.default.attributesOfItem(atPath: file + suffix)[.size] as? Int ?? 0
  }
}

/// 2023-11-14, on the hour: where the tests' time begins.
let epoch: Nanos = 1_699_999_200 * .second

/// Makes findings over a few services, of all kinds of series.
struct FindingMaker {
  var generator: SeededGenerator
  let names: [Name]
  private let services: [NameID]

  init(_ test: String, servicesCount: Int = 5) {
    generator = SeededGenerator(test)
    let services = (0..<servicesCount).map {
      Name(tenant: .standard, kind: .service, text: NodeIdentity(name: "service-\($0)").text)
    }
    self.services = services.map(\.id)
    names =
      services
      + services.map { Name(tenant: .standard, kind: .operation, scope: $0.id, text: "GET /") }
  }

  /// Findings within `range`, nanoseconds after `epoch`.
  mutating func findings(_ count: Int, within range: Range<Nanos>) -> [Finding] {
    (0..<count).map { _ in
      let time = epoch + Nanos.random(in: range, using: &generator)
      return finding(window: time.floored(to: windowNanos))
    }
  }

  private mutating func finding(window: Nanos) -> Finding {
    let service = services.randomElement(using: &generator)!
    let key: SeriesKey =
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: .node(service)
      case 1: .edge(service, services.randomElement(using: &generator)!, .direct)
      case 2: .operation(service, names.first { $0.scope == service }!.id)
      default: .coverage(.standard)
      }
    var counters = Counters()
    counters[.requests] = Int64.random(in: 1...3, using: &generator)
    counters[.criticalPathNanos] = Int64.random(in: 0...1_000_000_000, using: &generator)
    return Finding(
      window: window, key: key, counters: counters,
      latency: Nanos.random(in: 1_000...10_000_000_000, using: &generator),
      exemplar: TraceID(high: 1, low: UInt64.random(in: 1...UInt64.max, using: &generator)))
  }
}

extension WindowSums {
  init(_ findings: some Sequence<Finding>) {
    self.init()
    for finding in findings { add(finding) }
  }
}

extension TileStore {
  /// Everything the tables of series and names hold, for comparing stores.
  func contents() throws -> [String] {
    try pool.read { db in
      let tiles = try Row.fetchAll(db, sql: "SELECT * FROM tiles")
      let names = try Row.fetchAll(db, sql: "SELECT * FROM names")
      return (tiles + names).map { "\($0.databaseValues)" }.sorted()
    }
  }

  func count(_ table: String) throws -> Int {
    try pool.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM \(table)") ?? 0 }
  }
}

extension Row {
  var databaseValues: [DatabaseValue] { map { $1 } }
}
