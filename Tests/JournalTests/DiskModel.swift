import Foundation
import TestSupport

@testable import Journal

/// A disk in memory that knows what a power cut may leave of it: what was synced, and of all else
/// anything or nothing. As strict as POSIX lets a file system be: a file's entry in its directory
/// lasts only once the directory was synced, its bytes only once the file was.
final class DiskModel: JournalStorage, @unchecked Sendable {
  // SAFETY: each test uses its disk from one thread.

  /// The bytes of one file: those that last, and those a reader sees now.
  struct File: Equatable {
    var synced: [UInt8] = []
    var seen: [UInt8] = []
  }

  private var files: [Int: File] = [:]
  /// The directory: as it lasts, and what was done to it since.
  private var syncedEntries: [String: Int] = [:]
  private var entries: [String: Int] = [:]
  private var changes: [(name: String, file: Int?)] = []
  private var descriptors: [Int32: Int] = [:]
  private var nextFile = 0
  private var nextDescriptor: Int32 = 3
  /// Called before each call that changes the disk, and in the middle of each write.
  var beforeChange: () -> Void = {}

  init() {}

  /// A disk on which these files, and nothing else, are safe.
  init(_ contents: [String: [UInt8]]) {
    for (name, bytes) in contents {
      files[nextFile] = File(synced: bytes, seen: bytes)
      entries[name] = nextFile
      nextFile += 1
    }
    syncedEntries = entries
  }

  private func name(of path: String) -> String { String(path.split(separator: "/").last ?? "") }

  private func file(at path: String) throws(SystemError) -> Int {
    guard let file = entries[name(of: path)] else { throw SystemError(code: ENOENT) }
    return file
  }

  private func change(_ name: String, to file: Int?) {
    entries[name] = file
    changes.append((name, file))
  }

  func makeDirectory(_ path: String) {}

  func lock(_ path: String) -> Int32 { 0 }

  func list(_ directory: String) -> [String] { Array(entries.keys) }

  func read(_ path: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
    Array(files[try file(at: path)]!.seen.prefix(bytesMax))
  }

  func size(_ path: String) throws(SystemError) -> Int { files[try file(at: path)]!.seen.count }

  func create(_ path: String) throws(SystemError) -> Int32 {
    beforeChange()
    guard entries[name(of: path)] == nil else { throw SystemError(code: EEXIST) }
    files[nextFile] = File()
    change(name(of: path), to: nextFile)
    defer {
      nextFile += 1
      nextDescriptor += 1
    }
    descriptors[nextDescriptor] = nextFile
    return nextDescriptor
  }

  func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int {
    beforeChange()
    files[descriptors[descriptor]!]!.seen += bytes
    return bytes.count
  }

  func syncData(_ descriptor: Int32) {
    beforeChange()
    let file = descriptors[descriptor]!
    files[file]!.synced = files[file]!.seen
  }

  func syncDirectory(_ path: String) {
    beforeChange()
    syncedEntries = entries
    changes = []
  }

  func truncate(_ path: String, to length: Int) throws(SystemError) {
    beforeChange()
    let file = try file(at: path)
    files[file]!.seen.removeLast(files[file]!.seen.count - length)
    files[file]!.synced = files[file]!.seen
  }

  func remove(_ path: String) {
    beforeChange()
    if entries[name(of: path)] != nil { change(name(of: path), to: nil) }
  }

  func close(_ descriptor: Int32) { descriptors[descriptor] = nil }
}

extension DiskModel {
  /// What is seen now: what the end of the process alone leaves.
  var seen: [String: [UInt8]] { entries.mapValues { files[$0]!.seen } }

  /// Bytes of all files that no sync has made safe.
  var unsyncedBytes: Int {
    entries.values.reduce(0) { $0 + files[$1]!.seen.count - commonPrefix(files[$1]!) }
  }

  /// What a power cut leaves that kept `changesKept` of the unsynced changes to the directory and of
  /// each file `bytesKept` bytes beyond what was synced.
  func afterPowerCut(changesKept: Int, bytesKept: Int) -> [String: [UInt8]] {
    var left = syncedEntries
    for change in changes.prefix(changesKept) { left[change.name] = change.file }
    return left.mapValues { id in
      let file = files[id]!
      return Array(file.seen.prefix(commonPrefix(file) + bytesKept))
    }
  }

  /// The same by chance: any of the directory's changes in their order, and of each file any length,
  /// with blocks in between that never reached the disk and read as zeros or as whatever was there.
  func afterPowerCut(_ generator: inout SeededGenerator, blockBytes: Int) -> [String: [UInt8]] {
    var left = syncedEntries
    for change in changes.prefix(Int.random(in: 0...changes.count, using: &generator)) {
      left[change.name] = change.file
    }
    return left.mapValues { id in
      let file = files[id]!
      let safe = commonPrefix(file)
      var bytes = Array(file.seen.prefix(Int.random(in: safe...file.seen.count, using: &generator)))
      var block = safe
      while block < bytes.count {
        let end = min(bytes.count, (block / blockBytes + 1) * blockBytes)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: for index in block..<end { bytes[index] = 0 }
        case 1: for index in block..<end { bytes[index] = .random(in: 0...255, using: &generator) }
        default: break
        }
        block = end
      }
      return bytes
    }
  }

  var unsyncedChanges: Int { changes.count }

  /// A file only grows, except for cuts, which are synced: what is safe is a beginning of what is
  /// seen.
  private func commonPrefix(_ file: File) -> Int { min(file.synced.count, file.seen.count) }
}
