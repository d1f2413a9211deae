import Bytes
import FoundationEssentials
import HTTP
import Postgres
import TimeZones

/// Parses the text of a variable. A pure value without state.
package struct VariableParser<Value: Sendable>: Sendable {
    /// Which texts it accepts, with their unit, for the documentation; empty for any text.
    package let values: String
    /// - Throws: ``Rejection``, which never contains the value of a secret.
    package let parse: @Sendable (String) throws(Rejection) -> Value
    /// The text of a default.
    let text: @Sendable (Value) -> String

    /// Why a text is not accepted.
    package struct Rejection: Error {
        package let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    init(
        _ values: String = "", text: @escaping @Sendable (Value) -> String = { "\($0)" },
        parse: @escaping @Sendable (String) throws(Rejection) -> Value
    ) {
        self.values = values
        self.parse = parse
        self.text = text
    }

    /// The same for a variable without a default.
    var optional: VariableParser<Value?> {
        VariableParser<Value?>(values, text: { _ in "" }) { [parse] (text) throws(VariableParser<Value?>.Rejection) in
            do throws(Rejection) {
                return try parse(text)
            } catch {
                throw VariableParser<Value?>.Rejection(error.reason)
            }
        }
    }
}

/// What a number counts.
enum Unit: String {
    case none = ""
    case bytes, fields, connections, requests, messages, milliseconds, seconds, days, loops
    case requestsPerSecond = "requests per second"
}

extension VariableParser<Int> {
    static func integer(_ range: ClosedRange<Int>, _ unit: Unit = .none) -> VariableParser {
        VariableParser(described(range, unit)) { (text) throws(Rejection) in
            guard let value = Int(text), range.contains(value) else {
                var reason = "must be an integer from \(range.lowerBound) to \(range.upperBound)"
                if text.hasPrefix("tcp://") {
                    reason +=
                        "; Kubernetes sets it for a service of this name (enableServiceLinks: false prevents that)"
                }
                throw Rejection(reason)
            }
            return value
        }
    }

    static var port: VariableParser { .integer(0...65_535) }

    fileprivate static func described(_ range: ClosedRange<Int>, _ unit: Unit) -> String {
        let range = "\(range.lowerBound) to \(range.upperBound)"
        return unit == .none ? range : "\(range) \(unit.rawValue)"
    }
}

extension VariableParser<Duration> {
    private static let longest = 86_400

    /// A number of seconds, with decimals.
    static var seconds: VariableParser {
        VariableParser(
            "seconds, at most \(longest)",
            text: { "\($0.attoseconds % 1_000_000_000_000_000_000 == 0 ? "\($0.components.seconds)" : "\($0)")" }
        ) { (text) throws(Rejection) in
            guard let value = Double(text), value > 0, value <= Double(longest) else {
                throw Rejection("must be a number of seconds above 0, at most \(longest)")
            }
            return .milliseconds(max(1, Int(value * 1_000)))
        }
    }

    static func wholeSeconds(_ range: ClosedRange<Int>) -> VariableParser {
        let integer = VariableParser<Int>.integer(range, .seconds)
        return VariableParser(integer.values, text: { "\($0.components.seconds)" }) { (text) throws(Rejection) in
            .seconds(try number(integer, text))
        }
    }

    static func milliseconds(_ range: ClosedRange<Int>) -> VariableParser {
        let integer = VariableParser<Int>.integer(range, .milliseconds)
        return VariableParser(integer.values, text: { "\($0 / .milliseconds(1))".replacing(".0", with: "") }) {
            (text) throws(Rejection) in .milliseconds(try number(integer, text))
        }
    }

    private static func number(_ parser: VariableParser<Int>, _ text: String) throws(Rejection) -> Int {
        do throws(VariableParser<Int>.Rejection) {
            return try parser.parse(text)
        } catch {
            throw Rejection(error.reason)
        }
    }
}

extension VariableParser<String> {
    /// Any text.
    static var text: VariableParser { VariableParser { (text) throws(Rejection) in text } }

    /// A URL, which whatever reads the variable checks.
    static var url: VariableParser { VariableParser("https URL") { (text) throws(Rejection) in text } }

    static func oneOf(_ texts: [String]) -> VariableParser {
        VariableParser(texts.map { "`\($0)`" }.joined(separator: " ")) { (text) throws(Rejection) in
            guard texts.contains(text) else { throw Rejection("must be one of \(texts.joined(separator: ", "))") }
            return text
        }
    }

    /// libpq's own error message may quote the password, so it is not used.
    static var connectionString: VariableParser {
        VariableParser("libpq connection string or URI") { (text) throws(Rejection) in
            // A URI would take white space at its end for a part of its last component.
            let text = text.trimmingWhitespace()
            guard PostgresConfiguration.isConnectionString(text) else {
                throw Rejection("is not a libpq connection string or URI")
            }
            return text
        }
    }

    static var timeZone: VariableParser {
        VariableParser("IANA time zone") { (text) throws(Rejection) in
            guard WallClock(identifier: text) != nil else {
                throw Rejection("must be an IANA time zone that is in \(WallClock.folder), such as Asia/Seoul")
            }
            return text
        }
    }

    static var folder: VariableParser {
        VariableParser("path") { (text) throws(Rejection) in
            guard isFolder(text) else { throw Rejection("is not a readable folder") }
            return text
        }
    }

    static var path: VariableParser { VariableParser("path") { (text) throws(Rejection) in text } }

    static var readablePath: VariableParser {
        VariableParser("path") { (text) throws(Rejection) in
            guard FileManager.default.isReadableFile(atPath: text) else { throw Rejection("\(text) cannot be read") }
            return text
        }
    }

    /// Scheme, host and port, without a slash at the end.
    static var baseURL: VariableParser {
        VariableParser("URL without a path") { (text) throws(Rejection) in
            let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
            guard let url = URLComponents(string: trimmed), url.scheme == "https" || url.scheme == "http",
                url.host?.isEmpty == false, url.path.isEmpty, url.query == nil, url.fragment == nil, url.user == nil
            else { throw Rejection("must be http:// or https:// with a host and, if need be, a port") }
            return trimmed
        }
    }

    /// The registered number that text messages come from. Numbers of companies (1588-1234) have no area code, so this is
    /// no `PhoneNumber`.
    static var smsSender: VariableParser {
        VariableParser("digits and hyphens") { (text) throws(Rejection) in
            let digits = text.filter { $0 != "-" && $0 != " " }
            guard (7...12).contains(digits.utf8.count), digits.utf8.allSatisfy(\.isDigit) else {
                throw Rejection("must be the registered number of the sender, digits and hyphens")
            }
            return digits
        }
    }

    static func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }
}

extension VariableParser<[String]> {
    /// Texts separated by commas, without the blanks around them.
    static var list: VariableParser {
        VariableParser("separated by commas", text: { $0.joined(separator: ",") }) { (text) throws(Rejection) in
            let values = text.split(separator: ",", omittingEmptySubsequences: false).map {
                $0.trimmingWhitespace()
            }
            guard !values.contains("") else {
                throw Rejection("contains an empty value; one comma separates two values")
            }
            return values
        }
    }
}

extension VariableParser<Bool> {
    static var onOff: VariableParser {
        VariableParser("`on` `off`", text: { $0 ? "on" : "off" }) { (text) throws(Rejection) in
            guard let value = ["on": true, "off": false][text] else { throw Rejection("must be one of on, off") }
            return value
        }
    }
}

extension VariableParser<Configuration.LogFormat> {
    static var logFormat: VariableParser {
        VariableParser("`json` `text`", text: \.rawValue) { (text) throws(Rejection) in
            guard let format = Configuration.LogFormat(rawValue: text) else {
                throw Rejection("must be one of json, text")
            }
            return format
        }
    }
}

extension VariableParser<TrustedProxies> {
    /// Addresses and networks in CIDR notation, separated by commas.
    static var proxies: VariableParser {
        VariableParser("addresses and networks, separated by commas") { (text) throws(Rejection) in
            guard let proxies = TrustedProxies(text) else {
                throw Rejection("must be IP addresses or networks such as 10.0.0.0/8, separated by commas")
            }
            return proxies
        }
    }
}

extension VariableParser<CORSPolicy> {
    /// `*`, or origins separated by commas.
    static var origins: VariableParser {
        VariableParser("`*`, or origins separated by commas") { (text) throws(Rejection) in
            let sent = text.split(separator: ",", omittingEmptySubsequences: false).map {
                $0.trimming { $0 == " " }.lowercased()
            }
            if sent == ["*"] { return CORSPolicy(origins: nil) }
            let origins = sent.compactMap(origin)
            guard !sent.isEmpty, origins.count == sent.count else {
                throw Rejection("must be * or origins such as https://app.example.com with commas between them")
            }
            return CORSPolicy(origins: Set(origins))
        }
    }

    /// An origin as browsers write it: scheme, host, and a port other than the scheme's own (RFC 6454 section 6.2).
    private static func origin(_ text: String) -> String? {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme, let host = parts.host, !host.isEmpty,
            !host.contains("*"), parts.path.isEmpty, parts.query == nil, parts.fragment == nil, parts.user == nil,
            parts.password == nil
        else { return nil }
        let usual = ["http": 80, "https": 443][scheme]
        let port = parts.port.flatMap { $0 == usual ? nil : ":\($0)" } ?? ""
        return "\(scheme)://\(host)\(port)"
    }
}
