import Testing

@testable import Model

@Suite struct NameTests {
  /// Scenario: names with known ids. Computed apart from this code, by a SipHash-1-3 written in
  /// another language and checked against the published SipHash-2-4 and 1-3 vectors.
  /// Guarantees: ids on disks and in journals keep their meaning.
  @Test func idsNeverChange() {
    let checkout = Name(tenant: .standard, kind: .service, text: "\u{1F}\u{1F}checkout")
    #expect(checkout.id.raw == 0x7588_451b_ccd5_2060)
    let expected: [(Name, UInt64)] = [
      (
        Name(tenant: .standard, kind: .service, text: "prod\u{1F}shop\u{1F}checkout"),
        0x30c0_8c64_6aa2_5681
      ),
      (Name(tenant: TenantID(7), kind: .service, text: checkout.text), 0x86f0_5961_7c3b_7c57),
      (
        Name(tenant: .standard, kind: .operation, scope: checkout.id, text: "GET /"),
        0xb7d2_f812_45b0_51c0
      ),
      (
        Name(tenant: .standard, kind: .version, scope: checkout.id, text: "v42"),
        0xb5b4_c471_8b45_568c
      ),
      (
        Name(tenant: .standard, kind: .operation, scope: checkout.id, text: "Größe → 東京"),
        0xe4ba_cb1a_dde5_5d4c
      ),
      (Name(tenant: .standard, kind: .database, text: ""), 0x1b67_3593_5daf_9c9e),
      (
        Name(tenant: .standard, kind: .operation, scope: checkout.id, text: Name.overflowText),
        0xb020_e00b_e41e_52ec
      ),
    ]
    for (name, id) in expected { #expect(name.id.raw == id, "\(name.text)") }
  }

  /// Scenario: the published key and messages 00 01 02 … of several lengths.
  /// Guarantees: the hash is SipHash-1-3.
  @Test(
    arguments: [
      (0, 0xabac_0158_050f_c4dc), (1, 0xc9f4_9bf3_7d57_ca93), (7, 0xd392_7d98_9bb1_1140),
      (8, 0x3690_9511_8d29_9a8e), (9, 0x25a4_8eb3_6c06_3de4), (15, 0xd320_d86d_2a51_9956),
      (16, 0xcc4f_dd1a_7d90_8b66), (63, 0x9d19_9062_b7bb_b3a8),
    ] as [(Int, UInt64)])
  func sipHashVectors(count: Int, expected: UInt64) {
    var hash = SipHash(key0: 0x0706_0504_0302_0100, key1: 0x0f0e_0d0c_0b0a_0908)
    let message = (0..<count).map { UInt8($0) }
    #expect(hash.finish(over: message.span) == expected)
  }

  /// Scenario: names that differ in one part only.
  /// Guarantees: their ids differ, and none is the id of nothing.
  @Test func everyPartCounts() {
    var ids: Set<NameID> = []
    var count = 0
    for tenant in [TenantID(0), TenantID(1), TenantID(.max)] {
      for kind in NameKind.allCases {
        for scope in [NameID.none, NameID(1)] {
          for text in ["", "a", "b", "ab", "abcdefgh", "abcdefgh\u{0}"] {
            let name = Name(tenant: tenant, kind: kind, scope: scope, text: text)
            #expect(!name.id.isNone)
            #expect(
              name.id
                == Name.id(
                  tenant: tenant, kind: kind, scope: scope, text: Array(text.utf8).span))
            ids.insert(name.id)
            count += 1
          }
        }
      }
    }
    #expect(ids.count == count)
  }

  /// Scenario: the identity of a node is put into its name's text and read from it.
  /// Guarantees: the three parts come back; a text without parts is a name.
  @Test func nodeIdentityText() {
    for environment in ["", "prod"] {
      for namespace in ["", "shop"] {
        for name in ["", "checkout", "10.0.0.1:80", "→ 東京", "__overflow__"] {
          let identity = NodeIdentity(environment: environment, namespace: namespace, name: name)
          #expect(NodeIdentity(text: identity.text) == identity)
        }
      }
    }
    #expect(NodeIdentity(name: "checkout").text == "\u{1F}\u{1F}checkout")
    #expect(NodeIdentity(text: "checkout") == NodeIdentity(name: "checkout"))
    #expect(NodeIdentity(text: "a\u{1F}b") == NodeIdentity(name: "a\u{1F}b"))
    #expect(NodeIdentity(text: "a\u{1F}b\u{1F}c\u{1F}d").name == "c\u{1F}d")
    #expect(NodeIdentity.separator == "\u{1F}")
  }

  /// Scenario: the kinds of names.
  /// Guarantees: the numbers on disk stay; the first four and clients are nodes.
  @Test func kinds() {
    #expect(NameKind.allCases.map(\.rawValue) == Array(1...10))
    #expect(
      NameKind.allCases.filter(\.isNode) == [.service, .database, .messaging, .external, .client])
    #expect(
      NameKind.allCases.map(NameLimits.label) == [
        "services", "databases", "messaging", "external", "versions_per_service",
        "instances_per_service", "operations_per_service", "addresses", "clients",
        "dimensions",
      ])
    let limits = NameLimits()
    #expect(
      NameKind.allCases.map(limits.count) == [
        10_000, 5_000, 5_000, 5_000, 100, 2_000, 1_000, 5_000, 5_000, 5_000,
      ])
  }

  /// Scenario: dimensions from pairs and from a text, in any order, with `=` in a value, and empty.
  /// Guarantees: the text is the same whatever the order; the text tells the pairs.
  @Test func dimensions() {
    let cluster = Dimensions.Pair(attribute: "k8s.cluster.name", value: "eu=1")
    let region = Dimensions.Pair(attribute: "cloud.region", value: "")
    let dimensions = Dimensions([cluster, region])
    #expect(dimensions.text == "cloud.region=\u{1F}k8s.cluster.name=eu=1")
    #expect(Dimensions(text: dimensions.text) == dimensions)
    #expect(Dimensions([region, cluster]) == dimensions)
    #expect(dimensions["k8s.cluster.name"] == "eu=1" && dimensions["k8s"] == nil)
    #expect(Dimensions(text: "") == Dimensions([]) && Dimensions([]).text.isEmpty)
    #expect(Dimensions(text: "bare").pairs == [.init(attribute: "bare", value: "")])
  }

  /// Scenario: instances with and without an address, from a text and back; what they call
  /// themselves may be an address too.
  /// Guarantees: the text of an instance without an address is what it calls itself; the address is
  /// what stands behind the first separator.
  @Test(arguments: [
    ("pod-1", "10.0.0.5", "pod-1\u{1F}10.0.0.5"), ("pod-1", "", "pod-1"), ("", "", ""),
    ("10.0.0.5", "10.0.0.5", "10.0.0.5\u{1F}10.0.0.5"), ("", "::1", "\u{1F}::1"),
  ]) func instanceIdentity(instance: String, address: String, text: String) {
    let identity = InstanceIdentity(instance: instance, address: address)
    #expect(identity.text == text)
    #expect(InstanceIdentity(text: text) == identity)
  }

  /// Scenario: a text with more than one separator, and one that ends in it.
  /// Guarantees: it is read without loss, and without a trap.
  @Test func oddInstanceIdentities() {
    let odd = InstanceIdentity(text: "a\u{1F}b\u{1F}c")
    #expect(odd.instance == "a" && odd.address == "b\u{1F}c")
    #expect(InstanceIdentity(text: "a\u{1F}") == InstanceIdentity(instance: "a"))
  }

  /// Scenario: identities with ordinary names, and with what divides, quotes or cannot be seen in them.
  /// Guarantees: ordinary ones are written as they are; all else is percent-encoded, so that no two are alike.
  @Test func paths() {
    func path(_ namespace: String, _ name: String) -> String {
      NodeIdentity(namespace: namespace, name: name).path
    }
    #expect(path("", "checkout") == "checkout" && path("shop", "checkout") == "shop/checkout")
    #expect(path("é", "漢字 (2)|\"") == "é/漢字 (2)|\"")
    #expect(path("", "shop/cart") == "shop%2Fcart" && path("", "shop%2Fcart") == "shop%252Fcart")
    #expect(path("a/b", "c") == "a%2Fb/c" && path("a", "b/c") == "a/b%2Fc")
    #expect(path("", "a\tb\n\u{1}\u{7F}") == "a%09b%0A%01%7F")
    #expect(path("", "\u{202E}\u{2028}\u{FFFE}\u{85}") == "%E2%80%AE%E2%80%A8%EF%BF%BE%C2%85")
    var seen: Set<String> = []
    let parts = ["", "a", "/", "%", "%2F", "a/", "/a", "2F", "\n", "%0A"]
    for namespace in parts {
      for name in parts where !(namespace.isEmpty && name.isEmpty) {
        #expect(seen.insert(path(namespace, name)).inserted, "\(namespace) \(name)")
      }
    }
  }
}
