import Model

/// One line on the terminal that says how far long work is; silent in a pipe.
struct ProgressLine {
  private let context: CommandContext
  private var shownAt: Nanos?
  private var isShown = false

  static let intervalNanos: Nanos = 100 * .millisecond

  init(_ context: CommandContext) { self.context = context }

  /// Rewrites the line, at most every tenth of a second.
  mutating func show(_ text: @autoclosure () -> String) {
    guard context.isErrorTerminal else { return }
    let now = context.now()
    if let last = shownAt, now >= last, now - last < ProgressLine.intervalNanos { return }
    shownAt = now
    isShown = true
    context.fail("\r\u{1B}[K" + PlainTable.printable(String(text().prefix(context.width - 1))))
  }

  /// Takes the line away, before something else is written.
  mutating func clear() {
    if isShown { context.fail("\r\u{1B}[K") }
    isShown = false
  }
}
