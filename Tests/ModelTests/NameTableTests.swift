import Model
import Testing

@Suite struct NameTableTests {
  private let start: Nanos = 1_700_000_000 * .second
  private let service = NameID(77)

  private func table(operations: Int = 3, all: Int = 1000) -> NameTable {
    var limits = NameLimits()
    limits.operationsMax = operations
    limits.servicesMax = 2
    limits.namesMax = all
    return NameTable(limits: limits)
  }

  private func overflow(_ scope: NameID) -> Name {
    Name(tenant: .standard, kind: .operation, scope: scope, text: Name.overflowText)
  }

  /// Scenario: the same text is interned in two tables, as string and as bytes, twice.
  /// Guarantees: one entry, the same id everywhere, and the name can be had back.
  @Test func idsAreThoseOfTheNames() {
    let first = table()
    let second = table()
    let id = first.intern(kind: .operation, scope: service, "GET /", now: start)
    let again = first.intern(
      tenant: .standard, kind: .operation, scope: service, text: Array("GET /".utf8).span,
      now: start)
    #expect(again == id && first.count == 1)
    #expect(second.intern(kind: .operation, scope: service, "GET /", now: start) == id)
    let name = Name(tenant: .standard, kind: .operation, scope: service, text: "GET /")
    #expect(first.name(id) == name && name.id == id)
    #expect(first.name(NameID(1)) == nil)
    #expect(first.names([id, NameID(1), id]) == [id: name])
  }

  /// Scenario: a sender's bytes are no UTF-8.
  /// Guarantees: a name all the same, under the id of the bytes, with the text repaired.
  @Test func textIsRepaired() {
    let table = table()
    let bytes: [UInt8] = [0x61, 0xFF]
    let id = table.intern(
      tenant: .standard, kind: .operation, scope: service, text: bytes.span, now: start)
    #expect(table.name(id)?.text == "a\u{FFFD}" && table.name(id)?.id == id)
    #expect(
      id == Name.id(tenant: .standard, kind: .operation, scope: service, text: bytes.span))
    #expect(bytes.span.copied() == bytes)
  }

  /// Scenario: more operations than the limit, in two services and two tenants.
  /// Guarantees: what is beyond is summed under the overflow name of its own scope and counted;
  /// what was known stays known; other scopes and tenants are not touched.
  @Test func overflowIsCounted() {
    let table = table()
    let known = (0..<3).map { table.intern(kind: .operation, scope: service, "\($0)", now: start) }
    for extra in 3..<10 {
      let id = table.intern(kind: .operation, scope: service, "\(extra)", now: start)
      #expect(id == overflow(service).id && table.name(id) == overflow(service))
    }
    #expect(table.overflows == [.operation: 7])
    #expect(table.intern(kind: .operation, scope: service, "1", now: start) == known[1])
    let other = table.intern(kind: .operation, scope: NameID(78), "9", now: start)
    #expect(table.name(other)?.text == "9")
    let tenant = table.intern(
      tenant: TenantID(1), kind: .operation, scope: service, "9", now: start)
    #expect(table.name(tenant)?.text == "9")
    #expect(table.overflows == [.operation: 7] && table.count == 6)
  }

  /// Scenario: more services than the limit.
  /// Guarantees: the overflow of nodes reads as a node identity.
  @Test func overflowOfNodes() {
    let table = table()
    for index in 0..<4 {
      _ = table.intern(kind: .service, NodeIdentity(name: "\(index)").text, now: start)
    }
    let text = NodeIdentity(name: Name.overflowText).text
    let id = Name(tenant: .standard, kind: .service, text: text).id
    #expect(table.name(id)?.text == text && table.overflows == [.service: 2])
  }

  /// Scenario: names fall out of use for an hour, others do not.
  /// Guarantees: places of the unused are given back, of the used not; the overflow name takes
  /// none.
  @Test func placesAreGivenBackAfterAnHour() {
    let table = table()
    for index in 0..<3 {
      _ = table.intern(kind: .operation, scope: service, "\(index)", now: start)
    }
    let full = table.intern(kind: .operation, scope: service, "new", now: start)
    #expect(full == overflow(service).id)
    _ = table.intern(kind: .operation, scope: service, "0", now: start + 30 * .minute)
    let justNot = table.intern(kind: .operation, scope: service, "new", now: start + .hour)
    #expect(justNot == overflow(service).id)
    let later = start + .hour + 2 * .minute
    #expect(
      table.name(table.intern(kind: .operation, scope: service, "new", now: later))?.text == "new")
    #expect(
      table.name(table.intern(kind: .operation, scope: service, "more", now: later))?.text
        == "more")
    #expect(
      table.intern(kind: .operation, scope: service, "less", now: later) == overflow(service).id)
    let forgotten = Name(tenant: .standard, kind: .operation, scope: service, text: "1")
    #expect(table.name(forgotten.id) == nil)
    let kept = Name(tenant: .standard, kind: .operation, scope: service, text: "0")
    #expect(table.name(kept.id) == kept)
  }

  /// Scenario: a full service is asked for places by one new name after the other.
  /// Guarantees: it is looked through at most once a minute.
  @Test func lookingThroughIsRationed() {
    let table = table(operations: 1)
    _ = table.intern(kind: .operation, scope: service, "old", now: start)
    // Looked through now, while the name is exactly an hour old and therefore still in use.
    let id = table.intern(kind: .operation, scope: service, "new", now: start + .hour)
    #expect(id == overflow(service).id)
    let soon = table.intern(kind: .operation, scope: service, "new", now: start + .hour + .second)
    #expect(soon == overflow(service).id)
    let later = table.intern(kind: .operation, scope: service, "new", now: start + .hour + .minute)
    #expect(table.name(later)?.text == "new")
  }

  /// Scenario: all names together reach their limit with those of services that are gone.
  /// Guarantees: a new service finds a place once they are unused for an hour, and not before.
  @Test func placesOfVanishedServicesAreGivenBack() {
    let table = table(operations: 5, all: 10)
    for scope: UInt64 in [1, 2] {
      for index in 0..<5 {
        _ = table.intern(kind: .operation, scope: NameID(scope), "\(index)", now: start)
      }
    }
    let early = table.intern(kind: .operation, scope: service, "new", now: start + .minute)
    #expect(early == overflow(service).id)
    let later = table.intern(
      kind: .operation, scope: service, "new", now: start + .hour + 2 * .minute)
    #expect(table.name(later)?.text == "new")
    #expect(table.count == 1)
    for index in 0..<20 {
      _ = table.intern(kind: .operation, scope: service, "\(index)", now: start + 2 * .hour)
    }
    #expect(table.overflows == [.operation: 17])
  }

  /// Scenario: the whole table is full of names in use.
  /// Guarantees: it is looked through at most once a minute, and stays bounded.
  @Test func fullTableStaysBounded() {
    let table = table(operations: 100, all: 10)
    for index in 0..<500 {
      let now = start + Nanos(index) * .second
      let text = index < 10 || index % 2 == 0 ? "\(index % 10)" : "\(index)"
      _ = table.intern(kind: .operation, scope: service, text, now: now)
    }
    #expect(table.count == 11)
    #expect(table.overflows[.operation] == 245)
  }

  /// Scenario: names come back from a journal after a restart, more than the limit.
  /// Guarantees: all are taken in, and new ones beyond overflow.
  @Test func restoringIgnoresTheLimit() {
    let table = table()
    let names = (0..<5).map {
      Name(tenant: .standard, kind: .operation, scope: service, text: "\($0)")
    }
    for name in names + names { table.restore(name, now: start) }
    table.restore(overflow(service), now: start)
    #expect(names.allSatisfy { table.name($0.id) == $0 } && table.count == 6)
    let id = table.intern(kind: .operation, scope: service, "new", now: start)
    #expect(id == overflow(service).id)
  }

  /// Scenario: a clock that goes back.
  /// Guarantees: a name's last use does not go back with it.
  @Test func clockGoingBack() {
    let table = table(operations: 1)
    _ = table.intern(kind: .operation, scope: service, "old", now: start + .hour)
    _ = table.intern(kind: .operation, scope: service, "old", now: 0)
    let id = table.intern(kind: .operation, scope: service, "new", now: start + 2 * .hour)
    #expect(id == overflow(service).id)
  }

  /// Scenario: several tasks intern the same and different names at once.
  /// Guarantees: one id for one name, and none is lost.
  @Test func loopsShareIt() async {
    let table = NameTable()
    let service = service
    let start = start
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for index in 0..<200 {
            let id = table.intern(kind: .operation, scope: service, "\(index)", now: start)
            #expect(table.name(id)?.text == "\(index)")
          }
        }
      }
    }
    #expect(table.count == 200 && table.overflows.isEmpty)
  }

  /// Scenario: services of two tenants and other names are interned; one service is forgotten to
  /// make room.
  /// Guarantees: of a tenant exactly its services that are still there.
  @Test func servicesOfATenant() {
    var limits = NameLimits()
    limits.servicesMax = 2
    let table = NameTable(limits: limits)
    let a = table.intern(kind: .service, "a", now: start)
    _ = table.intern(kind: .external, "x", now: start)
    _ = table.intern(kind: .version, scope: a, "v1", now: start)
    let other = table.intern(tenant: TenantID(1), kind: .service, "a", now: start)
    let b = table.intern(kind: .service, "b", now: start + .hour)
    #expect(Set(table.services(tenant: .standard).map(\.id)) == [a, b])
    #expect(table.services(tenant: TenantID(1)).map(\.id) == [other])
    #expect(table.services(tenant: TenantID(2)).isEmpty)
    let c = table.intern(kind: .service, "c", now: start + .hour + 1)
    #expect(Set(table.services(tenant: .standard).map(\.id)) == [b, c])
  }
}
