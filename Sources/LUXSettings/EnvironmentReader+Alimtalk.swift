import EventLoop
import Foundation
import Glibc
import JSON
import LUX
import LUXNotify

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
    package var userLimit: Int? = 20

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

/// The variables of Alimtalk.
extension EnvironmentReader {
    /// Reads them all; those of providers that are not chosen are left alone.
    ///
    /// - Parameter requestTimeout: what a whole request has, of which a message may take no more.
    package mutating func alimtalk(timeZone: String, requestTimeout: Duration) -> AlimtalkConfiguration {
        var alimtalk = AlimtalkConfiguration()
        let kinds = AlimtalkProviders.all
        alimtalk.name = oneOf(["log"] + kinds.map { $0.name }, "LUX_ALIMTALK_PROVIDER") ?? "log"
        alimtalk.limits.timeout = min(alimtalk.limits.timeout, requestTimeout)
        if let timeout = seconds("LUX_ALIMTALK_TIMEOUT") {
            // A repeat must come well within the ten minutes for which NHN Cloud knows an idempotency key.
            let longest = Duration.seconds(300)
            if timeout > requestTimeout { fault("LUX_ALIMTALK_TIMEOUT", "must be at most LUX_REQUEST_TIMEOUT") }
            if timeout > longest { fault("LUX_ALIMTALK_TIMEOUT", "must be at most 300") }
            alimtalk.limits.timeout = timeout
        }
        if let concurrency = integer("LUX_ALIMTALK_CONCURRENCY", in: 1...1_000) {
            alimtalk.limits.concurrency = concurrency
        }
        if let limit = integer("LUX_ALIMTALK_USER_LIMIT", in: 0...1_000_000) {
            alimtalk.userLimit = limit == 0 ? nil : limit
        }
        alimtalk.cooldown = .seconds(integer("LUX_ALIMTALK_COOLDOWN", in: 0...86_400) ?? 0)
        let variables = templateVariables(timeZone: timeZone)
        let smsSender = smsSender()
        guard let kind = kinds.first(where: { $0.name == alimtalk.name }) else { return alimtalk }
        alimtalk.baseURL = baseURL("LUX_ALIMTALK_BASE_URL") ?? kind.defaultBaseURL
        var settings = AlimtalkSettings(
            provider: alimtalk.name, environment: environment, variables: variables, smsSender: smsSender)
        alimtalk.provider = kind.init(&settings)
        for found in settings.faults { fault(found.variable, found.reason) }
        alimtalk.roots = trustedRoots()
        return alimtalk
    }

    /// What a certificate of the provider must come from. libcurl would refuse every certificate for a path that is wrong.
    private mutating func trustedRoots() -> TrustedRoots {
        let roots = TrustedRoots(file: text("SSL_CERT_FILE"), folder: text("SSL_CERT_DIR"))
        for (name, path) in [("SSL_CERT_FILE", roots.file), ("SSL_CERT_DIR", roots.folder)] {
            if let path, !FileManager.default.isReadableFile(atPath: path) {
                fault(name, "\(path) cannot be read")
            }
        }
        return roots
    }

    /// `LUX_ALIMTALK_VARIABLES`: a JSON object of strings.
    private mutating func templateVariables(timeZone: String) -> TemplateVariables {
        let name = "LUX_ALIMTALK_VARIABLES"
        var patterns: [String: String] = [:]
        var isRight = true
        if let text = text(name) {
            do throws(JSONError) {
                try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in
                    guard try reader.kind() == .object else {
                        isRight = false
                        return try reader.skipValue()
                    }
                    try reader.object { (key, reader) throws(JSONError) in
                        guard try reader.kind() == .string else {
                            isRight = false
                            return try reader.skipValue()
                        }
                        patterns[key.value] = try reader.string().value
                    }
                }
            } catch {
                isRight = false
            }
        }
        if !isRight || patterns[""] != nil {
            fault(name, "must be a JSON object of strings, such as {\"children\":\"{children}\"}")
        }
        return TemplateVariables(
            patterns: patterns, timeZone: TimeZone(identifier: timeZone) ?? .gmt)
    }

    /// `LUX_ALIMTALK_SMS_FALLBACK`: the number that text messages come from.
    private mutating func smsSender() -> String? {
        guard let text = text("LUX_ALIMTALK_SMS_FALLBACK") else { return nil }
        // Numbers of companies (1588-1234) have no area code, so this is no `PhoneNumber`.
        let digits = text.filter { $0 != "-" && $0 != " " }
        guard (7...12).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            fault("LUX_ALIMTALK_SMS_FALLBACK", "must be the registered number of the sender, digits and hyphens")
            return nil
        }
        return digits
    }

    /// Scheme, host and port, without a slash at the end.
    private mutating func baseURL(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard let url = URLComponents(string: trimmed), url.scheme == "https" || url.scheme == "http",
            url.host?.isEmpty == false, url.path.isEmpty, url.query == nil, url.fragment == nil, url.user == nil
        else {
            fault(name, "must be http:// or https:// with a host and, if need be, a port")
            return nil
        }
        return trimmed
    }
}
