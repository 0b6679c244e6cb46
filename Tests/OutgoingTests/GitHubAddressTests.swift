import Testing

@testable import Outgoing

@Suite struct GitHubAddressTests {
  /// Scenario: addresses of APIs, and texts that are none or would show the token to a listener.
  /// Guarantees: only an encrypted one is taken, or one of this machine, without a user, a query or a
  /// way upwards.
  @Test func bases() {
    for text in [
      "https://api.github.com", "https://api.github.com/", "https://git.example.com/api/v3",
      "https://git.example.com:8443/api/v3", "http://127.0.0.1:8080", "http://localhost/api/v3",
      "http://[::1]:80",
    ] {
      #expect(GitHubAddress(text) != nil, "\(text)")
    }
    for text in [
      "", "api.github.com", "http://git.example.com", "ftp://git.example.com",
      "https://user@git.example.com", "https://git.example.com/api?x=1", "https://a/../b",
      "https://git.example.com/#", "https://git.example.com//x", "https://gít.example.com",
      "https://GIT.example.com", "http://127.0.0.1.example.com",
      "https://\(String(repeating: "a", count: 600))",
    ] {
      #expect(GitHubAddress(text) == nil, "\(text)")
    }
    #expect(GitHubAddress("https://api.github.com/") == .standard)
  }

  /// Scenario: callbacks as messages name them, real and forged.
  /// Guarantees: only the review of a run of the very repository at the very API is one.
  @Test func callbacks() {
    let base = "https://api.github.com"
    let end = "/deployment_protection_rule"
    let good = "\(base)/repos/shop/checkout/actions/runs/123\(end)"
    #expect(GitHubAddress.standard.isReview(good, of: "shop/checkout"))
    #expect(GitHubAddress.standard.isReview(good, of: "Shop/Checkout"))
    for (url, repository) in [
      (good, "shop/cart"), (good + "?x=1", "shop/checkout"), (good + "#", "shop/checkout"),
      ("https://evil.example/repos/shop/checkout/actions/runs/1\(end)", "shop/checkout"),
      (
        "https://api.github.com.evil.example/repos/shop/checkout/actions/runs/1\(end)",
        "shop/checkout"
      ),
      (
        "https://api.github.com@evil.example/repos/shop/checkout/actions/runs/1\(end)",
        "shop/checkout"
      ),
      ("http://api.github.com/repos/shop/checkout/actions/runs/1\(end)", "shop/checkout"),
      ("http://169.254.169.254/latest/meta-data\(end)", "shop/checkout"),
      ("\(base)/repos/shop/../actions/runs/1\(end)", "shop/.."),
      ("\(base)/repos/shop/checkout/actions/runs/\(end)", "shop/checkout"),
      ("\(base)/repos/shop/checkout/actions/runs/1x\(end)", "shop/checkout"),
      ("\(base)/repos/shop/checkout/actions/runs/1/2\(end)", "shop/checkout"),
      ("\(base)/repos/shop/check%6Fut/actions/runs/1\(end)", "shop/check%6Fut"),
      ("\(base)/repos\(end)", "shop/checkout"), ("\(base)/repos/\(end)", ""), ("", ""),
      ("\(base)/repos/\u{212A}/x/actions/runs/1\(end)", "\u{212A}/x"),
    ] {
      #expect(!GitHubAddress.standard.isReview(url, of: repository), "\(url)")
    }
  }
}
