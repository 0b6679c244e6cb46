// Windows holds what the traces of one shard add up to, in two parts: the overlay, from which a
// trace can still be taken back, and the sealed sums, from which nothing ever is. Only sealed sums go
// to the store; readers see store, sealed sums not yet stored, and overlay together.

public import Model

/// The windows of one shard. Owned by one event loop; readers get snapshots.
public struct ShardWindows: ~Copyable {
  private var overlay = WindowSums()
  /// Oldest first. The last is being filled; those before it are on their way to the store.
  private var generations: [SealedGeneration]
  private var droppedThrough: UInt64
  private var revision: UInt64 = 0

  /// - Parameters:
  ///   - stored: the last checkpoint the store holds.
  ///   - next: the number of the checkpoint to come. Not always the one after `stored`: numbers
  ///     of checkpoints that were begun and never stored are not used again.
  public init(stored: UInt64 = 0, next: UInt64 = 1) {
    precondition(next > stored, "checkpoints follow one another")
    generations = [SealedGeneration(checkpoint: next)]
    droppedThrough = stored
  }

  /// Findings of a closed trace: they stand until taken back or sealed.
  public mutating func stand(_ findings: [Finding]) {
    overlay.add(findings, examples: Exemplars.heldMax)
    revision += 1
  }

  /// Takes findings back that stood.
  public mutating func retract(_ findings: [Finding]) {
    overlay.add(findings, sign: -1)
    revision += 1
  }

  /// Findings of a sealed trace: they never change again.
  /// - Returns: whether the trace is an example of a series of the present generation.
  @discardableResult
  public mutating func seal(_ findings: [Finding]) -> Bool {
    revision += 1
    return generations[generations.count - 1].sums.add(findings)
  }

  /// What the overlay takes in memory, about. It shrinks as traces are sealed.
  public var overlayBytes: Int { overlay.seriesCount * WindowSums.bytesPerSeries }

  /// What sealed sums take that wait for the store, or for its readers. It shrinks with checkpoints.
  public var sealedBytes: Int {
    generations.reduce(0) { $0 + $1.sums.seriesCount } * WindowSums.bytesPerSeries
  }

  /// Whether anything was sealed since the last checkpoint began.
  public var hasUnstoredSums: Bool { !generations[generations.count - 1].sums.isEmpty }

  /// Ends the generation being filled: it is what checkpoint `number` stores of this shard.
  public mutating func beginCheckpoint(_ number: UInt64) -> WindowSums {
    let last = generations.count - 1
    precondition(generations[last].checkpoint == number, "checkpoints follow one another")
    generations.append(SealedGeneration(checkpoint: number + 1))
    return generations[last].sums
  }

  /// Forgets generations the store holds. One is kept longer than it must be, for a reader that
  /// looked into the store just before the commit.
  public mutating func drop(through number: UInt64) {
    precondition(
      number < generations[generations.count - 1].checkpoint,
      "a generation still being filled is in no store")
    generations.removeAll { $0.checkpoint <= number }
    droppedThrough = max(droppedThrough, number)
  }

  public func snapshot() -> WindowsSnapshot {
    WindowsSnapshot(
      overlay: overlay, generations: generations, droppedThrough: droppedThrough,
      revision: revision)
  }
}

/// What was sealed between two checkpoints.
public struct SealedGeneration: Sendable {
  /// The number of the checkpoint that stores it.
  public var checkpoint: UInt64
  public var sums = WindowSums()

  public init(checkpoint: UInt64) { self.checkpoint = checkpoint }
}

/// What a shard held at one moment.
public struct WindowsSnapshot: Sendable {
  public var overlay: WindowSums
  public var generations: [SealedGeneration]
  /// Generations up to this one are in the store only.
  public var droppedThrough: UInt64
  /// Grows whenever anything changed.
  public var revision: UInt64

  /// What is not in a store that has seen `checkpoint`; nil when the two do not fit together: the
  /// store was read too long ago for this snapshot, or the snapshot is older than the checkpoint
  /// (what its overlay holds may have been sealed and stored since). Both must be read again, the
  /// store first.
  /// - Parameter kinds: The kinds of series wanted.
  public func merged(
    from start: Nanos, to end: Nanos, after checkpoint: UInt64,
    kinds: Set<SeriesKind> = SeriesKind.all
  ) -> Window? {
    guard fits(checkpoint) else { return nil }
    var sum = overlay.merged(from: start, to: end, kinds: kinds)
    for generation in generations where generation.checkpoint > checkpoint {
      sum.merge(generation.sums.merged(from: start, to: end, kinds: kinds))
    }
    return sum
  }

  /// The same, window by window.
  /// - Parameter width: how much time each window of the answer covers, nanoseconds.
  public func windows(
    _ selection: SeriesSelection, from start: Nanos, to end: Nanos, by width: Nanos,
    after checkpoint: UInt64
  ) -> WindowSums? {
    guard fits(checkpoint) else { return nil }
    var sums = overlay.selected(selection, from: start, to: end, by: width)
    for generation in generations where generation.checkpoint > checkpoint {
      sums.merge(generation.sums.selected(selection, from: start, to: end, by: width))
    }
    return sums
  }

  private func fits(_ checkpoint: UInt64) -> Bool {
    guard droppedThrough <= checkpoint, let filling = generations.last?.checkpoint else {
      return false
    }
    return checkpoint < filling
  }
}
