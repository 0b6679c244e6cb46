import Model
import Testing

@Suite struct ListenAddressTests {
  /// Scenario: addresses of each family, and a name.
  /// Guarantees: the text a client can use, with brackets where the host has colons.
  @Test func text() {
    #expect(ListenAddress(host: "127.0.0.1", port: 4317).description == "127.0.0.1:4317")
    #expect(ListenAddress(host: "localhost", port: 0).description == "localhost:0")
    #expect(ListenAddress(host: "::1", port: 4318).description == "[::1]:4318")
  }
}
