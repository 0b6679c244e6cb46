import Foundation
import NIOCore

/// Why the query API cannot listen.
public enum QueryServerError: Error, Equatable, Sendable {
  case addressInUse(String)
  case notPermitted(String)
  case addressNotHere(String)
  case other(address: String, reason: String)

  init(_ error: any Error, _ configuration: QueryConfiguration) {
    let address = "\(configuration.host):\(configuration.port)"
    switch (error as? IOError)?.errnoCode {
    case EADDRINUSE: self = .addressInUse(address)
    case EACCES, EPERM: self = .notPermitted(address)
    case EADDRNOTAVAIL: self = .addressNotHere(address)
    default: self = .other(address: address, reason: "\(error)")
    }
  }

  /// What happened and what to do, for a person.
  public var message: String {
    switch self {
    case .addressInUse(let address):
      "query.address \(address) is in use by another process. Stop that one, or set query.address "
        + "to another port (0 picks a free one)."
    case .notPermitted(let address):
      "query.address \(address) may not be listened on by this user. Ports below 1024 need a "
        + "privilege; set query.address to a higher one."
    case .addressNotHere(let address):
      "query.address \(address) is not an address of this machine. Set it to one that is, or to "
        + "0.0.0.0 for all."
    case .other(let address, let reason):
      "query.address \(address) cannot be listened on: \(reason)."
    }
  }
}
