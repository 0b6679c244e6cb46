/// What this build calls itself.
enum SpangateVersion {
  static let text = "0.1.0"
}
