internal import Glibc

/// The file system of the machine.
struct LinuxStorage: JournalStorage {
  func makeDirectory(_ path: String) throws(SystemError) {
    if unsafe mkdir(path, 0o755) == 0 { return }
    guard errno == EEXIST else { throw SystemError(code: errno) }
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw SystemError(code: errno) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw SystemError(code: ENOTDIR) }
  }

  func lock(_ path: String) throws(SystemError) -> Int32 {
    let descriptor = try opened(path, O_RDWR | O_CREAT)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      close(descriptor)
      throw SystemError(code: code)
    }
    return descriptor
  }

  func list(_ directory: String) throws(SystemError) -> [String] {
    guard let stream = unsafe opendir(directory) else { throw SystemError(code: errno) }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
        let text = unsafe UnsafeRawPointer(field).assumingMemoryBound(to: CChar.self)
        names.append(unsafe String(cString: text))
      }
    }
    return names
  }

  func read(_ path: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
    let descriptor = try opened(path, O_RDONLY)
    defer { close(descriptor) }
    // A file that is being written may grow meanwhile: what comes after this length is left.
    var bytes = [UInt8](repeating: 0, count: min(bytesMax, try size(of: descriptor)))
    var offset = 0
    while offset < bytes.count {
      let start = offset
      let taken = unsafe bytes.withUnsafeMutableBytes { all in
        unsafe Glibc.read(descriptor, all.baseAddress! + start, all.count - start)
      }
      if taken < 0 {
        if errno == EINTR { continue }
        throw SystemError(code: errno)
      }
      if taken == 0 { break }
      offset += taken
    }
    if offset < bytes.count { bytes.removeLast(bytes.count - offset) }
    return bytes
  }

  func size(_ path: String) throws(SystemError) -> Int {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw SystemError(code: errno) }
    return Int(status.st_size)
  }

  func create(_ path: String) throws(SystemError) -> Int32 {
    try opened(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
  }

  func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(SystemError) -> Int {
    while true {
      let taken = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if taken > 0 { return taken }
      if taken == 0 { throw SystemError(code: ENOSPC) }
      guard errno == EINTR else { throw SystemError(code: errno) }
    }
  }

  /// Not tried again after EINTR: a sync that failed once says nothing when it succeeds later.
  func syncData(_ descriptor: Int32) throws(SystemError) {
    guard fdatasync(descriptor) == 0 else { throw SystemError(code: errno) }
  }

  func syncDirectory(_ path: String) throws(SystemError) {
    let descriptor = try opened(path, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw SystemError(code: errno) }
  }

  func truncate(_ path: String, to length: Int) throws(SystemError) {
    let descriptor = try opened(path, O_WRONLY)
    defer { close(descriptor) }
    while ftruncate(descriptor, length) != 0 {
      guard errno == EINTR else { throw SystemError(code: errno) }
    }
    try syncData(descriptor)
  }

  func remove(_ path: String) throws(SystemError) {
    guard unsafe unlink(path) != 0 else { return }
    guard errno == ENOENT else { throw SystemError(code: errno) }
  }

  func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

  private func opened(_ path: String, _ flags: Int32) throws(SystemError) -> Int32 {
    while true {
      let descriptor = unsafe open(path, flags | O_CLOEXEC, 0o644)
      if descriptor >= 0 { return descriptor }
      guard errno == EINTR else { throw SystemError(code: errno) }
    }
  }

  private func size(of descriptor: Int32) throws(SystemError) -> Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw SystemError(code: errno) }
    return Int(status.st_size)
  }
}
