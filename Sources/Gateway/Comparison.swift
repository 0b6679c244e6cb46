import Model
import Query
import Store

extension Engine {
  /// Two stretches by windows of one width: as fine as is kept for both, and so wide that neither has
  /// more than `ComparedWindows.windowsMax`.
  ///
  /// Both are widened to whole minutes, because some series are summed by the minute: what calls lead to,
  /// and who answered.
  func compared(
    _ base: Range<Nanos>, with current: Range<Nanos>, kinds: Set<SeriesKind>,
    atLeast: TileWidth = .tenSeconds
  ) async throws -> ComparedWindows {
    let kept = try await finestWidth(at: min(base.lowerBound, current.lowerBound))
    let longest = max(
      base.upperBound - base.lowerBound, current.upperBound - current.lowerBound)
    let countMax = Nanos(ComparedWindows.windowsMax)
    let fitting = TileWidth.allCases.first { longest / $0.nanos <= countMax } ?? .hour
    let width = max(kept, fitting, atLeast)
    let unit = max(width.nanos, .minute)
    let selection = SeriesSelection(kinds)
    func read(
      _ range: Range<Nanos>
    ) async throws -> (stretch: ComparedWindows.Stretch, names: [NameID: Name]) {
      let start = range.lowerBound.floored(to: unit)
      let end = range.upperBound.saturatingAdding(unit - 1).floored(to: unit)
      let found = try await windows(selection, from: start, to: end, by: width)
      let windows = stride(from: start, to: end, by: Int(width.nanos)).map {
        found.sums.windows[$0] ?? Window()
      }
      return (ComparedWindows.Stretch(start: start, end: end, windows: windows), found.names)
    }
    let first = try await read(base)
    let second = try await read(current)
    return ComparedWindows(
      base: first.stretch, current: second.stretch, width: width.nanos,
      names: second.names.merging(first.names) { recent, _ in recent })
  }
}
