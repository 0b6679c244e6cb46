import Glibc

/// File descriptor 2, unbuffered.
enum StandardError {
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes a whole line, in one call unless the system takes less.
  @Sendable
  static func write(_ line: [UInt8]) {
    write(line, to: STDERR_FILENO)
  }

  static func write(_ line: [UInt8], to descriptor: Int32) {
    var offset = 0
    while offset < line.count {
      let written = unsafe line.withUnsafeBytes { bytes in
        unsafe Glibc.write(
          descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
      }
      if written > 0 {
        offset += written
      } else if errno != EINTR {
        // Nobody reads the log, or its disk is full: that must not stop the gateway, and there is
        // nowhere left to say so.
        return
      }
    }
  }
}
