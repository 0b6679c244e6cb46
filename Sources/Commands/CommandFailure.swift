/// Why a command did not do what it was asked, for a person, and for the shell as an exit code.
struct CommandFailure: Error, Equatable {
  /// The raw value is the exit code, after sysexits(3). 1 is never used: a crash would look like it.
  enum Kind: Int32 {
    /// The command line, the configuration, or a question the server did not understand.
    case usage = 64
    case unreachable = 69
    case failed = 70
    case notAllowed = 77
  }

  var kind: Kind
  var message: String

  init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  var exitCode: Int32 { kind.rawValue }
}
