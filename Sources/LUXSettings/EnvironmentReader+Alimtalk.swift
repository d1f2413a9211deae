import EventLoop
import FoundationEssentials
import Glibc
import LUX
import LUXNotify
import TimeZones

/// How Alimtalk messages are sent.
package struct AlimtalkConfiguration: Sendable {
    /// The value of `LUX_ALIMTALK_PROVIDER`.
    package var name = "log"
    /// `nil` for `log`.
    package var provider: (any AlimtalkProvider)?
    package var baseURL = ""
    package var roots = TrustedRoots()
    package var limits = ProviderNotifier.Limits()
    package var cooldown = Duration.zero
    /// Messages of one account within an hour; `nil` for no limit.
    package var userLimit: Int?
    /// Messages of all accounts within 24 hours; `nil` for no limit.
    package var dailyLimit: Int?
    /// Between two requests for results; zero for none.
    package var deliveryInterval = Duration.zero
    /// `nil` for no web hook.
    package var callbackSecret: String?

    /// Whether keys and numbers go over a network without TLS.
    package var isUnencrypted: Bool {
        guard provider != nil, let url = URLComponents(string: baseURL), url.scheme == "http" else { return false }
        let host = url.host ?? ""
        var address = in_addr()
        let isLoopback = inet_pton(AF_INET, host, &address) == 1 && UInt32(bigEndian: address.s_addr) >> 24 == 127
        return !isLoopback && !["localhost", "::1", "[::1]"].contains(host)
    }

    /// The notifier of the configured provider; `nil` for `log`.
    package func notifier(onCircuitChange: @escaping @Sendable (_ state: String) -> Void = { _ in })
        -> ProviderNotifier?
    {
        provider.map {
            ProviderNotifier(
                provider: $0, baseURL: baseURL, roots: roots, limits: limits, onCircuitChange: onCircuitChange)
        }
    }
}

/// The settings of Alimtalk.
extension EnvironmentReader {
    /// No message may be repeated later than this, as NHN Cloud knows an idempotency key for ten minutes.
    private static let longestTimeout = Duration.seconds(300)

    /// Reads them all; the variables of providers that are not chosen are not read.
    ///
    /// - Parameter requestTimeout: the time for a whole request, which is the maximum for a message.
    package mutating func alimtalk(clock: WallClock, requestTimeout: Duration) -> AlimtalkConfiguration {
        var alimtalk = AlimtalkConfiguration()
        alimtalk.name = read(\.alimtalk.provider)
        alimtalk.limits.timeout = read(\.alimtalk.timeout)
        if isSet(\.alimtalk.timeout) {
            if alimtalk.limits.timeout > requestTimeout {
                reject(\.alimtalk.timeout, "must be at most LUX_REQUEST_TIMEOUT")
            }
            if alimtalk.limits.timeout > Self.longestTimeout { reject(\.alimtalk.timeout, "must be at most 300") }
        }
        alimtalk.limits.timeout = min(alimtalk.limits.timeout, requestTimeout)
        alimtalk.limits.concurrency = read(\.alimtalk.concurrency)
        let userLimit = read(\.alimtalk.userLimit)
        alimtalk.userLimit = userLimit == 0 ? nil : userLimit
        alimtalk.deliveryInterval = read(\.alimtalk.deliveryInterval)
        alimtalk.callbackSecret = read(\.alimtalk.callbackSecret)
        if let secret = alimtalk.callbackSecret, secret.wholeMatch(of: /[A-Za-z0-9_-]{16,200}/) == nil {
            reject(\.alimtalk.callbackSecret, "must be 16 to 200 letters, digits, - and _")
        }
        alimtalk.dailyLimit = read(\.alimtalk.dailyLimit)
        alimtalk.cooldown = read(\.alimtalk.cooldown)
        let variables = TemplateVariables(patterns: read(\.alimtalk.variables), clock: clock)
        if let reason = variables.error { reject(\.alimtalk.variables, reason) }
        let smsSender = read(\.alimtalk.smsSender)
        guard let kind = AlimtalkProviders.all.first(where: { $0.name == alimtalk.name }) else { return alimtalk }
        alimtalk.baseURL = read(\.alimtalk.baseURL) ?? kind.defaultBaseURL
        let own = kind.variables.compactMap { variable in
            environment[SettingsTable.name(variable.name, of: kind.name)].map { (variable.name, $0) }
        }
        var settings = AlimtalkSettings(
            kind, values: Dictionary(uniqueKeysWithValues: own), variables: variables, smsSender: smsSender)
        alimtalk.provider = kind.init(&settings)
        for found in settings.errors {
            switch found.setting {
            case .own(let name): reject(SettingsTable.name(name, of: kind.name), found.reason)
            case .templateVariables: reject(\.alimtalk.variables, found.reason)
            }
        }
        // libcurl would reject every certificate for a path that is wrong, so the paths are checked.
        alimtalk.roots = TrustedRoots(
            file: read(\.standard.certificateFile), folder: read(\.standard.certificateFolder))
        return alimtalk
    }
}
