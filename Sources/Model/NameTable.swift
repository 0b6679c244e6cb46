import Synchronization

/// The texts behind the ids in use, shared by all loops. Bounded: what finds no room is summed under
/// `Name.overflowText` of its kind and scope, and counted.
///
/// A name counts against its limit while it was used within the last hour; one longer unused gives
/// its place back when the place is asked for, because versions, pods and addresses never end.
public final class NameTable: Sendable {
  private let state: Mutex<State>

  public init(limits: NameLimits = NameLimits()) {
    state = Mutex(State(limits: limits))
  }

  /// The id for a text: its own, or that of the overflow name when its kind is full in its scope.
  /// - Units: `now` in Unix nanoseconds.
  public func intern(
    tenant: TenantID, kind: NameKind, scope: NameID = .none, text: Span<UInt8>, now: Nanos
  ) -> NameID {
    let id = Name.id(tenant: tenant, kind: kind, scope: scope, text: text)
    if state.withLock({ $0.touch(id, now: now) }) { return id }
    let name = Name(
      tenant: tenant, kind: kind, scope: scope,
      text: String(decoding: text.copied(), as: UTF8.self))
    return state.withLock { $0.add(name, id: id, now: now) }
  }

  /// The same for a text that is a string already.
  public func intern(
    tenant: TenantID = .standard, kind: NameKind, scope: NameID = .none, _ text: String,
    now: Nanos
  ) -> NameID {
    intern(tenant: tenant, kind: kind, scope: scope, text: Array(text.utf8).span, now: now)
  }

  /// Takes in a name that was accepted before (from a journal or a store), whatever the limits.
  public func restore(_ name: Name, now: Nanos) {
    state.withLock { $0.restore(name, now: now) }
  }

  public func name(_ id: NameID) -> Name? { state.withLock { $0.entries[id]?.name } }

  public func names(_ ids: some Sequence<NameID>) -> [NameID: Name] {
    state.withLock { state in
      var found: [NameID: Name] = [:]
      for id in ids { if let entry = state.entries[id] { found[id] = entry.name } }
      return found
    }
  }

  /// The services of a tenant that are in use, or were not long ago.
  public func services(tenant: TenantID) -> [Name] {
    state.withLock { state in
      state.services.compactMap { state.entries[$0]?.name }.filter { $0.tenant == tenant }
    }
  }

  public var count: Int { state.withLock { $0.entries.count } }

  /// How often a name was summed under overflow, by limit.
  public var overflows: [NameKind: UInt64] { state.withLock { $0.overflows } }

  /// How long a name is held to be in use after it was last seen.
  public static let activeNanos: Nanos = .hour

  private struct Entry {
    var name: Name
    var lastUsed: Nanos

    var bucket: Bucket { Bucket(tenant: name.tenant, kind: name.kind, scope: name.scope) }
    /// The overflow name takes no place: it stands for those that found none.
    var takesPlace: Bool { name.text != Name.overflowText(of: name.kind) }
  }

  private struct Bucket: Hashable {
    var tenant: TenantID
    var kind: NameKind
    var scope: NameID
  }

  private struct State: ~Copyable {
    let limits: NameLimits
    var entries: [NameID: Entry] = [:]
    var counts: [Bucket: Int] = [:]
    /// The ids of the entries that are services.
    var services: Set<NameID> = []
    var sweptAt: [Bucket: Nanos] = [:]
    var allSweptAt: Nanos?
    var overflows: [NameKind: UInt64] = [:]

    init(limits: NameLimits) { self.limits = limits }

    mutating func touch(_ id: NameID, now: Nanos) -> Bool {
      guard let index = entries.index(forKey: id) else { return false }
      if entries.values[index].lastUsed < now { entries.values[index].lastUsed = now }
      return true
    }

    mutating func add(_ name: Name, id: NameID, now: Nanos) -> NameID {
      if touch(id, now: now) { return id }
      let bucket = Bucket(tenant: name.tenant, kind: name.kind, scope: name.scope)
      if isFull(bucket) { sweep(bucket, now: now) }
      if isFull { sweepAll(now: now) }
      guard !isFull(bucket), !isFull else { return overflow(bucket, now: now) }
      var kept = name
      kept.id = id
      insert(kept, now: now)
      return id
    }

    mutating func restore(_ name: Name, now: Nanos) {
      guard !touch(name.id, now: now) else { return }
      insert(name, now: now)
    }

    private mutating func overflow(_ bucket: Bucket, now: Nanos) -> NameID {
      overflows[bucket.kind, default: 0] += 1
      let name = Name(
        tenant: bucket.tenant, kind: bucket.kind, scope: bucket.scope,
        text: Name.overflowText(of: bucket.kind))
      restore(name, now: now)
      return name.id
    }

    private mutating func insert(_ name: Name, now: Nanos) {
      let entry = Entry(name: name, lastUsed: now)
      entries[name.id] = entry
      if name.kind == .service { services.insert(name.id) }
      if entry.takesPlace { counts[entry.bucket, default: 0] += 1 }
    }

    private func isFull(_ bucket: Bucket) -> Bool {
      counts[bucket, default: 0] >= limits.count(of: bucket.kind)
    }

    private var isFull: Bool { entries.count >= limits.namesMax }

    /// Gives back the places of names long unused: of one bucket, at most once a minute, because
    /// a full bucket is asked for a place by every new name.
    private mutating func sweep(_ bucket: Bucket, now: Nanos) {
      if let last = sweptAt[bucket], now.saturatingSubtracting(last) < .minute { return }
      sweptAt[bucket] = now
      let horizon = now.saturatingSubtracting(NameTable.activeNanos)
      forget { $0.lastUsed < horizon && $0.bucket == bucket }
    }

    /// The same for the whole table, when all names together are too many: the places of services
    /// that are gone are asked for by nobody else.
    private mutating func sweepAll(now: Nanos) {
      if let last = allSweptAt, now.saturatingSubtracting(last) < .minute { return }
      allSweptAt = now
      let horizon = now.saturatingSubtracting(NameTable.activeNanos)
      forget { $0.lastUsed < horizon }
      sweptAt = sweptAt.filter { now.saturatingSubtracting($0.value) < .minute }
    }

    private mutating func forget(_ isUnused: (Entry) -> Bool) {
      for entry in entries.values.filter(isUnused) {
        entries.removeValue(forKey: entry.name.id)
        services.remove(entry.name.id)
        guard entry.takesPlace, let count = counts[entry.bucket] else { continue }
        counts[entry.bucket] = count > 1 ? count - 1 : nil
      }
    }
  }
}

extension Span<UInt8> {
  /// The bytes as an array of their own.
  public func copied() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for index in indices { bytes.append(self[index]) }
    return bytes
  }
}
