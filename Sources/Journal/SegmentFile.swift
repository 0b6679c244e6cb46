internal import Glibc

/// A segment as the directory shows it.
struct SegmentFile: Sendable {
  var path: String
  /// The number of its first batch, by its name.
  var first: UInt64

  /// The segments of a directory, ascending.
  static func all(
    in directory: String, _ storage: any JournalStorage
  ) throws(JournalError) -> [SegmentFile] {
    let names: [String]
    do {
      names = try storage.list(directory)
    } catch {
      throw JournalError.failed(.list, path: directory, code: error.code)
    }
    return names.compactMap { name in
      SegmentName.first(of: name).map { SegmentFile(path: "\(directory)/\(name)", first: $0) }
    }.sorted { $0.first < $1.first }
  }

  func read(bytesMax: Int = .max, _ storage: any JournalStorage) throws(JournalError) -> [UInt8] {
    do { return try storage.read(path, bytesMax: bytesMax) } catch {
      throw JournalError.failed(.read, path: path, code: error.code)
    }
  }

  func size(_ storage: any JournalStorage) throws(JournalError) -> Int {
    do { return try storage.size(path) } catch {
      throw JournalError.failed(.read, path: path, code: error.code)
    }
  }

  func truncate(to length: Int, _ storage: any JournalStorage) throws(JournalError) {
    do { try storage.truncate(path, to: length) } catch {
      throw JournalError.failed(.truncate, path: path, code: error.code)
    }
  }

  /// Throws when a newer version wrote the file: its records may mean anything. A damaged header
  /// is no reason: damage is passed over by whoever reads.
  func checkVersion(_ storage: any JournalStorage) throws(JournalError) {
    let start: [UInt8]
    do {
      start = try storage.read(path, bytesMax: 2 * SegmentHeader.bytesCount)
    } catch {
      // Deleted since the directory was listed: nothing to be read, then.
      if error.code == ENOENT { return }
      throw JournalError.failed(.read, path: path, code: error.code)
    }
    guard let header = SegmentHeader(segment: start), header.version > SegmentHeader.version else {
      return
    }
    throw JournalError.futureVersion(path: path, version: header.version)
  }
}
