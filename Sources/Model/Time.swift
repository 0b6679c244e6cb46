/// Unix time, or a duration, in nanoseconds. Arithmetic on what senders claim is done with the
/// wrapping or saturating operators: a hostile timestamp must not trap.
public typealias Nanos = UInt64

extension Nanos {
  public static let millisecond: Nanos = 1_000_000
  public static let second: Nanos = 1_000_000_000
  public static let minute: Nanos = 60 * second
  public static let hour: Nanos = 60 * minute
  public static let day: Nanos = 24 * hour

  /// `self - other`, or 0 where that would be negative.
  @inline(__always)
  public func saturatingSubtracting(_ other: Nanos) -> Nanos { self > other ? self &- other : 0 }

  /// `self + other`, or the largest value where that would overflow.
  @inline(__always)
  public func saturatingAdding(_ other: Nanos) -> Nanos {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// `self` × `weight` ÷ 256: what a duration counts for when its span stands for others
  /// (`SpanRecord.weightOne`); the largest value where that would overflow.
  public func weighted(by weight: UInt64) -> Nanos {
    let product = multipliedFullWidth(by: weight)
    return product.high < 256 ? product.high << 56 | product.low >> 8 : .max
  }

  /// The start of the span of `width` nanoseconds this time falls into.
  @inline(__always)
  public func floored(to width: Nanos) -> Nanos { self &- self % width }
}

/// How wide the pieces of history are: fine ones for the recent past, wide ones for the distant.
public enum TileWidth: UInt8, CaseIterable, Sendable, Comparable {
  case tenSeconds = 0
  case minute = 1
  case tenMinutes = 2
  case hour = 3

  public var nanos: Nanos {
    switch self {
    case .tenSeconds: 10 * .second
    case .minute: .minute
    case .tenMinutes: 10 * .minute
    case .hour: .hour
    }
  }

  /// How long tiles of this width are kept; nil where only `store.retention` ends them.
  public var keptNanos: Nanos? {
    switch self {
    case .tenSeconds: 2 * .hour
    case .minute: 2 * .day
    case .tenMinutes: 7 * .day
    case .hour: nil
    }
  }

  public static func < (a: TileWidth, b: TileWidth) -> Bool { a.rawValue < b.rawValue }
}

/// The width of a window, the finest piece of history there is.
public let windowNanos: Nanos = TileWidth.tenSeconds.nanos
