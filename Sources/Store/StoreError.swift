internal import Foundation
internal import GRDB

/// Why the store cannot be opened, read or written. `message` is for the person who runs it.
public enum StoreError: Error, Equatable, Sendable {
  /// A newer version changed the schema: this one cannot know what it means.
  case newerVersion(path: String)
  /// A checkpoint was offered that is not the next one: its sums may be in the store already.
  case checkpointNotNew(number: UInt64, committed: UInt64)
  /// A value in the file cannot be what was written.
  case damaged(path: String, what: String)
  /// SQLite or the file system refused; `code` is SQLite's primary result code, 0 where it was not
  /// SQLite.
  case failed(StoreOperation, path: String, code: Int32, detail: String)

  public var message: String {
    switch self {
    case .newerVersion(let path):
      "\(path) was written by a newer version of Spangate. Start that version, "
        + "or set store.path to another directory."
    case .checkpointNotNew(let number, let committed):
      "Checkpoint \(number) cannot be stored: the store already holds checkpoint \(committed). "
        + "Does another process write to the same store? Restart this one to go on from there."
    case .damaged(let path, let what):
      "\(path) is damaged: \(what). Restore it from a backup, or move it away: the store then "
        + "begins empty, and the journal is replayed as far as it reaches back."
    case .failed(let operation, let path, let code, let detail):
      "Cannot \(operation.rawValue) \(path): \(StoreError.withoutFullStop(detail)). "
        + StoreError.remedy(code)
    }
  }

  /// Foundation ends its texts with a full stop, SQLite does not.
  private static func withoutFullStop(_ text: String) -> String {
    text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  private static func remedy(_ code: Int32) -> String {
    switch ResultCode(rawValue: code) {
    case .SQLITE_FULL:
      "Free space on that disk, set store.path to a bigger one, or lower store.retention; "
        + "nothing is lost until then, the journal keeps it."
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      "Let the user this process runs as write there, or set store.path elsewhere."
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      "The file is damaged or no store. Restore it from a backup, or move it away: the store "
        + "then begins empty."
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      "Another process holds the file: stop it, or give this one a directory of its own "
        + "(store.path)."
    case .SQLITE_CANTOPEN:
      "See that the directory exists and that the user this process runs as may write there."
    case .SQLITE_IOERR: "Check the disk and the system's log."
    default: "See that store.path names a directory this process may write."
    }
  }

  /// Runs `body`; what it throws becomes an error that names operation and file.
  static func wrapping<Value>(
    _ operation: StoreOperation, _ path: String, _ body: () throws -> Value
  ) throws(StoreError) -> Value {
    do {
      return try body()
    } catch let error as StoreError {
      throw error
    } catch let error as DamagedTile {
      throw .damaged(path: path, what: error.what)
    } catch let error as DatabaseError {
      let detail = error.message ?? "SQLite error \(error.resultCode.rawValue)"
      throw .failed(operation, path: path, code: error.resultCode.rawValue, detail: detail)
    } catch {
      throw .failed(operation, path: path, code: 0, detail: error.localizedDescription)
    }
  }
}

extension StoreError: CustomStringConvertible {
  public var description: String { message }
}

/// What was being done to the file, as the message says it.
public enum StoreOperation: String, Equatable, Sendable {
  case open
  case close
  case read
  case commit = "write to"
  case delete = "delete from"
}

/// A row that cannot have been written.
struct DamagedTile: Error {
  var what: String
}
