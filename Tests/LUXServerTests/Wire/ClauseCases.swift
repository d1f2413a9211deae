import LUXTestSupport

/// What a server must do by RFC 9112 and, where that leaves it to RFC 9110, by that: clause, request, response.
struct ClauseCase: Sendable, CustomStringConvertible {
    /// What becomes of the connection.
    enum After: Sendable { case kept, closed }

    /// The section, of RFC 9112 unless it is named.
    let clause: String
    let rule: String
    let bytes: String
    /// The status of each response, in order.
    let statuses: [Int]
    let after: After

    var description: String { "\(clause) \(rule): \(bytes.debugDescription.prefix(80))" }

    static let all: [ClauseCase] =
        messages + requestLines + targets + fields + framing + smuggling + chunks + connections

    private static func kept(_ clause: String, _ rule: String, _ bytes: String, _ statuses: Int...) -> ClauseCase {
        ClauseCase(clause: clause, rule: rule, bytes: bytes, statuses: statuses, after: .kept)
    }

    private static func closed(_ clause: String, _ rule: String, _ bytes: String, _ statuses: Int...) -> ClauseCase {
        ClauseCase(clause: clause, rule: rule, bytes: bytes, statuses: statuses, after: .closed)
    }

    private static func get(_ target: String = "/healthz", _ fields: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n"
    }

    /// To an endpoint that reads a body, with a token: a body that is well framed is 422.
    private static func post(_ fields: String, _ body: String = "") -> String {
        "POST /api/v1/lux/device/devlog HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(token)\r\n\(fields)\r\n\(body)"
    }

    private static let token = Token.access(user: 1)

    private static func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked\r\n", body) }

    private static let messages = [
        kept("2.2", "an empty line before a request is ignored", "\r\n\r\n" + get(), 200),
        closed("2.2", "empty lines have an end", String(repeating: "\r\n", count: 40) + get(), 400),
        closed("2.2", "a bare LF ends no line", "GET /healthz HTTP/1.1\nHost: h\n\n", 400),
        closed("2.2", "a bare CR is no white space", get("/healthz", "A: b\rc\r\n"), 400),
        closed(
            "2.2", "white space before the first field is rejected", "GET /healthz HTTP/1.1\r\n Host: h\r\n\r\n", 400),
        closed("2.2", "octets, not characters, are read", "GET /healthz HTTP/1.1\r\nH\u{f6}st: h\r\n\r\n", 400),
        closed("2.3", "the version is case-sensitive", "GET /healthz http/1.1\r\nHost: h\r\n\r\n", 400),
        closed("2.3", "the version is two single digits", "GET /healthz HTTP/01.1\r\nHost: h\r\n\r\n", 400),
        closed("2.3", "another major version is 505", "GET /healthz HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        closed("9110 3.9", "the preface of HTTP/2 is rejected", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        kept("2.3", "a higher minor version is read as 1.1", "GET /healthz HTTP/1.9\r\nHost: h\r\n\r\n", 200),
    ]

    private static let requestLines = [
        closed("3", "one space between the parts", "GET  /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        closed("3", "a tab is no space", "GET\t/healthz\tHTTP/1.1\r\nHost: h\r\n\r\n", 400),
        closed("3", "nothing behind the version", "GET /healthz HTTP/1.1 \r\nHost: h\r\n\r\n", 400),
        closed("3", "white space before the method", " GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        closed("3", "no version, no HTTP/0.9", "GET /healthz\r\n\r\n", 400),
        closed("3", "a target too long is 414", get("/" + String(repeating: "a", count: 9_000)), 414),
        closed(
            "3.1", "a method longer than any known is 501", String(repeating: "A", count: 99) + " / HTTP/1.1\r\n", 501),
        closed("3.1", "a method is a token", "G{T /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        kept("3.1", "methods are case-sensitive", "get /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 405),
        kept("3.1", "any token is a method", "M-SEARCH /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 405),
        kept("9110 9.3.8", "TRACE is not offered", "TRACE /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 405),
        kept("9110 9.3.7", "OPTIONS lists what is allowed", "OPTIONS /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 405),
    ]

    private static let targets = [
        kept("3.2.1", "origin form with a query", get("/healthz?a=b&c"), 200),
        kept("3.2.1", "a path is compared decoded", get("/%68ealthz"), 200),
        kept("3.2.1", "an encoded slash separates nothing", get("/api%2Fv1"), 404),
        kept("9110 4.2.3", "dot segments are not resolved", get("/x/../healthz"), 404),
        kept("9110 4.2.3", "encoded dot segments are not resolved", get("/x/%2e%2e/healthz"), 404),
        kept("3.2.1", "an empty segment is a segment", get("//healthz"), 404),
        closed("3.2.1", "an invalid escape is not guessed at", get("/%zz"), 400),
        closed("7.2", "a Host with an invalid escape is rejected", "GET /healthz HTTP/1.1\r\nHost: a%zzb\r\n\r\n", 400),
        closed("3.2.1", "an overlong UTF-8 sequence is rejected", get("/%C0%AFhealthz"), 400),
        closed("3.2.1", "an encoded NUL is rejected", get("/healthz%00"), 400),
        closed("3.2.1", "an invalid UTF-8 sequence in a query is rejected", get("/healthz?a=%FF"), 400),
        closed("3.2.1", "a control character is rejected", get("/health\u{1}z"), 400),
        closed("3.2", "a fragment is no part of a target", get("/healthz#a"), 400),
        kept("3.2.2", "absolute form is accepted", get("http://h/healthz"), 200),
        kept("3.2.2", "the scheme is read without case", get("HTTP://h:80/healthz"), 200),
        closed("9110 4.2.4", "userinfo in a target is rejected", get("http://u:p@h/healthz"), 400),
        closed("3.2.2", "a scheme that is not served", get("ftp://h/healthz"), 400),
        closed("9110 4.2.1", "an empty host in a target", get("http:///healthz"), 400),
        closed("3.2.3", "authority form is for CONNECT", get("h:80"), 400),
        closed("9110 9.3.6", "an origin server is no proxy", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", 400),
        kept("3.2.4", "asterisk form asks for the server", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 204),
        closed("3.2.4", "asterisk form is for OPTIONS", get("*"), 400),
        closed("3.2", "no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400),
        closed("3.2", "two Hosts", get("/healthz", "Host: h\r\n"), 400),
        closed("3.2", "two different Hosts", get("/healthz", "hOST: other\r\n"), 400),
        closed("3.2", "a Host with userinfo", "GET /healthz HTTP/1.1\r\nHost: u@h\r\n\r\n", 400),
        closed("3.2", "a Host with a path", "GET /healthz HTTP/1.1\r\nHost: h/p\r\n\r\n", 400),
        closed("3.2", "a Host that is a list", "GET /healthz HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
        closed("3.2", "a Host with a bad port", "GET /healthz HTTP/1.1\r\nHost: h:8o\r\n\r\n", 400),
        closed(
            "3.2", "an invalid Host beside absolute form", "GET http://h/healthz HTTP/1.1\r\nHost: u@h\r\n\r\n", 400),
        kept("3.2", "a Host that is an IPv6 address", "GET /healthz HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200),
    ]

    private static let fields = [
        closed(
            "5", "a field section too large is 431", get("/healthz", "A: \(String(repeating: "b", count: 17_000))\r\n"),
            431),
        closed("5", "too many fields are 431", get("/healthz", String(repeating: "A: b\r\n", count: 101)), 431),
        kept(
            "5.1", "white space around a value is none of it", get("/healthz", "Connection: \t keep-alive \t\r\n"), 200),
        closed("5.1", "white space before a colon", get("/healthz", "A : b\r\n"), 400),
        closed("5.1", "white space in a name", get("/healthz", "A B: c\r\n"), 400),
        closed("5.1", "no name", get("/healthz", ": b\r\n"), 400),
        closed("5.1", "no colon", get("/healthz", "A\r\n"), 400),
        closed("5.2", "a folded line", get("/healthz", "A: b\r\n c\r\n"), 400),
        closed("5.2", "a folded Host", "GET /healthz HTTP/1.1\r\nHost:\r\n h\r\n\r\n", 400),
        closed("9110 5.5", "NUL in a value", get("/healthz", "A: \u{0}\r\n"), 400),
        closed("9110 5.5", "a control character in a value", get("/healthz", "A: \u{b}\r\n"), 400),
        closed("9110 5.5", "DEL in a value", get("/healthz", "A: \u{7f}\r\n"), 400),
        kept("9110 5.5", "opaque octets in a value", get("/healthz", "A: \u{e9}\r\n"), 200),
        kept("9110 5.1", "unknown fields are ignored", get("/healthz", "X-Y: z\r\n"), 200),
    ]

    private static let framing = [
        closed("6.1", "an unknown coding is 501", post("Transfer-Encoding: gzip\r\n"), 501),
        closed("6.1", "a coding before chunked is 501", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501),
        closed("6.1", "identity is no coding any more", post("Transfer-Encoding: identity\r\n"), 501),
        closed("6.3", "chunked is the last coding", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 400),
        closed(
            "6.1", "chunked is not applied twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400),
        closed(
            "6.1", "chunked in HTTP/1.0", "POST /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        kept("6.2", "a Content-Length is digits", post("Content-Length: 3\r\n", "abc"), 422),
        closed("6.3", "an invalid Content-Length", post("Content-Length: 3x\r\n", "abc"), 400),
        closed("6.3", "two Content-Lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), 400),
        closed("6.3", "a list of one Content-Length", post("Content-Length: 3, 3\r\n", "abc"), 400),
        closed(
            "9110 8.6", "a Content-Length beyond every number", post("Content-Length: 99999999999999999999999\r\n"), 413
        ),
        kept("6.3", "without a length there is no body", "POST /healthz HTTP/1.1\r\nHost: h\r\n\r\n" + get(), 405, 200),
        kept(
            "6", "a body on GET is framed as any other", get("/healthz", "Content-Length: 4\r\n") + "GET " + get(), 200,
            200),
        kept("6.3", "what follows a body is the next request", post("Content-Length: 2\r\n", "{}") + get(), 422, 200),
        kept("6.3", "HEAD has no body", "HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 200),
    ]

    private static let smuggling = [
        closed("11.2", "CL.TE", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"), 400),
        closed(
            "11.2", "TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "5c\r\nGPOST\r\n0\r\n\r\n"),
            400),
        closed(
            "11.2", "CL.TE with a coding unknown",
            post("Content-Length: 4\r\nTransfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 400),
        closed(
            "11.2", "TE.TE, a second unknown",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n", "0\r\n\r\n"), 400),
        closed(
            "11.2", "TE.TE, the first unknown",
            post("Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 501),
        closed("11.2", "TE.TE by a vertical tab", post("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n"), 400),
        closed("11.2", "TE.TE by a space before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), 400),
        closed("11.2", "TE.TE by a line folded", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 400),
        closed("11.2", "TE.TE by a line in front", post("X: y\r\n Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400),
        closed("11.2", "TE.TE by a bare LF", post("X: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400),
        closed("11.2", "TE.TE by a bare CR", post("X: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400),
        closed(
            "11.2", "TE.TE by a letter that is k in lower case",
            post("Transfer-Encoding: chun\u{212a}ed\r\n", "0\r\n\r\n"), 501),
        closed("11.2", "TE.TE by quotes", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), 501),
        closed("11.2", "TE.TE by a parameter", post("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n"), 501),
        closed("11.2", "TE.TE by an empty member", post("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n"), 400),
        closed("11.2", "TE.TE by an empty value", post("Transfer-Encoding:\r\n", "0\r\n\r\n"), 400),
        closed("11.2", "TE.TE by NUL", post("Transfer-Encoding: chunked\u{0}\r\n", "0\r\n\r\n"), 400),
        kept(
            "11.2", "a name like it is not it",
            post("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 422),
        kept("11.2", "TE is another field", post("TE: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 422),
        kept(
            "11.2", "CL.0: the body of a rejected method is read",
            "GET /none HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\nGET /x " + get(), 404, 200),
        closed("11.2", "a Content-Length with a sign", post("Content-Length: +3\r\n", "abc"), 400),
        closed("11.2", "a negative Content-Length", post("Content-Length: -0\r\n"), 400),
        closed("11.2", "a hexadecimal Content-Length", post("Content-Length: 0x3\r\n", "abc"), 400),
        closed("11.2", "a Content-Length with white space inside", post("Content-Length: 1 0\r\n", "abc"), 400),
        closed("11.2", "a Content-Length with an underscore", post("Content-Length: 1_0\r\n", "abc"), 400),
        closed("11.2", "an empty Content-Length", post("Content-Length:\r\n"), 400),
        closed("11.2", "a Content-Length as a fraction", post("Content-Length: 3.0\r\n", "abc"), 400),
        closed("11.2", "equal Content-Lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400),
        closed(
            "11.2", "Content-Length and its list", post("Content-Length: 3\r\nContent-Length: 3, 3\r\n", "abc"), 400),
        kept("11.1", "no line break gets into a field by a target", get("/healthz%0d%0aA:b"), 404),
    ]

    private static let chunks = [
        kept("7.1", "chunks, then the next request", chunked("1\r\na\r\n0\r\n\r\n") + get(), 422, 200),
        kept(
            "7.1", "sizes are hexadecimal in either case", chunked("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
            422),
        closed("7.1", "a size beyond every number", chunked("fffffffffffffffff\r\n"), 413),
        closed("7.1", "a size that wraps to 1", chunked("10000000000000001\r\na\r\n0\r\n\r\n"), 413),
        closed("7.1", "a size with a sign", chunked("+1\r\na\r\n0\r\n\r\n"), 400),
        closed("7.1", "a size with a prefix", chunked("0x1\r\na\r\n0\r\n\r\n"), 400),
        closed("7.1", "white space before a size", chunked(" 1\r\na\r\n0\r\n\r\n"), 400),
        closed("7.1", "white space behind a size", chunked("1 \r\na\r\n0\r\n\r\n"), 400),
        closed("7.1", "no size", chunked("\r\na\r\n0\r\n\r\n"), 400),
        closed("7.1", "a bare LF behind a size", chunked("1\na\r\n0\r\n\r\n"), 400),
        closed("7.1", "a bare LF behind a chunk", chunked("1\r\na\n0\r\n\r\n"), 400),
        closed("7.1", "a bare LF in place of the last CR LF", chunked("1\r\na\r\n0\r\n\n"), 400),
        closed("7.1", "more data than the size", chunked("1\r\nab\r\n0\r\n\r\n"), 400),
        closed("7.1", "less data than the size", chunked("5\r\na\r\n0\r\n\r\n0\r\n\r\n"), 400),
        kept("7.1.1", "white space before an extension", chunked("1 \t;a\r\na\r\n0 ;b\r\n\r\n"), 422),
        kept("7.1.1", "extensions are ignored", chunked("1;a=\"b\";c\r\na\r\n0;d\r\n\r\n"), 422),
        closed(
            "7.1.1", "extensions have an end", chunked("1;\(String(repeating: "a", count: 999))\r\na\r\n0\r\n\r\n"), 400
        ),
        closed("7.1.1", "control characters in an extension", chunked("1;a\u{0}\r\na\r\n0\r\n\r\n"), 400),
        closed("7.1.1", "a bare CR in an extension", chunked("1;a\rb\r\na\r\n0\r\n\r\n"), 400),
        kept("7.1.2", "trailers are read and dropped", chunked("0\r\nA: b\r\nC: d\r\n\r\n") + get(), 422, 200),
        kept("7.1.2", "a trailer changes no framing", chunked("0\r\nContent-Length: 5\r\n\r\n") + get(), 422, 200),
        closed("7.1.2", "a trailer is a field", chunked("0\r\nno colon\r\n\r\n"), 400),
        closed("7.1.2", "a folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n"), 400),
        closed("7.1.2", "a trailer with NUL", chunked("0\r\nA: \u{0}\r\n\r\n"), 400),
        closed("7.1.2", "too many trailers", chunked("0\r\n\(String(repeating: "A: b\r\n", count: 101))\r\n"), 431),
    ]

    private static let connections = [
        kept("9.3", "1.1 persists", get() + get() + get(), 200, 200, 200),
        closed("9.6", "close is honoured", get("/healthz", "Connection: close\r\n"), 200),
        closed("9.6", "close among others, in any case", get("/healthz", "Connection: foo, Close\r\n"), 200),
        closed("9.6", "close wins over keep-alive", get("/healthz", "Connection: keep-alive, close\r\n"), 200),
        closed("9.3", "1.0 does not persist", "GET /healthz HTTP/1.0\r\n\r\n", 200),
        kept("9.3", "1.0 persists when asked to", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200),
        kept("9.3.2", "responses come in order", get() + get("/none") + get(), 200, 404, 200),
        closed(
            "9.3.2", "no request after an invalid one gets a response", get() + get("/healthz", "A\r\n") + get(), 200,
            400),
        closed("9.6", "no request after close gets a response", get("/healthz", "Connection: close\r\n") + get(), 200),
        kept("9110 7.8", "an upgrade is declined", get("/healthz", "Connection: upgrade\r\nUpgrade: h2c\r\n"), 200),
        closed(
            "9110 10.1.1", "an unknown expectation is 417", post("Content-Length: 1\r\nExpect: magic\r\n", "a"), 417),
    ]
}
