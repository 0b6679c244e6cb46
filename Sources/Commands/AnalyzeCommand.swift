public import ArgumentParser
import Gateway
import Graph
public import Model
import OTLP

struct AnalyzeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "analyze",
    abstract: "Prints graph, critical path and errors of OTLP files; no server is needed.",
    discussion: """
      Files hold OTLP traces as JSON, JSON lines or protobuf (ExportTraceServiceRequest or \
      TracesData); which of them is told from the content. - is standard input.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, folded, dot, mermaid, graphml
  }

  @Argument(help: "Files to read.") var files: [String]
  @Option(help: "table, json, dot, mermaid or graphml; with --critical-path table, json or folded.")
  var format = Format.table
  @Flag(help: "Prints the critical path of each trace instead of the graph.")
  var criticalPath = false
  @Option(
    help: """
      How the critical path is found: wallclock says what the trace waited for at each instant, \
      crisp and jaeger follow the published rules of those tools. The graph goes by traces.critical_path.
      """)
  var rule = CriticalPathRule.wallclock

  func validate() throws {
    switch format {
    case .table: break
    case .json:
      guard criticalPath || rule == .wallclock else { throw onlyWithCriticalPath("--rule \(rule)") }
    case .folded:
      guard criticalPath else { throw onlyWithCriticalPath("--format folded") }
    case .dot, .mermaid, .graphml:
      guard !criticalPath else {
        throw ValidationError("--critical-path is printed as table, json or folded.")
      }
      guard rule == .wallclock else { throw onlyWithCriticalPath("--rule \(rule)") }
    }
  }

  private static func folded(_ traces: [TraceCriticalPath]) -> String {
    var stacks = FoldedStacks()
    for way in traces.lazy.flatMap(\.callPaths) { stacks.add(way.path, way.exclusive) }
    return stacks.text
  }

  private func onlyWithCriticalPath(_ option: String) -> ValidationError {
    ValidationError("\(option) says nothing of a graph; add --critical-path.")
  }

  func run() throws {
    let context = CommandContext.current
    var pipeline = LocalPipeline(configuration: Configuration())
    let (spans, complaints) = try takeFiles(into: &pipeline, in: context)
    if spans == 0, complaints > 0 { throw CommandFailure(.failed, "nothing could be read") }
    if spans == 0 {
      let names = files.map { PlainTable.printable($0 == "-" ? "standard input" : $0) }
      context.fail("there were no spans in \(names.joined(separator: ", "))\n")
      // A program that reads the output still gets a graph or a list, an empty one.
      if format == .table || format == .folded { return }
    }
    if criticalPath {
      context.print(criticalPathText(pipeline.criticalPaths(rule: rule)))
    } else {
      try printGraph(&pipeline, in: context)
    }
    // What could be read was printed, but a program must see that it was not all.
    if complaints > 0 { throw CommandExit(.failed) }
  }

  private func criticalPathText(_ paths: [TraceCriticalPath]) -> String {
    switch format {
    case .json: CriticalPathReport(paths).json + "\n"
    case .folded: AnalyzeCommand.folded(paths)
    case .table, .dot, .mermaid, .graphml: CriticalPathReport(paths).table
    }
  }

  private func printGraph(
    _ pipeline: inout LocalPipeline, in context: CommandContext
  ) throws(CommandFailure) {
    let graph: ServiceGraph
    do throws(GraphError) {
      graph = try GraphBuilder.build(
        pipeline.graphInput(), tenant: .standard, options: GraphOptions())
    } catch {
      throw CommandFailure(.failed, error.message)
    }
    switch format {
    case .json: context.print(graph.json.text + "\n")
    case .dot: context.print(graph.dot)
    case .mermaid: context.print(graph.mermaid)
    case .graphml: context.print(graph.graphML)
    case .table, .folded:
      context.print(GraphTable.text(graph, width: context.width))
      context.print("\n" + CriticalPathReport(pipeline.criticalPaths(rule: rule)).summary)
      context.print(ErrorReport(graph).text)
    }
  }

  /// Feeds every request of every file.
  /// - Returns: how many spans were taken, and how many requests could not be read; each of those
  ///   was said on standard error.
  private func takeFiles(
    into pipeline: inout LocalPipeline, in context: CommandContext
  ) throws(CommandFailure) -> (spans: Int, complaints: Int) {
    var progress = ProgressLine(context)
    var complaints = 0
    var spans = 0
    for name in files {
      let file = try TraceFile(name, in: context)
      for (index, request) in file.requests.enumerated() {
        progress.show(
          "\(file.name): \(index) of \(Figure.count(file.requests.count, "request")), "
            + Figure.count(spans, "span"))
        let place = file.place(of: index)
        do throws(DecodeError) {
          let intake = try pipeline.take(
            file.body(request), encoding: request.encoding, now: context.now())
          spans += intake.accepted
          guard let message = intake.rejections.message else { continue }
          progress.clear()
          context.fail("\(place): \(PlainTable.printable(message))\n")
        } catch {
          progress.clear()
          complaints += 1
          context.fail("\(place) cannot be read: \(PlainTable.printable(error.message))\n")
        }
      }
    }
    progress.clear()
    return (spans, complaints)
  }
}

extension CriticalPathRule: ExpressibleByArgument {}
