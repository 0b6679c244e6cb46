import Foundation
import Testing

@testable import Commands

@Suite struct ServerTrustTests {
  private let answer = HTTPAnswer(status: 200, body: Array(#"{"nodes":[],"edges":[]}"#.utf8))

  /// Scenario: files for TLS are named by options, by the environment, by both, and not at all.
  /// Guarantees: they go along with the question; options win.
  @Test func filesAreNamed() async {
    let world = FakeWorld()
    let environment = [
      "SPANGATE_CA_FILE": "/env/ca", "SPANGATE_CERTIFICATE_FILE": "/env/crt",
      "SPANGATE_KEY_FILE": "/env/key",
    ]
    world.answer(answer, answer, answer)
    let graph = ["graph", "--format", "json", "--server", "https://gateway:9"]
    #expect(await world.run(arguments: graph) == 0)
    #expect(await world.run(arguments: graph, environment: environment) == 0)
    let options = ["--ca-file", "/ca", "--certificate-file", "/crt", "--key-file", "/key"]
    #expect(await world.run(arguments: graph + options, environment: environment) == 0)
    #expect(
      world.requests.map(\.trust) == [
        ServerTrust(),
        ServerTrust(authorities: "/env/ca", certificate: "/env/crt", key: "/env/key"),
        ServerTrust(authorities: "/ca", certificate: "/crt", key: "/key"),
      ])
  }

  /// Scenario: files that are missing or hold something else.
  /// Guarantees: a usage error that names the option, before anything is sent.
  @Test func wrongFiles() async throws {
    try await withFolder { folder in
      let path = folder + "/nothing.pem"
      try write("nothing".utf8, to: path)
      for (trust, words) in [
        (ServerTrust(authorities: path), "--ca-file: \(path) holds no certificate"),
        (ServerTrust(authorities: folder + "/none"), "--ca-file: \(folder)/none holds no"),
        (ServerTrust(certificate: path), "a certificate needs its key"),
        (ServerTrust(key: path), "a certificate needs its key"),
        (ServerTrust(certificate: path, key: path), "--certificate-file: \(path) holds no"),
      ] {
        let error = #expect(throws: CommandFailure.self) { _ = try trust.configuration() }
        #expect(error?.kind == .usage)
        #expect(error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
      }
    }
  }
}
