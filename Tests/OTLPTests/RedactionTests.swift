import Model
import TestSupport
import Testing

@testable import OTLP

/// Secrets in what senders say are gone before anything is kept of it.
@Suite struct RedactionTests {
  private func redacted(_ text: String, _ keys: [String] = []) -> String {
    let bytes = Array(text.utf8)
    let found = bytes.withUnsafeBytes { Redaction(queryKeys: keys).redacted($0) }
    return String(decoding: found ?? bytes, as: UTF8.self)
  }

  /// Scenario: URLs with users and passwords, several in one text, with odd ends, and texts that
  /// only look like them.
  /// Guarantees: everything between `://` and the last `@` of the authority is replaced; nothing else.
  @Test(arguments: [
    ("https://user:password@host/path", "https://REDACTED@host/path"),
    ("https://token@host", "https://REDACTED@host"),
    ("https://us@er:p@ss@host:1?x=1", "https://REDACTED@host:1?x=1"),
    ("copy ftp://a:b@c to s3://d:e@f", "copy ftp://REDACTED@c to s3://REDACTED@f"),
    ("jdbc:postgresql://u:p@db:5432/x", "jdbc:postgresql://REDACTED@db:5432/x"),
    ("amqp://guest:guest@", "amqp://REDACTED@"),
    ("https://@host", "https://@host"), ("https://host/a@b", "https://host/a@b"),
    ("https://host?mail=a@b", "https://host?mail=a@b"), ("mail to a@b.c", "mail to a@b.c"),
    ("GET /users/@me", "GET /users/@me"), ("://", "://"), ("a://b c@d", "a://b c@d"),
    ("", ""), (":", ":"), ("@?@?", "@?@?"),
  ])
  func userInformation(text: String, expected: String) { #expect(redacted(text) == expected) }

  /// Scenario: query parameters that are secret, in either case, and such that are not; the last
  /// without an end, without a value, and named in configuration.
  /// Guarantees: values of secret ones are replaced, keys and all else stay.
  @Test(arguments: [
    ("GET /a?token=abc", "GET /a?token=REDACTED"),
    ("/a?page=2&Access_Token=abc&x=1", "/a?page=2&Access_Token=REDACTED&x=1"),
    ("/a?sig=a;password=b#c", "/a?sig=REDACTED;password=REDACTED#c"),
    ("/a?x=1 and /b?secret=2", "/a?x=1 and /b?secret=REDACTED"),
    ("/a?token=", "/a?token="), ("/a?token", "/a?token"), ("/a?tokens=1", "/a?tokens=1"),
    ("/a?q=token=1", "/a?q=token=1"), ("token=1", "token=1"), ("/a?", "/a?"),
    ("/a?key==b=c", "/a?key=REDACTED"), ("/a?mine=1", "/a?mine=REDACTED"),
    ("https://u:p@h?X-Amz-Signature=0a", "https://REDACTED@h?X-Amz-Signature=REDACTED"),
    ("SELECT ? WHERE token=?", "SELECT ? WHERE token=?"),
  ])
  func parameters(text: String, expected: String) { #expect(redacted(text, ["MINE"]) == expected) }

  /// Scenario: texts of pieces that mean something to the search, put together by chance.
  /// Guarantees: what is redacted once has nothing left to be redacted, but for the word itself; the
  /// secret is gone; text without secrets is the same.
  @Test func randomTexts() {
    var generator = SeededGenerator("randomTexts")
    let pieces = [
      "://", "@", "?", "&", "=", "token", "SECRET", "key", "x", "/", "#", " ", ":", "é",
    ]
    for _ in 0..<5_000 {
      let count = Int.random(in: 0...12, using: &generator)
      let text = (0..<count).map { _ in pieces.randomElement(using: &generator)! }.joined()
      let once = redacted(text)
      #expect(redacted(once) == once, "\(text)")
      let secret = "a://u:\(text.filter(\.isLetter))hidden@h/?token=hidden"
      #expect(!redacted(secret).contains("hidden"), "\(secret)")
    }
  }

  /// Scenario: a span whose name, peer and chosen dimension hold secrets, a very long one with a
  /// secret beyond what is kept, and one whose secret stands where the text is cut.
  /// Guarantees: no name of the table holds any of them; operations that differ in a secret alone are
  /// one; what is not secret is as it was.
  @Test func namesHoldNoSecrets() {
    let names = NameTable()
    var rules = DecodeRules()
    rules.dimensionAttributes = ["target"]
    var builder = SpanBuilder(names: names, limits: DecodeLimits(), rules: rules)
    let long = String(repeating: "x", count: 240)
    let texts = [
      "GET https://u:hidden@h/a?token=hidden", "GET https://u:hidden2@h/a?token=hidden3",
      "GET /\(long)?password=hidden", "GET /\(long)/https://hidden:hidden@h", "GET /a@b?page=1",
    ]
    let spans = texts.enumerated().map { index, text in
      var span = SampleSpan(id: "000000000000000\(index + 1)", kind: 3)
      span.name = text
      span.attributes = [
        ("target", .string("redis://:hidden@cache?db=1")),
        ("peer.service", .string("https://u:hidden@payments")),
      ]
      return span
    }
    let batch = SampleRequest(resource: [("service.name", "a")], spans: spans)
      .build(with: &builder).batch
    let operations = batch.spans.compactMap { names.name($0.operation)?.text }
    #expect(operations.count == texts.count)
    #expect(operations[0] == "GET https://REDACTED@h/a?token=REDACTED")
    #expect(batch.spans[0].operation == batch.spans[1].operation)
    #expect(operations[4] == "GET /a@b?page=1")
    #expect(names.name(batch.spans[0].dimensions)?.text == "target=redis://REDACTED@cache?db=1")
    for id in batch.names {
      #expect(names.name(id)?.text.contains("hidden") == false, "\(names.name(id)?.text ?? "")")
    }
  }

  /// Scenario: attributes by which requests might be told apart.
  /// Guarantees: headers and fields that hold secrets are known as such, others are not.
  @Test func secretAttributes() {
    for key in [
      "http.request.header.authorization", "http.request.header.X_API_KEY",
      "http.response.header.set-cookie", "rpc.grpc.request.metadata.authorization",
      "db.connection_string", "user.password", "token",
    ] {
      #expect(Redaction.isSecret(attribute: key), "\(key)")
    }
    for key in [
      "http.request.header.x-request-id", "region", "peer.service", "deployment.environment",
      "http.request.header.token-count", "messaging.kafka.message.key",
    ] {
      #expect(!Redaction.isSecret(attribute: key), "\(key)")
    }
  }
}
