/// Why the receiver could not start.
public enum ReceiverError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Another process, or another listener of this one, has the port.
  case addressInUse(address: String, setting: String)
  /// The system does not let this user have the port.
  case notPermitted(address: String, setting: String)
  /// The address is not one of this machine, or its name leads nowhere.
  case cannotBind(address: String, setting: String, reason: String)

  public var message: String {
    switch self {
    case .addressInUse(let address, let setting):
      "another process listens on \(address); stop it, or choose another address with \(setting)"
    case .notPermitted(let address, let setting):
      "not permitted to listen on \(address); ports below 1024 need privileges: "
        + "choose another with \(setting)"
    case .cannotBind(let address, let setting, let reason):
      "cannot listen on \(address): \(reason); choose an address of this machine with \(setting)"
    }
  }

  public var description: String { message }
}
