/// What everything together may take of the machine's memory.
public enum MemoryLimit: Sendable, Equatable {
  /// Half of what the machine, or the cgroup the process runs in, has.
  case automatic
  case bytes(Int)

  /// The limit in bytes on a machine with this much memory.
  public func bytes(on machine: MachineMemory) -> Int {
    switch self {
    case .automatic: max(machine.bytes / 2, MemoryLimit.bytesMin)
    case .bytes(let bytes): bytes
    }
  }

  /// Below this a gateway cannot hold one request of the usual limit.
  public static let bytesMin = 64 << 20
}
