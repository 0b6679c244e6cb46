import Foundation
import Yams

/// Reads a YAML file into settings: nested mappings become dotted paths, scalars stay text.
struct ConfigurationFile {
  private let name: String
  private(set) var settings: [ConfigurationSetting] = []
  private(set) var problems: [ConfigurationProblem] = []
  private var nodesLeft = nodesMax

  /// A configuration has some dozens of lines; beyond this it is another file by mistake.
  static let bytesMax = 1 << 20
  /// How many nodes are looked at.
  static let nodesMax = 20_000
  private static let depthMax = 16

  /// Reads the file at `path`. What is wrong with it is in `problems`.
  init(path: String) {
    name = path
    guard let handle = FileHandle(forReadingAtPath: path) else {
      report("cannot be read", remedy: "check that the file exists and is readable")
      return
    }
    do {
      // One byte more than allowed, so that a pipe or a device cannot fill the memory.
      let data = try handle.read(upToCount: ConfigurationFile.bytesMax + 1) ?? Data()
      read([UInt8](data))
    } catch {
      report("cannot be read", remedy: "check that it is a file and readable")
    }
  }

  /// Reads `bytes` as the contents of a file called `name`.
  init(name: String, contents bytes: [UInt8]) {
    self.name = name
    read(bytes)
  }

  private mutating func read(_ bytes: [UInt8]) {
    guard bytes.count <= ConfigurationFile.bytesMax else {
      return report("is larger than 1 MiB", remedy: "name the configuration file, not another one")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return report("is not UTF-8 text", remedy: "save it as UTF-8")
    }
    if let line = AliasScan.firstLine(in: text) {
      return report(
        "holds a YAML anchor or alias (& or *)", line: line,
        remedy: "write the value out, or quote it when it is meant as text")
    }
    do {
      // The encoding is named because the library would else ask the environment.
      if let root = try Parser(yaml: text, encoding: .utf8).singleRoot() {
        visit(root, path: "", depth: 0)
      }
    } catch {
      report(error)
    }
  }

  private mutating func visit(_ node: Node, path: String, depth: Int) {
    guard nodesLeft > 0, depth <= ConfigurationFile.depthMax else {
      if nodesLeft >= 0 { report("holds too much", line: node.mark?.line, remedy: "shorten it") }
      nodesLeft = -1
      return
    }
    nodesLeft -= 1
    let line = node.mark?.line
    switch node {
    case .scalar(let scalar): visit(scalar, path: path, line: line)
    case .sequence(let sequence): visit(sequence, path: path, line: line, depth: depth)
    case .mapping(let mapping):
      for (key, value) in mapping { visit(key: key, value, path: path, depth: depth) }
    case .alias:
      report("holds an alias", key: path, line: line, remedy: "write the value out")
    }
  }

  /// A list becomes the text that means the same; what is wrong with a part is told with its line.
  private mutating func visit(_ list: Node.Sequence, path: String, line: Int?, depth: Int) {
    guard let checkPart = ConfigurationKey.at(path)?.checkPart else {
      return report("holds a list", key: path, line: line, remedy: "write one value")
    }
    var parts: [String] = []
    for node in list {
      guard nodesLeft > 0 else {
        return report("holds too much", key: path, line: line, remedy: "shorten it")
      }
      nodesLeft -= 1
      guard case .scalar(let scalar) = node else {
        report(
          "holds something else than values", key: path, line: node.mark?.line,
          remedy: "write one value a line, after a dash")
        continue
      }
      do {
        try checkPart(scalar.string)
        parts.append(scalar.string)
      } catch {
        report(error.problem, key: path, line: node.mark?.line, remedy: error.remedy)
      }
    }
    guard parts.count == list.count else { return }
    settings.append(
      ConfigurationSetting(
        path: path, text: parts.joined(separator: ListText.separator),
        origin: .file(path: name, line: line)))
  }

  private mutating func visit(key: Node, _ value: Node, path: String, depth: Int) {
    guard case .scalar(let scalar) = key else {
      return report(
        "has a key that is not a word", key: path, line: key.mark?.line, remedy: "write key: value")
    }
    let child = path.isEmpty ? scalar.string : path + "." + scalar.string
    let isSection = ConfigurationKey.all.contains { $0.path.hasPrefix(child + ".") }
    switch value {
    case .scalar(let text) where isSection && ConfigurationFile.isEmpty(text): return
    case .scalar where isSection:
      report(
        "is a section, not a value", key: child, line: key.mark?.line,
        remedy: "write its keys below it, indented by two spaces")
    case .mapping where ConfigurationKey.at(child) != nil:
      report(
        "is a value, not a section", key: child, line: key.mark?.line, remedy: "write one value")
    case .mapping(let inside) where inside.isEmpty && !isSection:
      // Nothing is in it, but its name may be a slip: it is reported like any unknown key.
      settings.append(
        ConfigurationSetting(
          path: child, text: "", origin: .file(path: name, line: key.mark?.line)))
    default:
      visit(value, path: child, depth: depth + 1)
    }
  }

  private mutating func visit(_ scalar: Node.Scalar, path: String, line: Int?) {
    if path.isEmpty {
      // A file of comments only gives one empty scalar.
      if !ConfigurationFile.isEmpty(scalar) {
        report("holds a text, not keys", line: line, remedy: "write lines of the form key: value")
      }
    } else if ConfigurationFile.isEmpty(scalar), ConfigurationKey.at(path) != nil {
      report("has no value", key: path, line: line, remedy: "write one, or remove the line")
    } else {
      settings.append(
        ConfigurationSetting(
          path: path, text: scalar.string, origin: .file(path: name, line: line)))
    }
  }

  /// Nothing at all, or YAML's null.
  private static func isEmpty(_ scalar: Node.Scalar) -> Bool {
    scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }
}

extension ConfigurationFile {
  private mutating func report(
    _ problem: String, key: String = "", line: Int? = nil, remedy: String
  ) {
    problems.append(
      ConfigurationProblem(.file(path: name, line: line), key: key, problem, remedy: remedy))
  }

  private mutating func report(_ error: any Error) {
    switch error {
    case YamlError.scanner(_, let problem, let mark, _),
      YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _):
      report(
        "is not valid YAML: \(problem)", line: mark.line,
        remedy: "check indentation (spaces, not tabs), colons and quotes near it")
    case YamlError.duplicatedKeysInMapping(let keys, let context):
      for key in keys {
        report(
          "is given twice in one section", key: key, line: context.mark.line,
          remedy: "keep one of the two")
      }
    default:
      report("is not valid YAML", remedy: "check that it is a text file of key: value lines")
    }
  }
}
