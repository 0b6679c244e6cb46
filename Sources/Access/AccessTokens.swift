public import Logging
import Synchronization

/// Who may do what: tokens from a file that may change while the gateway runs, or from the
/// configuration.
public final class AccessTokens: Sendable {
  private let file: String
  private let logger: Logger
  private let state: Mutex<State>

  private struct State {
    var table: TokenTable
    var contents: SmallFile?
    var failure: AccessError?
    var taken = 0
    var failed = 0
    var refusals: [AccessRefusal: [String: Int]] = [:]
  }

  private static let fileKey = "tokens.file"

  /// Those of a file, which is read again when it changes.
  /// - Errors: `AccessError` when it cannot be read, is wrong, or holds no token.
  public init(file: String, logger: Logger) throws(AccessError) {
    self.file = file
    self.logger = logger
    let (table, contents) = try AccessTokens.read(file)
    state = Mutex(State(table: table, contents: contents))
    remark(on: contents)
  }

  /// Those of the configuration, as long as the gateway runs.
  /// - Errors: `AccessError` for what is wrong between them.
  public init(lines: [TokenLine], logger: Logger) throws(AccessError) {
    file = ""
    self.logger = logger
    do throws(TokenLineError) {
      state = Mutex(State(table: try TokenTable(lines), contents: nil))
    } catch {
      throw AccessError("tokens.known", error.problem, remedy: error.remedy)
    }
  }

  /// Whether a request may do what needs a scope.
  /// - Parameters:
  ///   - authorization: the field of that name, as it came; nil without one.
  ///   - transport: how the request came, for the count of refusals: `grpc`, `http` or `query`.
  public func refusal(
    _ authorization: String?, needing scope: AccessScope, transport: String
  ) -> AccessRefusal? {
    let table = state.withLock(\.table)
    guard let refusal = AccessTokens.refusal(authorization, scope, table) else { return nil }
    state.withLock { $0.refusals[refusal, default: [:]][transport, default: 0] += 1 }
    return refusal
  }

  private static func refusal(
    _ authorization: String?, _ scope: AccessScope, _ table: TokenTable
  ) -> AccessRefusal? {
    guard let authorization, !authorization.isEmpty else { return .missing }
    guard let token = bearer(authorization), let line = table.line(of: token) else {
      return .unknown
    }
    return line.scopes.contains(scope) ? nil : .scope
  }

  /// - Source: RFC 6750 section 2.1; the scheme in any case, as RFC 9110 section 11.1 has it.
  private static func bearer(_ authorization: String) -> Substring? {
    let parts = authorization.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    let token = parts[1].drop { $0 == " " }
    return token.utf8.count <= tokenBytesMax ? token : nil
  }

  /// No token is longer.
  private static let tokenBytesMax = 1_024

  /// Whether there is a file to look at.
  public var haveFile: Bool { !file.isEmpty }

  /// Reads the file again, as certificates are: what is wrong changes nothing, is logged and counted,
  /// once, unless somebody asked.
  public func reload(isAsked: Bool = false) {
    guard haveFile else { return }
    do throws(AccessError) {
      let (table, contents) = try AccessTokens.read(file)
      let isTaken = state.withLock { state in
        state.failure = nil
        guard isAsked || state.contents != contents else { return false }
        state.table = table
        state.contents = contents
        state.taken += 1
        return true
      }
      guard isTaken else { return }
      logger.notice("tokens read again", metadata: ["tokens": "\(table.lines.count)"])
      remark(on: contents)
    } catch {
      refuse(error, isAsked: isAsked)
    }
  }

  private func refuse(_ error: AccessError, isAsked: Bool) {
    let isNew = state.withLock { state in
      let isNew = isAsked || state.failure != error
      if isNew { state.failed += 1 }
      state.failure = error
      return isNew
    }
    guard isNew else { return }
    logger.error(
      "tokens could not be read again; those before stay in use", metadata: ["error": "\(error)"])
  }

  private func remark(on contents: SmallFile) {
    guard contents.isReadableByOthers else { return }
    logger.warning(
      "every user of this machine may read the digests of tokens in \(file); take that right away with chmod o-rwx"
    )
  }

  private static func read(_ path: String) throws(AccessError) -> (TokenTable, SmallFile) {
    let contents: SmallFile
    do throws(UnreadableFile) {
      contents = try SmallFile(reading: path)
    } catch {
      throw AccessError(
        fileKey, "the file \(path) cannot be read (\(error.reason))",
        remedy: "correct the path, or let the user of the gateway read it")
    }
    do throws(TokenLineError) {
      let table = try TokenTable(reading: contents.bytes)
      guard !table.lines.isEmpty else {
        throw TokenLineError(
          "holds no token", remedy: "write a line for one: spangate token makes it")
      }
      return (table, contents)
    } catch {
      throw AccessError(fileKey, "the file \(path) \(error.problem)", remedy: error.remedy)
    }
  }

  /// What has happened so far.
  public var figures: TokenFigures {
    state.withLock {
      TokenFigures(
        known: $0.table.lines.count, reloads: $0.taken, failedReloads: $0.failed,
        refusals: $0.refusals)
    }
  }
}

/// What has happened with tokens.
public struct TokenFigures: Sendable, Equatable {
  public var known: Int
  public var reloads: Int
  public var failedReloads: Int
  /// By why, and how the requests came.
  public var refusals: [AccessRefusal: [String: Int]]
}
