@testable import HTTP

/// The first byte says where the rest is cut in two; the outcome must not depend on it.
@Sendable func fuzzRequest(_ input: [UInt8]) {
    let bytes = Array(input.dropFirst())
    let cut = min(bytes.count, Int(input.first ?? 0))
    let whole = outcome([bytes[...]])
    precondition(whole == outcome([bytes[..<cut], bytes[cut...]]), "split at \(cut)")
    precondition(whole == outcome(bytes.indices.map { bytes[$0...$0] }), "byte by byte")
}

private func outcome(_ pieces: [ArraySlice<UInt8>]) -> [String] {
    var limits = HTTPLimits()
    limits.bodyBytes = 512
    limits.headerBytes = 512
    limits.targetBytes = 128
    limits.headerFields = 10
    var parser = RequestParser(limits: limits)
    var outcome: [String] = []
    for piece in pieces {
        piece.withUnsafeBytes { parser.append($0) }
        do throws(HTTPParseError) {
            while let request = try parser.nextRequest() {
                precondition(request.body.count <= limits.bodyBytes)
                precondition(!request.path.utf8.contains(0))
                let values = request.headers.fields.map(\.value.utf8)
                precondition(values.allSatisfy { !$0.contains { $0 == 0 || $0 == 13 || $0 == 10 } })
                outcome.append("\(request.method.rawValue) \(request.path) \(request.body) \(request.keepAlive)")
            }
        } catch {
            // Which of several errors is reported may depend on how many bytes are here; that one is reported may not.
            return outcome + ["rejected"]
        }
    }
    return outcome
}

/// Decoding in pieces and decoding as a whole have the same result.
@Sendable func fuzzChunked(_ input: [UInt8]) {
    let bytes = Array(input.dropFirst())
    let cut = min(bytes.count, Int(input.first ?? 0))
    precondition(decoded(bytes, upTo: [bytes.count]) == decoded(bytes, upTo: [cut, bytes.count]))
    precondition(decoded(bytes, upTo: [bytes.count]) == decoded(bytes, upTo: Array(0...bytes.count)))
}

private func decoded(_ bytes: [UInt8], upTo ends: [Int]) -> String {
    var limits = HTTPLimits()
    limits.bodyBytes = 512
    limits.headerBytes = 256
    var decoder = ChunkedDecoder(limits: limits)
    var index = 0
    for end in ends {
        do throws(HTTPParseError) {
            let isComplete = try decoder.decode(Array(bytes[..<end]), from: &index)
            precondition(index <= end && decoder.content.count <= limits.bodyBytes)
            if isComplete { return "\(index) \(decoder.content)" }
        } catch {
            return "rejected"
        }
    }
    return "incomplete"
}

/// What is decoded is UTF-8, and means the same when it is encoded and decoded again.
@Sendable func fuzzQuery(_ input: [UInt8]) {
    guard let query = HTTPQuery(input) else { return }
    func encoded(_ text: String) -> String {
        text.utf8.map { "%" + String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
    let text = query.items.map { encoded($0.name) + "=" + encoded($0.value) }.joined(separator: "&")
    let again = HTTPQuery(Array(text.utf8))
    // An item without name and value disappears: `=` alone is an item with two empty texts, `` is none.
    precondition(again?.items.map(\.name) == query.items.map(\.name))
    precondition(again?.items.map(\.value) == query.items.map(\.value))
}

extension RequestParser {
    /// The next complete request, whatever is decided on its header section.
    mutating func nextRequest() throws(HTTPParseError) -> HTTPRequest? {
        while let step = try next() {
            if case .request(let request) = step { return request }
        }
        return nil
    }
}
