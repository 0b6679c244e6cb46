/// The version of a service as its container images name it.
enum ImageTag {
  /// The tag of the only image, or of the one that is called like the service. Empty when there is
  /// none, and for images that are named by their digest alone.
  static func version(of images: [JSONValue], service: String) -> String {
    let names = images.map(\.text).filter { !$0.isEmpty }
    let own = names.filter { name(of: $0) == service }
    guard let image = own.count == 1 ? own.first : (names.count == 1 ? names.first : nil) else {
      return ""
    }
    return tag(of: image)
  }

  /// `registry:5000/shop/checkout:v42@sha256:…` → `v42`
  static func tag(of image: String) -> String {
    let last = lastPart(of: withoutDigest(image))
    guard let colon = last.lastIndex(of: ":") else { return "" }
    return String(last[last.index(after: colon)...])
  }

  /// `registry:5000/shop/checkout:v42` → `checkout`
  static func name(of image: String) -> String {
    String(lastPart(of: withoutDigest(image)).prefix { $0 != ":" })
  }

  private static func withoutDigest(_ image: String) -> String {
    String(image.prefix { $0 != "@" })
  }
}
