import Glibc

/// A file of secrets or certificates, read whole, and who may read it besides its owner.
struct SmallFile: Sendable, Equatable {
  var bytes: [UInt8]
  /// Every user of the machine may read it.
  var isReadableByOthers: Bool

  /// Far more than a chain of certificates takes.
  static let bytesMax = 1 << 20

  /// - Errors: what the system says is wrong, for a person.
  init(reading path: String) throws(UnreadableFile) {
    // A pipe without a writer must not hold up the reader.
    let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw UnreadableFile(SmallFile.systemError()) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw UnreadableFile(SmallFile.systemError())
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw UnreadableFile("it is no regular file") }
    guard status.st_size <= SmallFile.bytesMax else {
      throw UnreadableFile("it is larger than \(SmallFile.bytesMax) bytes")
    }
    isReadableByOthers = status.st_mode & S_IROTH != 0
    bytes = try SmallFile.contents(descriptor)
  }

  private static func contents(_ descriptor: Int32) throws(UnreadableFile) -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = unsafe read(descriptor, &piece, piece.count)
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw UnreadableFile(systemError())
      }
      bytes += piece[..<count]
      guard bytes.count <= bytesMax else {
        throw UnreadableFile("it is larger than \(bytesMax) bytes")
      }
    }
  }

  private static func systemError() -> String {
    guard let text = unsafe strerror(errno) else { return "error \(errno)" }
    return unsafe String(cString: text).lowercased()
  }
}

/// Why a file could not be read.
struct UnreadableFile: Error, Equatable {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}
