import ArgumentParser

/// The exit code of each verdict.
struct VerdictCodes: Equatable {
  private var codes: [GateAnswer.Verdict: UInt8] = [.promote: 0, .rollback: 10, .wait: 11]

  init() {}

  /// - Parameter map: such as `rollback=1,wait=2`; a verdict it does not name keeps its code.
  /// - Errors: `ValidationError` that says what is right.
  init(map: String) throws {
    var mapped: Set<GateAnswer.Verdict> = []
    for pair in map.split(separator: ",", omittingEmptySubsequences: false) {
      let (verdict, code) = try VerdictCodes.parse(pair)
      guard mapped.insert(verdict).inserted else {
        throw ValidationError("\(verdict) is there twice; name each verdict once.")
      }
      codes[verdict] = code
    }
    try checkCollisions(mapped)
  }

  func code(of verdict: GateAnswer.Verdict) -> Int32 {
    guard let code = codes[verdict] else { preconditionFailure("every verdict has a code") }
    return Int32(code)
  }

  private static func parse(_ pair: Substring) throws -> (GateAnswer.Verdict, UInt8) {
    let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw ValidationError(
        "'\(PlainTable.printable(String(pair)))' is not verdict=code; write rollback=1,wait=2.")
    }
    guard let verdict = GateAnswer.Verdict(rawValue: String(parts[0])) else {
      throw ValidationError(
        "'\(PlainTable.printable(String(parts[0])))' is no verdict; those are promote, rollback "
          + "and wait.")
    }
    guard let code = UInt8(parts[1]) else {
      throw ValidationError(
        "'\(PlainTable.printable(String(parts[1])))' is no exit code; those are 0 to 255.")
    }
    return (verdict, code)
  }

  /// Two verdicts share a code only where both were mapped to it: a rollback that looks like a
  /// promotion must not be an oversight.
  private func checkCollisions(_ mapped: Set<GateAnswer.Verdict>) throws {
    for verdict in GateAnswer.Verdict.allCases where mapped.contains(verdict) {
      for other in GateAnswer.Verdict.allCases where !mapped.contains(other) {
        let code = code(of: verdict)
        guard code == self.code(of: other) else { continue }
        throw ValidationError(
          "\(code) is the code of \(other) already; if both are meant to have it, write "
            + "\(verdict)=\(code),\(other)=\(code).")
      }
    }
  }
}
