import Foundation
import Model
import TestSupport

@testable import Journal

/// A directory that disappears with the value that owns it.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "spangate-journal-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var segments: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: path)
        .filter { $0.hasPrefix("journal-") }.sorted()
    }
  }

  func bytes(of name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
  }

  func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
  }
}

/// Makes batches over a small set of names, ordinary and extreme values mixed.
struct BatchMaker {
  var generator: SeededGenerator
  let names: [NameID: Name]
  private let services: [NameID]
  private let operations: [NameID]
  private let peers: [NameID]

  init(_ generator: SeededGenerator, namesCount: Int = 8) {
    self.generator = generator
    let services = (0..<namesCount).map {
      Name(tenant: .standard, kind: .service, text: NodeIdentity(name: "service-\($0)").text)
    }
    let operations = services.flatMap { service in
      (0..<3).map {
        Name(tenant: .standard, kind: .operation, scope: service.id, text: "GET /things/é\($0)")
      }
    }
    let peers = (0..<3).map { Name(tenant: .standard, kind: .database, text: "database-\($0)") }
    names = Dictionary(uniqueKeysWithValues: (services + operations + peers).map { ($0.id, $0) })
    self.services = services.map(\.id)
    self.operations = operations.map(\.id)
    self.peers = peers.map(\.id)
  }

  mutating func batch(spansMax: Int) -> SpanBatch {
    var batch = SpanBatch(tenant: TenantID(UInt32.random(in: 0...2, using: &generator)))
    for _ in 0..<Int.random(in: 0...spansMax, using: &generator) {
      let isSameTrace = Bool.random(using: &generator)
      let trace = TraceID(
        high: UInt64.random(in: .min ... .max, using: &generator),
        low: UInt64.random(in: .min ... .max, using: &generator))
      batch.append(
        span(after: batch.spans.last), trace: isSameTrace ? batch.traces.last ?? trace : trace)
    }
    var used = Set(
      batch.spans.flatMap {
        [$0.service, $0.version, $0.instance, $0.operation, $0.peer, $0.peerAddress]
      })
    used.remove(.none)
    batch.names = used.sorted()
    return batch
  }

  private mutating func span(after last: SpanRecord?) -> SpanRecord {
    let isWild = Int.random(in: 0..<10, using: &generator) == 0
    let start =
      isWild
      ? UInt64.random(in: .min ... .max, using: &generator)
      : 1_700_000_000_000_000_000 + UInt64.random(in: 0..<1_000_000_000, using: &generator)
    let duration = UInt64.random(
      in: 0...(isWild ? UInt64.max &- start : 5_000_000), using: &generator)
    let process = Bool.random(using: &generator) ? last : nil
    return SpanRecord(
      id: SpanID(UInt64.random(in: .min ... .max, using: &generator)),
      parent: Bool.random(using: &generator)
        ? .none : SpanID(UInt64.random(in: .min ... .max, using: &generator)),
      start: start, end: start + duration,
      service: process?.service ?? services.randomElement(using: &generator)!,
      version: process?.version ?? .none, instance: process?.instance ?? .none,
      operation: operations.randomElement(using: &generator)!,
      peer: isWild ? peers.randomElement(using: &generator)! : .none,
      peerAddress: isWild && Bool.random(using: &generator)
        ? peers.randomElement(using: &generator)! : .none,
      weight: isWild ? UInt32.random(in: 0...UInt32.max, using: &generator) : SpanRecord.weightOne,
      kind: SpanKind.allCases.randomElement(using: &generator)!,
      traits: isWild
        ? SpanTraits(rawValue: UInt32.random(in: 0...UInt32.max, using: &generator)) : [],
      links: isWild ? UInt16.random(in: 0...UInt16.max, using: &generator) : 0,
      host: isWild ? UInt32.random(in: 0...3, using: &generator) : 0,
      dimensions: isWild ? NameID(UInt64.random(in: 0...3, using: &generator)) : .none)
  }

  mutating func traces(countMax: Int) -> [TraceKey] {
    (0..<Int.random(in: 0...countMax, using: &generator)).map { _ in
      TraceKey(
        tenant: TenantID(UInt32.random(in: 0...UInt32.max, using: &generator)),
        trace: TraceID(
          high: UInt64.random(in: .min ... .max, using: &generator),
          low: UInt64.random(in: .min ... .max, using: &generator)))
    }
  }
}

/// What a journal holds: batches by number, seals in order, and all texts.
struct Contents: Equatable {
  var batches: [UInt64: SpanBatch] = [:]
  var order: [UInt64] = []
  var seals: [UInt64] = []
  var sealed: [[TraceKey]] = []
  var names: [NameID: Name] = [:]

  static func read(
    _ directory: String, from mark: UInt64 = 0
  ) throws -> (contents: Contents, summary: JournalReadSummary) {
    var contents = Contents()
    let summary = try JournalReader.read(directory: directory, from: mark) { record in
      switch record {
      case .batch(let sequence, let batch, let names):
        contents.batches[sequence] = batch
        contents.order.append(sequence)
        for name in names { contents.names[name.id] = name }
      case .seal(let checkpoint, let traces):
        contents.seals.append(checkpoint)
        contents.sealed.append(traces)
      }
    }
    return (contents, summary)
  }
}

/// A file system whose calls fail when told to.
final class FaultyStorage: JournalStorage, @unchecked Sendable {
  // SAFETY: each test uses its storage from one thread.
  enum Call { case write, syncData, syncDirectory, create, truncate, remove, list, read }

  private let real = LinuxStorage()
  /// The error of each call that is to fail, and for how many calls.
  var faults: [Call: (code: Int32, times: Int)] = [:]
  /// A write takes at most this much.
  var writeBytesMax = Int.max
  /// Bytes left on the disk: beyond it a write takes what fits, and then none.
  var freeBytes = Int.max
  private(set) var syncedDirectories = 0
  private(set) var syncedFiles = 0
  private(set) var syncedDescriptorsAfterError = 0
  private var failedDescriptors: Set<Int32> = []

  private func check(_ call: Call) throws(SystemError) {
    guard let fault = faults[call], fault.times > 0 else { return }
    faults[call] = (fault.code, fault.times - 1)
    throw SystemError(code: fault.code)
  }

  func makeDirectory(_ path: String) throws(SystemError) { try real.makeDirectory(path) }
  func lock(_ path: String) throws(SystemError) -> Int32 { try real.lock(path) }
  func list(_ directory: String) throws(SystemError) -> [String] {
    try check(.list)
    return try real.list(directory)
  }
  func read(_ path: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
    try check(.read)
    return try real.read(path, bytesMax: bytesMax)
  }
  func size(_ path: String) throws(SystemError) -> Int { try real.size(path) }
  func create(_ path: String) throws(SystemError) -> Int32 {
    try check(.create)
    let descriptor = try real.create(path)
    failedDescriptors.remove(descriptor)
    return descriptor
  }
  func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(SystemError) -> Int {
    try check(.write)
    let count = min(bytes.count, writeBytesMax, freeBytes)
    if count == 0 { throw SystemError(code: ENOSPC) }
    if freeBytes != .max { freeBytes -= count }
    return try real.write(bytes.prefix(count), to: descriptor)
  }
  func syncData(_ descriptor: Int32) throws(SystemError) {
    if failedDescriptors.contains(descriptor) { syncedDescriptorsAfterError += 1 }
    do { try check(.syncData) } catch {
      failedDescriptors.insert(descriptor)
      throw error
    }
    syncedFiles += 1
    try real.syncData(descriptor)
  }
  func syncDirectory(_ path: String) throws(SystemError) {
    try check(.syncDirectory)
    syncedDirectories += 1
    try real.syncDirectory(path)
  }
  func truncate(_ path: String, to length: Int) throws(SystemError) {
    try check(.truncate)
    try real.truncate(path, to: length)
  }
  func remove(_ path: String) throws(SystemError) {
    try check(.remove)
    try real.remove(path)
  }
  func close(_ descriptor: Int32) { real.close(descriptor) }
}
