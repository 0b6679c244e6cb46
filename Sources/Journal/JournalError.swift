internal import Glibc

/// Why the journal cannot be opened, read or written. `message` is for the person who runs it.
public enum JournalError: Error, Equatable, Sendable {
  /// Another process has the directory open for writing.
  case inUse(directory: String)
  /// Written by a newer version, of which this one cannot know what it means.
  case futureVersion(path: String, version: UInt32)
  /// The operating system refused; `code` is its errno.
  case failed(JournalOperation, path: String, code: Int32)

  public var message: String {
    switch self {
    case .inUse(let directory):
      "The journal in \(directory) is in use by another process. Stop that process, "
        + "or give this one a directory of its own (store.path)."
    case .futureVersion(let path, let version):
      "\(path) has journal format \(version); this version reads up to format "
        + "\(SegmentHeader.version). Start the version that wrote it, "
        + "or move the file away: the spans in it are then not replayed."
    case .failed(let operation, let path, let code):
      "Cannot \(operation.rawValue) \(path): \(SystemError(code: code).text). "
        + SystemError(code: code).remedy
    }
  }
}

extension JournalError: CustomStringConvertible {
  public var description: String { message }
}

/// What was being done to a file, as the message says it.
public enum JournalOperation: String, Equatable, Sendable {
  case makeDirectory = "make the directory"
  case lock = "lock"
  case list = "list"
  case create = "create"
  case read = "read"
  case write = "write to"
  case sync = "sync"
  case truncate = "cut back"
  case remove = "delete"
}

/// An errno.
struct SystemError: Error, Equatable, Sendable {
  var code: Int32

  /// The system's own words.
  var text: String { unsafe String(cString: strerror(code)) }

  /// What to do about it.
  var remedy: String {
    switch code {
    case ENOSPC, EDQUOT:
      "Free space on that disk, or set store.path to a bigger one; "
        + "spans are refused and senders asked to retry until then."
    case EACCES, EPERM:
      "Let the user this process runs as write there, or set store.path to a directory "
        + "it may write to."
    case EROFS: "Mount that file system for writing, or set store.path elsewhere."
    case ENOENT: "Make the parent directory, or set store.path to one that exists."
    case ENOTDIR, EEXIST: "Something else has that name: move it away, or set store.path elsewhere."
    case EMFILE, ENFILE: "Raise the limit of open files (ulimit -n)."
    case EFBIG: "Raise the limit of a file's size (ulimit -f), or lower the size of a segment."
    default: "Check the disk and the system's log; spans are refused until it works again."
    }
  }
}
