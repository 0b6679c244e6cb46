import Foundation
import Model
import Testing

@testable import Graph

#if canImport(FoundationXML)
import FoundationXML
#endif

@Suite struct GraphPictureTests {
  /// Names that try to leave their quotes, their line or their document.
  static let hostileNames = [
    "a\"b", "a\\", "a\\\"; evil", "a\nb", "a\tb", "a\u{1}b", "a?b", "a%0Ab", "<b>&amp;",
    "a|b;c#d`e`", "\u{1B}[31mred", "é – 漢字",
    "]] end", "\u{202E}reversed", "\u{FFFE}", "\u{FFFF}", "?", "--> n0", "\\N\\G", "shop/cart",
    "shop%2Fcart", "/", "%", "database:orders", "external:", "a → b", "b (database)", "b ()",
    "a (prod)",
  ]

  private func hostile() -> GraphFixture {
    var fixture = GraphFixture()
    let root = fixture.node("root", namespace: "name \"space\"")
    for name in GraphPictureTests.hostileNames {
      let node = fixture.node(name)
      fixture.call(root, node, requests: 10, failed: 1)
    }
    return fixture
  }

  /// Scenario: the shop as DOT.
  /// Guarantees: every statement of it, with figures and colours.
  @Test func dot() throws {
    let dot = try Shop().fixture.graph().dot
    #expect(dot.hasPrefix("digraph spangate {\n"))
    #expect(dot.hasSuffix("}\n"))
    #expect(dot.contains(#""shop/frontend" [label="shop/frontend\n10/s\np95 50"#))
    #expect(dot.contains(#""database:orders" [label="database:orders\n0/s", shape=cylinder"#))
    #expect(
      dot.contains(
        #""shop/frontend" -> "shop/checkout" [label="8/s\n10% failed\np95 40"#))
    #expect(dot.contains(##"color="#c62828""##))
    #expect(dot.contains("style=dashed"))
  }

  /// Scenario: names with quotes, backslashes, newlines, markup and control characters.
  /// Guarantees: each line stays one statement whose quoted strings end where they should.
  @Test func dotIsWellFormed() throws {
    let fixture = hostile()
    let lines = try fixture.graph().dot.split(separator: "\n").dropFirst(4).dropLast()
    #expect(lines.count == GraphPictureTests.hostileNames.count * 2 + 1)
    for line in lines {
      let statement = try #require(DOTStatement(String(line)))
      #expect(statement.ids.count == 1 || statement.ids.count == 2)
      #expect(statement.attributes["label"] != nil)
    }
  }

  /// Scenario: the shop and the hostile names as Mermaid.
  /// Guarantees: a header, one line a node and an edge; nothing raw that could end a label.
  @Test func mermaid() throws {
    let lines = try Shop().fixture.graph().mermaid.split(separator: "\n")
    #expect(lines[0] == "flowchart LR")
    #expect(lines[1] == #"  n0[("database:orders<br/>0/s")]"#)
    #expect(lines.contains { $0.hasPrefix(#"  n4 -->|"8/s, 10% failed, p95 4"#) })
    #expect(lines.contains { $0.contains("-.->") })
    #expect(lines.last == "  linkStyle 3 stroke:#c62828")
    for line in try hostile().graph().mermaid.split(separator: "\n").dropFirst() {
      let isLinkStyle = line.hasPrefix("  linkStyle ")
      #expect(isLinkStyle || line.filter { $0 == "\"" }.count == 2)
      let label = line.split(separator: "\"", omittingEmptySubsequences: false)
      guard !isLinkStyle else { continue }
      let text = label[1].replacing("<br/>", with: "")
      #expect(!text.contains { "<>`|\\".contains($0) })
    }
  }

  /// Scenario: hostile names as GraphML, read by an XML parser.
  /// Guarantees: well formed; every node and edge is there, every edge ends at a node.
  @Test func graphML() throws {
    let reader = GraphMLReader()
    let parser = XMLParser(data: Data(try hostile().graph().graphML.utf8))
    parser.delegate = reader
    #expect(parser.parse())
    #expect(reader.nodes.count == GraphPictureTests.hostileNames.count + 1)
    #expect(reader.edges.count == GraphPictureTests.hostileNames.count)
    #expect(reader.edges.allSatisfy { reader.nodes.contains($0.0) && reader.nodes.contains($0.1) })
    #expect(reader.nodes.contains("a\"b") && reader.nodes.contains("a%0Ab"))
    #expect(reader.dataKeys.isSubset(of: reader.keys))
  }

  /// Scenario: hostile names with and without a namespace, as services and as what does not report, in two
  /// environments and in none; all joined by edges of several types.
  /// Guarantees: every node has an id of its own in GraphML, DOT, Mermaid, JSON and Grafana, every edge one in
  /// Grafana, and every edge ends at a node; ids are found again.
  @Test func idsAreUnique() throws {
    var fixture = GraphFixture()
    var nodes: [NameID] = []
    let names = GraphPictureTests.hostileNames + ["cart", "orders", "plain", "b", "a"]
    for environment in ["", "prod", "b) (c"] {
      for (namespace, kind) in [
        ("", NameKind.service), ("shop", .service), ("shop/cart", .service), ("", .database),
        ("shop", .external),
      ] {
        for name in names {
          nodes.append(
            fixture.node(name, namespace: namespace, environment: environment, kind: kind))
        }
      }
    }
    for (index, node) in nodes.enumerated() {
      fixture.call(nodes[0], node)
      fixture.call(nodes[index / 2], node, .database)
    }
    let graph = try fixture.graph()
    #expect(graph.nodes.count == nodes.count)

    let reader = GraphMLReader()
    let parser = XMLParser(data: Data(graph.graphML.utf8))
    parser.delegate = reader
    #expect(parser.parse() && reader.nodes.count == nodes.count)
    #expect(reader.edges.allSatisfy { reader.nodes.contains($0.0) && reader.nodes.contains($0.1) })

    let statements = graph.dot.split(separator: "\n").compactMap { DOTStatement(String($0)) }
    let drawn = statements.filter { $0.ids.count == 1 }.map { $0.ids[0] }
    #expect(drawn.count == nodes.count && Set(drawn).count == nodes.count)
    #expect(graph.mermaid.split(separator: "\n").count == 1 + nodes.count + graph.edges.count)

    let grafana = try NodeGraph.data(graph).parsed()
    for part in ["nodes", "edges"] {
      let members = try #require(grafana[part] as? [[String: Any]])
      let ids = members.compactMap { $0["id"] as? String }
      #expect(ids.count == members.count && Set(ids).count == ids.count, "\(part)")
    }

    for environment in ["", "prod"] {
      let same = graph.nodes.filter { $0.environment == environment }
      #expect(Set(same.map(\.id)).count == same.count)
      let known = same.compactMap { fixture.names[$0.nameID] }
      for node in same {
        #expect(try NodeLabel.nodes(named: node.id, among: known) == [node.nameID], "\(node.id)")
      }
    }
  }

  /// Scenario: names that are asked for as they are, and as ids with nothing encoded.
  /// Guarantees: they are found where one node is meant; where two are, the answer names both ids.
  @Test func plainIDs() throws {
    var fixture = GraphFixture()
    let topic = fixture.node("sensors/cellar", kind: .messaging)
    let slash = fixture.node("shop/cart")
    fixture.call(slash, topic, .messagingSystem)
    func found(_ service: String) throws -> [NameID] {
      try GraphBuilder.build(
        fixture.input, tenant: fixture.tenant, options: GraphOptions(service: service, depth: 0)
      ).nodes.map(\.nameID)
    }
    for text in ["sensors/cellar", "messaging:sensors/cellar", "messaging:sensors%2Fcellar"] {
      #expect(try found(text) == [topic])
    }
    #expect(try found("shop/cart") == [slash] && found("shop%2Fcart") == [slash])
    let cart = fixture.node("cart", namespace: "shop")
    fixture.call(cart, topic, .messagingSystem)
    #expect(try found("shop/cart") == [cart] && found("shop%2Fcart") == [slash])
    let plain = fixture.node("sensors/cellar", kind: .database)
    fixture.call(cart, plain, .database)
    #expect(
      throws: GraphError.ambiguous(
        service: "sensors/cellar", ids: ["database:sensors%2Fcellar", "messaging:sensors%2Fcellar"])
    ) { try found("sensors/cellar") }
  }

  /// Scenario: one id in two environments.
  /// Guarantees: pictures keep the two apart.
  @Test func environmentsInPictures() throws {
    var fixture = GraphFixture()
    for environment in ["prod", "test"] {
      let a = fixture.node("a", environment: environment)
      let b = fixture.node("b", environment: environment, kind: .external)
      fixture.call(a, b, .virtualNode)
    }
    let graph = try fixture.graph()
    #expect(graph.dot.contains(#""a (prod)" -> "external:b (prod)""#))
    #expect(graph.dot.contains(#""a (test)" -> "external:b (test)""#))
    #expect(graph.mermaid.contains("a (prod)"))
    #expect(GraphTable.text(graph).contains("external:b (test)"))
  }
}

/// One line of DOT, read by the rules of its quoted strings.
struct DOTStatement {
  var ids: [String] = []
  var attributes: [String: String] = [:]

  /// nil when the line is not `id [-> id] [name=value, …];`.
  init?(_ line: String) {
    var rest = line[...]
    func skipBlanks() { rest = rest.drop { $0 == " " } }
    func quoted() -> String? {
      guard rest.first == "\"" else { return nil }
      rest = rest.dropFirst()
      var text = ""
      while let character = rest.popFirst() {
        if character == "\"" { return text }
        text.append(character)
        if character == "\\" {
          guard let next = rest.popFirst() else { return nil }
          text.append(next)
        }
      }
      return nil
    }
    skipBlanks()
    guard let first = quoted() else { return nil }
    ids = [first]
    skipBlanks()
    if rest.hasPrefix("-> ") {
      rest = rest.dropFirst(3)
      guard let second = quoted() else { return nil }
      ids.append(second)
      skipBlanks()
    }
    guard rest.popFirst() == "[" else { return nil }
    while rest.first != "]" {
      let name = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(name.count)
      guard rest.popFirst() == "=" else { return nil }
      if rest.first == "\"" {
        guard let value = quoted() else { return nil }
        attributes[String(name)] = value
      } else {
        let value = rest.prefix { $0.isLetter }
        rest = rest.dropFirst(value.count)
        attributes[String(name)] = String(value)
      }
      if rest.hasPrefix(", ") { rest = rest.dropFirst(2) } else if rest.first != "]" { return nil }
    }
    guard rest == "];" else { return nil }
  }
}

private final class GraphMLReader: NSObject, XMLParserDelegate {
  var keys: Set<String> = []
  var nodes: Set<String> = []
  var edges: [(String, String)] = []
  var dataKeys: Set<String> = []

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    switch element {
    case "key": keys.insert(attributes["id"] ?? "")
    case "node": nodes.insert(attributes["id"] ?? "")
    case "edge": edges.append((attributes["source"] ?? "", attributes["target"] ?? ""))
    case "data": dataKeys.insert(attributes["key"] ?? "")
    default: break
    }
  }
}
