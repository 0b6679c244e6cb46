import Foundation

/// How much memory there is for this process, bytes.
public struct MachineMemory: Sendable, Equatable {
  public var bytes: Int

  public init(bytes: Int) { self.bytes = bytes }

  /// The limit of the cgroup, or the machine's memory when that is smaller or there is no limit.
  /// Where neither can be read, 1 GiB is assumed: too little costs refusals, too much the process.
  /// - Source: kernel documentation, cgroup-v2 `memory.max`; proc(5), `MemTotal`.
  public static func read(
    cgroupFile: String = "/sys/fs/cgroup/memory.max", machineFile: String = "/proc/meminfo"
  ) -> MachineMemory {
    let limits = [
      contents(of: cgroupFile).flatMap(cgroupLimit), contents(of: machineFile).flatMap(memoryTotal),
    ]
    return MachineMemory(bytes: limits.compactMap(\.self).min() ?? 1 << 30)
  }

  /// `max` means no limit of its own.
  static func cgroupLimit(_ text: String) -> Int? {
    Int(text.trimmingCharacters(in: .whitespacesAndNewlines)).flatMap { $0 > 0 ? $0 : nil }
  }

  static func memoryTotal(_ text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix("MemTotal:") {
      let fields = line.split(separator: " ")
      guard fields.count >= 2, let kibibytes = Int(fields[1]), kibibytes > 0 else { return nil }
      let (bytes, overflow) = kibibytes.multipliedReportingOverflow(by: 1024)
      return overflow ? nil : bytes
    }
    return nil
  }

  /// Nil where the file does not exist: other systems, older kernels, a cgroup root.
  private static func contents(of path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }
}
