import Markers
import Model

extension LoadedConfiguration {
  /// What is wrong between values that are each allowed by themselves.
  func brokenRelations() -> [ConfigurationProblem] {
    var broken: [ConfigurationProblem] = []
    if configuration.traces.maxAge < configuration.traces.idle {
      broken.append(
        problem(
          "traces.max_age", with: "traces.idle", "is less than",
          remedy: "raise it, or lower traces.idle"))
    }
    if case .bytes(let memory) = configuration.limits.memory {
      for (path, bytes) in [
        ("limits.request_bytes", configuration.limits.requestBytes),
        ("limits.exemplars_bytes", configuration.limits.exemplarsBytes),
      ] where bytes > memory {
        broken.append(
          problem(
            path, with: "limits.memory", "is more than", remedy: "lower it, or raise limits.memory")
        )
      }
    }
    return broken + sharedAddresses() + halfCertificates() + misplacedTokens()
      + secretsGivenTwice()
      + objectivesGivenTwice()
  }

  /// A certificate is of no use without its key, and clients have nobody to show theirs to without
  /// either.
  private func halfCertificates() -> [ConfigurationProblem] {
    ListenerName.allCases.compactMap { listener in
      let section = listener.tlsSection
      let tls = configuration[tls: listener]
      let (given, missing) =
        switch (tls.certificateFile.isEmpty, tls.keyFile.isEmpty, tls.clientCAFile.isEmpty) {
        case (false, true, _): ("certificate_file", "key_file")
        case (true, false, _): ("key_file", "certificate_file")
        case (true, true, false): ("client_ca_file", "certificate_file")
        default: ("", "")
        }
      guard !given.isEmpty else { return nil }
      return ConfigurationProblem(
        origin(of: "\(section).\(given)"), key: "\(section).\(given)",
        "is given without \(section).\(missing)", remedy: "give both, or neither")
    }
  }

  private func sharedAddresses() -> [ConfigurationProblem] {
    let listeners = ListenerName.allCases.map {
      ("\($0.rawValue).address", configuration.address(of: $0))
    }
    var broken: [ConfigurationProblem] = []
    for (index, (path, address)) in listeners.enumerated() where address.port != 0 {
      for (earlier, other) in listeners[..<index] where other == address {
        broken.append(
          problem(path, with: earlier, "is the same as", remedy: "give each listener its own port"))
      }
    }
    return broken
  }

  /// What stands on a command line can be read by every user of the machine, and nobody should get into
  /// the habit where tokens are concerned.
  private func misplacedTokens() -> [ConfigurationProblem] {
    guard !configuration.tokens.known.isEmpty else { return [] }
    let key = "tokens.known"
    if case .flag = origin(of: key) {
      return [
        ConfigurationProblem(
          origin(of: key), key: key, "is given on the command line",
          remedy: "write it to a file, or set SPANGATE_TOKENS__KNOWN")
      ]
    }
    guard !configuration.tokens.file.isEmpty else { return [] }
    return [
      ConfigurationProblem(
        origin(of: key), key: key, "is given beside tokens.file", remedy: "keep one of the two")
    ]
  }

  private func secretsGivenTwice() -> [ConfigurationProblem] {
    WebhookSource.allCases.compactMap { source in
      let section = configuration.webhooks[source]
      guard section.secret != nil, !section.secretFile.isEmpty else { return nil }
      let path = "webhooks.\(source.configurationName).secret"
      return ConfigurationProblem(
        origin(of: path), key: path, "is given beside \(path)_file", remedy: "keep one of the two")
    }
  }

  private func objectivesGivenTwice() -> [ConfigurationProblem] {
    var named: Set<String> = []
    let twice = configuration.slo.services.map(\.service).filter { !named.insert($0).inserted }
    return twice.map { service in
      ConfigurationProblem(
        origin(of: "slo.services"), key: "slo.services",
        "names '\(InvalidValue.shown(service))' twice", remedy: "write all it is held to in one")
    }
  }

  private func problem(
    _ path: String, with other: String, _ relation: String, remedy: String
  ) -> ConfigurationProblem {
    // Blame the value somebody wrote; when both were written, the one the sentence is about.
    let origin = self.origin(of: path) == .standard ? self.origin(of: other) : self.origin(of: path)
    return ConfigurationProblem(
      origin, key: path, "\(text(path)) \(relation) \(other) (\(text(other)))", remedy: remedy)
  }

  private func text(_ path: String) -> String {
    ConfigurationKey.at(path)?.text(configuration) ?? ""
  }
}
