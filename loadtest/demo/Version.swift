/// One version of a service, and what it is like.
struct Version {
  var name: String
  var instances: Int
  /// Of the requests to the service while a rollout goes on; before, the old version has all.
  var share: Double
  /// How much longer its work takes than the old version's.
  var slowness = 1.0
  /// How many of its requests fail by its own doing.
  var failureRate = Version.usualFailureRate

  static let usualFailureRate = 0.003

  /// The old version first.
  static let all: [String: [Version]] = [
    "frontend": [Version(name: "v19", instances: 2, share: 1)],
    "catalog": [Version(name: "v3", instances: 2, share: 1)],
    "payment": [Version(name: "v5", instances: 2, share: 1)],
    "shipping": [Version(name: "v2", instances: 1, share: 1)],
    // The innocent rollout.
    "cart": [
      Version(name: "v7", instances: 3, share: 0.75),
      Version(name: "v8", instances: 1, share: 0.25),
    ],
    // The bad one.
    "checkout": [
      Version(name: "v41", instances: 4, share: 0.8),
      Version(
        name: "v42", instances: 1, share: 0.2, slowness: 1.25,
        failureRate: 8 * Version.usualFailureRate),
    ],
  ]
}
