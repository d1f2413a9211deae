import JSON
import LUX

/// Looks a message up in the list by channel, time of the request, template and number, and compares the text of each that belongs to no
/// other row, as SENS keeps no reference of ours. Where the account's number has none, all numbers are listed: the account may have had
/// another one when the message was sent.
struct SENSLookUp: ProviderLookUp {
    private static let mostMessages = 100

    /// Which messages are listed.
    private enum Scope { case number, all }

    let message: SoughtMessage
    let provider: SENSProvider
    let pattern: TextPattern
    private var scope = Scope.number
    private var nextToken: String?
    private var isListed = false
    /// Ids of messages whose text is not compared yet.
    private var candidates: [String] = []
    private var hasOtherText = false
    private var matches: [LookUpStep] = []

    init(message: SoughtMessage, provider: SENSProvider, pattern: TextPattern) {
        self.message = message
        self.provider = provider
        self.pattern = pattern
    }

    func request(attempt: SendingAttempt) -> ProviderRequest? {
        guard let number = message.phoneNumber else { return nil }
        var target = provider.path
        if isListed, let id = candidates.last {
            target += "/" + ProviderRequest.percentEncoded(id)
        } else {
            // Signatures allow 5 minutes between the clocks, and a message has up to 5 minutes.
            var query = [
                ("plusFriendId", provider.channelID), ("requestStartTime", message.koreanTime(adding: -600)),
                ("requestEndTime", message.koreanTime(adding: 900)),
            ]
            if scope == .number { query.append(("to", number.domestic)) }
            query += [("templateCode", provider.templateCode), ("pageSize", "100")]
            if let nextToken { query.append(("nextToken", nextToken)) }
            target += "?" + ProviderRequest.encoded(query)
        }
        var request = ProviderRequest("GET", target)
        provider.sign(&request, attempt)
        return request
    }

    mutating func read(_ reply: ProviderReply, at unixMilliseconds: Int64) -> LookUpStep {
        if isListed { return readMessage(reply) }
        // The reply to a list without messages (seen with the real service).
        if reply.status == 404, reply.isWhole, reply.body.allSatisfy({ $0 <= 0x20 }) { return endOfList() }
        guard reply.isSuccess, let json = reply.json, let messages = json["messages"]?.items else {
            return .open("sens: HTTP \(reply.status), which leaves the outcome open")
        }
        for found in messages {
            guard scope == .all || found["to"]?.text.map(message.isNumber) ?? true,
                found["templateCode"]?.text.map({ $0 == provider.templateCode }) ?? true
            else { continue }
            guard let id = found["messageId"]?.code else { return .open("sens: a message without an id is listed") }
            if !message.otherIDs.contains(id), !candidates.contains(id) { candidates.append(id) }
        }
        guard candidates.count <= Self.mostMessages else {
            return .open("sens: more than \(Self.mostMessages) messages around that time")
        }
        if let token = json["nextToken"]?.text, !token.isEmpty, token != nextToken, !messages.isEmpty {
            nextToken = token
            return .next
        }
        return endOfList()
    }

    private mutating func endOfList() -> LookUpStep {
        guard candidates.isEmpty else {
            isListed = true
            return .next
        }
        guard scope == .number else { return .notFound }
        (scope, nextToken) = (.all, nil)
        return .next
    }

    /// One message with its text, which the list may lack.
    private mutating func readMessage(_ reply: ProviderReply) -> LookUpStep {
        guard reply.isSuccess, let json = reply.json, let id = candidates.popLast() else {
            return .open("sens: HTTP \(reply.status), which leaves the outcome open")
        }
        let found = json["messages"]?[0] ?? json
        if let content = found["content"]?.text, !pattern.matches(content) {
            hasOtherText = true
        } else {
            matches.append(verdict(found, id))
        }
        return candidates.isEmpty ? endOfMessages() : .next
    }

    private func endOfMessages() -> LookUpStep {
        if scope == .all {
            return matches.isEmpty
                ? .notFound : .open("sens: a message around that time has this text and another number")
        }
        if matches.count == 1 { return matches[0] }
        return .open(
            matches.isEmpty && hasOtherText
                ? "sens: the messages to this number around that time have another text"
                : "sens: several messages around that time have this text and number")
    }

    private func verdict(_ found: JSONValue, _ id: String) -> LookUpStep {
        guard let code = found["requestStatusCode"]?.code else {
            return .open("sens: the message is listed without a status")
        }
        guard code == "A000" else { return .settled(.rejected(reason: "sens: code \(code)")) }
        guard found["messageStatusName"]?.string == "fail" else { return .settled(.accepted(messageID: id)) }
        let rejection = LookUpStep.settled(
            .rejected(reason: "sens: delivery code \(found["messageStatusCode"]?.code ?? "none")"))
        guard provider.smsSender != nil, let failover = found["failover"], !failover.isNull else { return rejection }
        switch failover["messageStatusName"] {
        case .string("fail"): return rejection
        case .string("success"): return .settled(.accepted(messageID: id))
        default:
            return failover["messageStatusCode"]?.code == "0000" || failover["messageStatusCode"]?.code == "0"
                ? .settled(.accepted(messageID: id)) : .waits("sens: a text message is in flight")
        }
    }
}
