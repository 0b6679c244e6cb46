import Glibc
import Model

/// The machine's clock. Everything else gets its time as an argument or as a closure.
enum SystemClock {
  /// Unix nanoseconds.
  static let now: @Sendable () -> Nanos = {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Nanos(max(0, time.tv_sec)) &* .second &+ Nanos(max(0, time.tv_nsec))
  }
}
