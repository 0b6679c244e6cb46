import Model
import TestSupport
import Testing

@testable import Impact

/// Instances with addresses, and failed calls, of a service `shop/checkout` in `prod`.
private struct Calls {
  static let identity = NodeIdentity(environment: "prod", namespace: "shop", name: "checkout")
  let service = Name(tenant: .standard, kind: .service, text: Calls.identity.text)
  let v41: NameID
  let v42: NameID
  var names: [NameID: Name] = [:]
  var sums = WindowSums()

  init() {
    let known = [service.id].flatMap { scope in
      ["v41", "v42"].map { Name(tenant: .standard, kind: .version, scope: scope, text: $0) }
    }
    v41 = known[0].id
    v42 = known[1].id
    for name in known + [service] { names[name.id] = name }
  }

  mutating func name(
    _ kind: NameKind, _ text: String, scope: NameID = .none, tenant: TenantID = .standard
  ) -> NameID {
    let name = Name(tenant: tenant, kind: kind, scope: scope, text: text)
    names[name.id] = name
    return name.id
  }

  /// An instance answers in a window.
  mutating func answers(
    _ version: NameID, _ instance: String, at address: String = "", in window: Int
  ) {
    let text = InstanceIdentity(instance: instance, address: address).text
    let id = name(.instance, text, scope: service.id)
    var finding = Finding(
      window: Sample.time(window), key: .instance(service.id, id, version: version))
    finding.counters[.requests] = 1
    sums.add(finding)
  }

  /// A span of the service, or of another, is found below a call by a name.
  mutating func answers(
    to peer: String, _ version: NameID, in window: Int, by other: NameID? = nil
  ) {
    let peer = name(.external, NodeIdentity(environment: "prod", name: peer).text)
    var finding = Finding(
      window: Sample.time(window).floored(to: .minute),
      key: .answered(peer, by: other ?? service.id, version: version))
    finding.counters[.requests] = 1
    sums.add(finding)
  }

  /// Traces with a failed call that nobody answers for.
  mutating func fail(
    _ peer: String, at address: String = "", in window: Int = 0, count: Int64 = 1,
    environment: String = "prod", by caller: String = "front", tenant: TenantID = .standard
  ) {
    let peer = name(
      .external, NodeIdentity(environment: environment, name: peer).text, tenant: tenant)
    let address = address.isEmpty ? NameID.none : name(.address, address, tenant: tenant)
    var finding = Finding(
      window: Sample.time(window),
      key: .unreached(peer, at: address, by: name(.service, caller, tenant: tenant)))
    finding.counters[.traces] = count
    finding.counters[.errorTraces] = count
    sums.add(finding)
  }

  /// Addresses that other services' instances have too.
  var shared: Set<String> = []

  var failures: UnreachedFailures {
    UnreachedFailures(of: service, in: sums, names: names, current: v42, shared: shared)
  }

  /// v41, v42 and unknown in a window.
  func counts(in window: Int = 0) -> [Int64] {
    let failures = failures
    return [v41, v42, .none].map { failures.count(of: $0, in: Sample.time(window)) }
  }
}

@Suite("Failed calls to a service that cannot tell of them") struct UnreachedFailuresTests {
  /// Scenario: peers called as a service can be called, and as it cannot.
  /// Guarantees: plain name, namespace/name and the names of Kubernetes are the service; others that
  /// begin or end alike are not.
  @Test(arguments: [
    ("checkout", true), ("shop/checkout", true), ("checkout.shop", true),
    ("checkout.shop.svc", true), ("checkout.shop.svc.cluster.local", true),
    ("checkout.pay", false), ("pay/checkout", false), ("checkouts", false), ("xcheckout", false),
    ("checkout.shopping", false), ("checkout.shop.example.com", false), ("shop", false),
    ("Checkout", false), ("10.0.0.5", false), ("", false),
  ]) func byName(peer: String, isService: Bool) {
    var calls = Calls()
    calls.fail(peer, count: 3)
    #expect(calls.counts() == [0, 0, isService ? 3 : 0])
    #expect(
      PeerText.names(NodeIdentity(environment: "prod", name: peer).text, Calls.identity)
        == isService)
  }

  /// Scenario: a service without a namespace.
  /// Guarantees: only its plain name stands for it.
  @Test func withoutNamespace() {
    let service = NodeIdentity(name: "checkout")
    #expect(PeerText.names(NodeIdentity(name: "checkout").text, service))
    #expect(PeerText.names("checkout", service))
    for peer in ["/checkout", "checkout.", "checkout..svc", "shop/checkout", "checkout.svc"] {
      #expect(!PeerText.names(NodeIdentity(name: peer).text, service), "\(peer)")
    }
    #expect(!PeerText.names(NodeIdentity(namespace: "shop", name: "checkout").text, service))
  }

  /// Scenario: calls from another environment, and from another tenant, by name and by an address
  /// that one of the service's instances has.
  /// Guarantees: they are not this service's; private addresses are used again elsewhere. From an
  /// environment that is not named, the address decides.
  @Test func elsewhere() {
    var calls = Calls()
    calls.answers(calls.v42, "pod-1", at: "10.0.0.5", in: 0)
    calls.fail("checkout", at: "10.0.0.5", environment: "staging")
    calls.fail("gateway", at: "10.0.0.5", environment: "staging")
    calls.fail("checkout", at: "10.0.0.5", tenant: TenantID(1))
    calls.fail("gateway", at: "10.0.0.5", tenant: TenantID(1))
    calls.fail("checkout", environment: "")
    #expect(calls.counts() == [0, 0, 0] && calls.failures.windows.isEmpty)
    calls.fail("10.0.0.5", at: "10.0.0.5", environment: "")
    #expect(calls.counts() == [0, 1, 0])
  }

  /// Scenario: calls to addresses of one version's instances, by the address, by the name of the pod
  /// and by that of an instance without an address; and calls that name somebody else.
  /// Guarantees: they are laid to that version; to an address nobody had, they are of nobody known;
  /// who names somebody else calls somebody else, on the same host or where a pod was before.
  @Test func byAddress() {
    var calls = Calls()
    calls.answers(calls.v41, "pod-1", at: "10.0.0.4", in: 0)
    calls.answers(calls.v42, "pod-2", at: "10.0.0.5", in: 0)
    calls.answers(calls.v42, "host-3", in: 0)
    calls.fail("checkout", at: "10.0.0.4", count: 2)
    calls.fail("checkout", at: "10.0.0.5", count: 3)
    calls.fail("pod-2", at: "pod-2", count: 5)
    calls.fail("host-3", at: "host-3", count: 7)
    calls.fail("cart", at: "10.0.0.5", count: 19)
    calls.fail("10.0.0.9", at: "host-3", count: 23)
    calls.fail("checkout", at: "10.0.0.99", count: 11)
    calls.fail("balancer", at: "10.0.0.99", count: 13)
    calls.fail("balancer", count: 17)
    #expect(calls.counts() == [2, 15, 11])
    #expect(calls.failures.windows == [Sample.time(0)])
  }

  /// Scenario: an address moves from an instance of v41 to one of v42, some windows apart.
  /// Guarantees: a failure counts for who had it last; before anybody had it, for who had it first.
  @Test func anAddressThatMoved() {
    var calls = Calls()
    for window in 5...10 { calls.answers(calls.v41, "pod-1", at: "10.0.0.5", in: window) }
    for window in 20...30 { calls.answers(calls.v42, "pod-2", at: "10.0.0.5", in: window) }
    for window in [0, 5, 10, 19, 20, 30, 90] {
      calls.fail("checkout", at: "10.0.0.5", in: window)
      #expect(calls.counts(in: window) == (window < 20 ? [1, 0, 0] : [0, 1, 0]), "\(window)")
    }
  }

  /// Scenario: instances of both versions have an address in one window, and one of them later.
  /// Guarantees: while both have it nobody knows; afterwards it is clear again.
  @Test func aSharedAddress() {
    var calls = Calls()
    calls.answers(calls.v41, "pod-1", at: "10.1.0.1", in: 0)
    calls.answers(calls.v42, "pod-2", at: "10.1.0.1", in: 0)
    calls.answers(calls.v42, "pod-2", at: "10.1.0.1", in: 4)
    for window in [0, 3] {
      calls.fail("checkout", at: "10.1.0.1", in: window)
      #expect(calls.counts(in: window) == [0, 0, 1])
    }
    calls.fail("checkout", at: "10.1.0.1", in: 4)
    #expect(calls.counts(in: 4) == [0, 1, 0])
  }

  /// Scenario: an instance that names no version, and one of another service with the same address.
  /// Guarantees: the first is of nobody known; the second does not make an address known.
  @Test func oddInstances() {
    var calls = Calls()
    calls.answers(.none, "pod-1", at: "10.0.0.5", in: 0)
    calls.fail("10.0.0.5", at: "10.0.0.5")
    #expect(calls.counts() == [0, 0, 1])
    let other = Name(tenant: .standard, kind: .service, text: "other")
    #expect(
      UnreachedFailures(
        of: other, in: calls.sums, names: calls.names, current: calls.v42
      ).windows.isEmpty)
    #expect(
      UnreachedFailures(of: calls.service, in: calls.sums, names: [:], current: calls.v42)
        .windows.isEmpty)
  }

  /// Scenario: names that both versions answered to, the old one alone, the new one alone.
  /// Guarantees: a name of the new version's own is the new version. The old one alone may have
  /// answered because the new one could not: nobody knows, unless the new one has a name of its own.
  @Test func byAnswers() {
    var calls = Calls()
    calls.answers(to: "checkout-any", calls.v41, in: 10)
    calls.answers(to: "checkout-any", calls.v42, in: 22)
    calls.answers(to: "checkout-old", calls.v41, in: 10)
    for name in ["checkout-any", "checkout-old"] { calls.fail(name, in: 30) }
    #expect(calls.counts(in: 30) == [0, 0, 2])
    calls.answers(to: "checkout-new", calls.v42, in: 40)
    calls.fail("checkout-new", in: 30, count: 4)
    #expect(calls.counts(in: 30) == [1, 4, 1])
  }

  /// Scenario: an instance's address is also that of another service's.
  /// Guarantees: a failure there is of no version that is known.
  @Test func addressesOfOthers() {
    var calls = Calls()
    calls.answers(calls.v42, "pod-2", at: "10.0.0.5", in: 0)
    calls.fail("checkout", at: "10.0.0.5")
    #expect(calls.counts() == [0, 1, 0])
    calls.shared = ["10.0.0.5"]
    #expect(calls.counts() == [0, 0, 1])
  }

  /// Scenario: behind one name stand several services, as behind a balancer; then the address of an
  /// instance is told besides.
  /// Guarantees: a failure by that name is laid to no version; the address decides where it can.
  @Test func behindABalancer() {
    var calls = Calls()
    calls.answers(to: "balancer", calls.v42, in: 0)
    calls.answers(to: "balancer", NameID(77), in: 0, by: NameID(8))
    calls.fail("balancer")
    #expect(calls.counts() == [0, 0, 1])
    calls.answers(calls.v41, "pod-1", at: "10.0.0.4", in: 0)
    calls.fail("balancer", at: "10.0.0.4")
    #expect(calls.counts() == [1, 0, 1])
    var others = Calls()
    others.answers(to: "balancer", NameID(77), in: 0, by: NameID(8))
    others.fail("balancer")
    #expect(others.counts() == [0, 0, 0])
  }

  /// Scenario: the peer is called anything, and the host the call went to is the service's name.
  /// Guarantees: it is the service's, of a version nobody knows.
  @Test func byHost() {
    var calls = Calls()
    calls.fail("payment-api", at: "checkout.shop.svc.cluster.local")
    calls.fail("payment-api", at: "checkout")
    calls.fail("payment-api", at: "checkout", environment: "staging")
    calls.fail("payment-api", at: "cart")
    #expect(calls.counts() == [0, 0, 2])
  }

  /// Scenario: random holders of few addresses, over many windows.
  /// Guarantees: who had an address is what looking through all windows finds.
  @Test func asLookingThroughAll() {
    var random = SeededGenerator()
    for _ in 0..<40 {
      var calls = Calls()
      var held: [(window: Int, version: NameID)] = []
      for _ in 0..<random.below(8) {
        let window = random.below(20)
        let version = random.once(in: 2) ? calls.v41 : calls.v42
        held.append((window, version))
        calls.answers(version, "pod", at: "10.0.0.5", in: window)
      }
      calls.fail("checkout", at: "10.0.0.5", in: 0)
      for window in 0..<22 {
        let book = AddressBook(of: calls.service.id, in: calls.sums, names: calls.names)
        let moment =
          held.map(\.window).filter { $0 <= window }.max() ?? held.map(\.window).min()
        let versions = Set(held.filter { $0.window == moment }.map(\.version))
        let expected = versions.count == 1 ? versions.first ?? .none : .none
        #expect(book.version(at: "10.0.0.5", in: Sample.time(window)) == expected)
      }
    }
  }
}
