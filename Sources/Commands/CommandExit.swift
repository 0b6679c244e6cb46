/// Ends a command that has said everything with an exit code: what it printed is the answer, and the
/// code says the same to the shell.
struct CommandExit: Error, Equatable {
  var code: Int32

  init(code: Int32) { self.code = code }

  init(_ kind: CommandFailure.Kind) { code = kind.rawValue }
}
