internal import Glibc

/// The machine's clock. Stages get their time as an argument or as a closure; who starts them reads it
/// here.
///
/// It stands in a module that knows of no C but the system's: where another C module includes the same
/// headers first, the compiler takes their types for that module's.
public enum WallClock {
  /// Unix nanoseconds.
  @Sendable
  public static func now() -> Nanos {
    var time = timespec()
    // Cannot fail: the clock exists and the pointer is valid.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Nanos(max(0, time.tv_sec)) &* .second &+ Nanos(max(0, time.tv_nsec))
  }
}
