import JSON
import LUXNotify

extension SettingsTable {
    /// The variables of Alimtalk messages, those of each provider included.
    package struct Alimtalk: Sendable {
        package let provider = Variable(
            "LUX_ALIMTALK_PROVIDER", .oneOf(["log"] + AlimtalkProviders.all.map { $0.name }), default: "log",
            "`log` writes a log line with the masked number and sends nothing; the others: [alimtalk.md](alimtalk.md).")
        package let baseURL = Variable(
            "LUX_ALIMTALK_BASE_URL", .baseURL, otherwise: "the provider's own",
            """
            Scheme, host and port of the provider; `http` to another machine sends the keys unencrypted, and the log warns \
            of it at the start.
            """)
        package let timeout = Variable(
            "LUX_ALIMTALK_TIMEOUT", .seconds, default: ProviderNotifier.Limits().timeout,
            """
            Time for all attempts of one message; at most `LUX_REQUEST_TIMEOUT` and 300, and less where the database has \
            taken of that.
            """)
        package let concurrency = Variable(
            "LUX_ALIMTALK_CONCURRENCY", .integer(1...1_000, .messages), default: ProviderNotifier.Limits().concurrency,
            """
            Messages in flight, a quarter of them for one account; more wait for their turn within the request's time, \
            then 409.
            """)
        package let userLimit = Variable(
            "LUX_ALIMTALK_USER_LIMIT", .integer(0...1_000_000, .messages), default: 20,
            "Messages of one account within an hour; more: 429; `0` for no limit.")
        package let dailyLimit = Variable(
            "LUX_ALIMTALK_DAILY_LIMIT", .integer(1...1_000_000_000, .messages),
            "Messages of all accounts and servers within 24 hours; more: 429. Unset: no limit.")
        package let cooldown = Variable(
            "LUX_ALIMTALK_COOLDOWN", .wholeSeconds(0...86_400), default: .zero,
            """
            Time after a message in which another request of the same account sends nothing and gets the outcome of that \
            message; a failed or unknown one does not count.
            """)
        package let deliveryInterval = Variable(
            "LUX_ALIMTALK_DELIVERY_INTERVAL", .wholeSeconds(0...86_400), default: .seconds(60),
            """
            Time between two requests, of all servers together, for the results of accepted messages (`nhn`, `solapi`, `sens`); \
            `0`: none.
            """)
        package let callbackSecret = Variable(
            "LUX_ALIMTALK_CALLBACK_SECRET", .text, isSecret: true, hasFile: true,
            """
            Last part of the provider's web hook, `/callbacks/alimtalk/PROVIDER/SECRET`, which triggers such a request immediately; 16 \
            to 200 letters, digits, `-` and `_`. Unset: no web hook.
            """)
        package let smsSender = Variable(
            "LUX_ALIMTALK_SMS_FALLBACK", .smsSender,
            "Registered number that a text message comes from when KakaoTalk does not reach the parent; unset: none.")
        package let variables = Variable(
            "LUX_ALIMTALK_VARIABLES", .stringObject, default: [:],
            """
            The template's variables. Filled in are `{child}` (first name of the child in treatment, or whose device was used \
            last), `{device}` (the alias of that device), `{children}` (first names of all that have a device), `{time}` \
            (`2025-02-21 15:48` in `LUX_TIMEZONE`) and `{user_id}`; other braces are rejected.
            """)
        package let ofProviders: [Variable<String?>] = AlimtalkProviders.all.flatMap { provider in
            provider.variables.map {
                Variable(
                    SettingsTable.name($0.name, of: provider.name), .text, isSecret: $0.isSecret, hasFile: $0.hasFile,
                    "Of `\(provider.name)`: \($0.what) ([alimtalk.md](alimtalk.md)).")
            }
        }
    }

    /// The whole name of a provider's own variable.
    static func name(_ name: String, of provider: String) -> String {
        "LUX_ALIMTALK_\(provider.uppercased())_\(name)"
    }
}

extension VariableParser<[String: String]> {
    /// A JSON object whose values are strings, and whose keys are not empty.
    static var stringObject: VariableParser {
        VariableParser("JSON object of strings", text: { $0.isEmpty ? "{}" : "" }) { (text) throws(Rejection) in
            guard let object = strings(text), object[""] == nil else {
                throw Rejection("must be a JSON object of strings, such as {\"children\":\"{children}\"}")
            }
            return object
        }
    }

    private static func strings(_ text: String) -> [String: String]? {
        var object: [String: String] = [:]
        var isObjectOfStrings = true
        do throws(JSONError) {
            try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in
                guard try reader.kind() == .object else {
                    isObjectOfStrings = false
                    return try reader.skipValue()
                }
                try reader.object { (key, reader) throws(JSONError) in
                    guard try reader.kind() == .string else {
                        isObjectOfStrings = false
                        return try reader.skipValue()
                    }
                    object[key.value] = try reader.string().value
                }
            }
        } catch {
            return nil
        }
        return isObjectOfStrings ? object : nil
    }
}
