// The history of a simulated shop with two rollouts, as OTLP JSON lines: what `make demo` shows to
// a gateway. Each line is one request, as an exporter sends it. The same arguments give the same
// bytes.
//
//     spangate-demo [--seed 1] [--end UNIXSECONDS] [--minutes 40] > shop.jsonl
//
// In the second half the new versions run beside the old ones: `cart` v8, which is as good as v7,
// and `checkout` v42, which is slower than v41 and fails more often.

import Foundation
import Model

func fail(_ message: String) -> Never {
  FileHandle.standardError.write(Data("spangate-demo: \(message)\n".utf8))
  exit(64)
}

let names = ["--seed", "--end", "--minutes"]
var options = ["--seed": 1, "--end": UInt64(Date().timeIntervalSince1970), "--minutes": 40]
var arguments = CommandLine.arguments.dropFirst()
while let name = arguments.popFirst() {
  guard names.contains(name) else {
    fail("there is no \(name); it takes \(names.joined(separator: ", "))")
  }
  guard let text = arguments.popFirst(), let number = UInt64(text), number < 1 << 33 else {
    fail("\(name) needs a whole number")
  }
  options[name] = number
}
let minutes = options["--minutes", default: 40]
guard (2...240).contains(minutes) else { fail("--minutes is 2 to 240") }

let end = options["--end", default: 0] * Nanos.second
let length = minutes * 60 * Nanos.second
guard end > length else { fail("--end is in Unix seconds, after the history") }

var shop = Shop(
  random: Random(seed: options["--seed", default: 1]), start: end - length,
  rollout: end - length / 2, end: end)
var export = Export { line in FileHandle.standardOutput.write(line) }
while let trace = shop.nextTrace() { export.add(trace) }
export.finish()
