import JSON
import LUX

/// Looks a message up in the history of its day, which keeps no reference of ours: the messages with its text around its time, and of
/// each its number.
struct AligoLookUp: ProviderLookUp {
    private static let pageSize = 50
    private static let mostPages = 200
    private static let mostCandidates = 100
    private static let otherNumber = "aligo: a message around that time has this text and another number"

    let message: SoughtMessage
    let provider: AligoProvider
    let pattern: TextPattern
    private var page = 1
    private var isListed = false
    /// Ids of messages whose number is not compared yet.
    private var candidates: [String] = []
    /// Whether a candidate has no number yet.
    private var isIncomplete = false
    /// Whether a candidate went to another number, which may have been the account's.
    private var hasOtherNumber = false
    private var matches: [LookUpStep] = []

    init(message: SoughtMessage, provider: AligoProvider, pattern: TextPattern) {
        self.message = message
        self.provider = provider
        self.pattern = pattern
    }

    func request(attempt: SendingAttempt) -> ProviderRequest? {
        guard message.phoneNumber != nil else { return nil }
        let size = ("limit", String(Self.pageSize))
        if isListed, let id = candidates.last {
            return ProviderRequest(
                form: "/akv10/history/detail/", provider.credentials + [("mid", id), ("page", "1"), size])
        }
        func day(_ time: String) -> String { String(time.prefix(10)).replacing("-", with: "") }
        let (start, end) = window
        return ProviderRequest(
            form: "/akv10/history/list/",
            provider.credentials + [
                ("page", String(page)), size, ("startdate", day(start)), ("enddate", day(end)),
            ])
    }

    /// The clocks may differ, and a message has up to 5 minutes.
    private var window: (start: String, end: String) {
        (message.koreanTime(adding: -600), message.koreanTime(adding: 900))
    }

    mutating func read(_ reply: ProviderReply, at unixMilliseconds: Int64) -> LookUpStep {
        guard reply.isSuccess, let json = reply.json, let code = json["code"]?.code else {
            return .open("aligo: HTTP \(reply.status), which leaves the outcome open")
        }
        guard code == "0" else {
            let rule = AligoProvider.codes.rule(for: code, message: json["message"]?.text ?? "")
            return .open("aligo: code \(code)" + (rule.map { "; \($0.advice.rawValue)" } ?? ""))
        }
        guard let list = json["list"]?.items else { return .open("aligo: a partial response") }
        let isFinal = message.age(at: unixMilliseconds) >= AligoProvider.finalAge
        return isListed ? readNumbers(list, isFinal) : readList(list, isFinal)
    }

    /// A page of the history, newest first.
    private mutating func readList(_ list: [JSONValue], _ isFinal: Bool) -> LookUpStep {
        let (start, end) = window
        var isOlder = false
        for found in list {
            if let time = found["reg_date"]?.text, time.utf8.count >= 19 {
                if time < start { isOlder = true }
                if time < start || time > end { continue }
            }
            // A message of ours has one recipient.
            guard found["msg_count"]?.code ?? "1" == "1", found["mbody"]?.text.map(pattern.matches) == true else {
                continue
            }
            guard let id = found["mid"]?.code else { return .open("aligo: a message without an id is listed") }
            if !message.otherIDs.contains(id), !candidates.contains(id) { candidates.append(id) }
        }
        guard candidates.count <= Self.mostCandidates else {
            return .open("aligo: more than \(Self.mostCandidates) messages around that time have this text")
        }
        if list.count >= Self.pageSize, !isOlder {
            guard page < Self.mostPages else {
                return .open("aligo: more than \(Self.mostPages * Self.pageSize) messages on that day")
            }
            page += 1
            return .next
        }
        isListed = true
        return candidates.isEmpty ? absent(isFinal) : .next
    }

    private mutating func readNumbers(_ list: [JSONValue], _ isFinal: Bool) -> LookUpStep {
        guard let id = candidates.popLast() else { return .open("aligo: a partial response") }
        if list.isEmpty { isIncomplete = true }
        for found in list {
            if found["phone"]?.text.map(message.isNumber) == true {
                matches.append(Self.verdict(AligoResult(found), id))
            } else {
                hasOtherNumber = true
            }
        }
        if !candidates.isEmpty { return .next }
        if matches.count > 1 { return .open("aligo: several messages around that time have this text and number") }
        if isIncomplete {
            return absent(isFinal, "aligo: a message around that time has this text and no number")
        }
        if let match = matches.first { return match }
        return absent(isFinal, hasOtherNumber ? Self.otherNumber : nil)
    }

    /// - Parameter doubt: why the message may have been accepted although it is not found.
    private func absent(_ isFinal: Bool, _ doubt: String? = nil) -> LookUpStep {
        guard isFinal else { return .waits("aligo: not in the history yet, which is final after a day") }
        return doubt.map { .open($0) } ?? .notFound
    }

    private static func verdict(_ result: AligoResult, _ id: String) -> LookUpStep {
        switch result {
        case .wrongText: .settled(CodeRule.Kind.rejected.outcome("aligo: delivery code U", advice: .template))
        case .wrongNumber: .settled(CodeRule.Kind.rejected.outcome("aligo: status 2", advice: .number))
        case .inTransit, .replaced, .other: .settled(.accepted(messageID: id))
        }
    }
}
