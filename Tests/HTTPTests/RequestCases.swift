/// What the bytes of a client must be read as: one table, which several runners walk.
struct RequestCase: Sendable, CustomStringConvertible {
    enum Outcome: Equatable, Sendable {
        /// Methods, paths and bodies of the requests, and nothing left to read.
        case requests([String])
        /// The status of the rejection, after any number of good requests.
        case rejected(Int)
        /// Neither a request nor an error yet.
        case incomplete
    }

    let bytes: String
    let outcome: Outcome

    var description: String { String(bytes.debugDescription.prefix(100)) }

    static func get(_ fields: String = "", target: String = "/a") -> String {
        "GET \(target) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n"
    }

    static func post(_ fields: String, _ body: String = "") -> String {
        "POST /b HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\(body)"
    }

    static func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked\r\n", body) }

    static let all: [RequestCase] = good + malformed + overLimits + unsupported + unfinished

    private static let good = [
        (get(), ["GET /a "]),
        (get() + get(target: "/c?x=1"), ["GET /a ", "GET /c "]),
        ("\r\n" + get() + "\r\n\r\n" + get(), ["GET /a ", "GET /a "]),
        (post("Content-Length: 2\r\n", "{}") + get(), ["POST /b {}", "GET /a "]),
        (post("content-length:2\r\n", "{}"), ["POST /b {}"]),
        (post("Content-Length: 0\r\n") + get(), ["POST /b ", "GET /a "]),
        (post("Content-Length: 0000000000000000000002\r\n", "{}"), ["POST /b {}"]),
        (chunked("2\r\n{}\r\n0\r\n\r\n") + get(), ["POST /b {}", "GET /a "]),
        (chunked("1;a=b\r\n{\r\n01\r\n}\r\n000\r\nTrailer: x\r\n\r\n"), ["POST /b {}"]),
        (chunked("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), ["POST /b 01234567890123456789"]),
        (post("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n"), ["POST /b "]),
        ("GET /a HTTP/1.0\r\n\r\n", ["GET /a "]),
        ("GET /a HTTP/1.0\r\nHost: h\r\n\r\n", ["GET /a "]),
        ("GET /a HTTP/1.7\r\nHost: h\r\n\r\n", ["GET /a "]),
        ("GET http://h:80/a?b HTTP/1.1\r\nHost: h\r\n\r\n", ["GET /a "]),
        ("GET HTTPS://h HTTP/1.1\r\nHost: h\r\n\r\n", ["GET / "]),
        ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", ["OPTIONS * "]),
        ("M-SEARCH /a HTTP/1.1\r\nHost: h\r\n\r\n", ["M-SEARCH /a "]),
        (get("A: b\u{9}c \t\r\nB:\r\nC: \u{e9}\r\n"), ["GET /a "]),
        (get(target: "/%61%C3%A9"), ["GET /aé "]),
        (get(target: "/a%2Fb"), ["GET /a%2Fb "]),
        (get(target: "/x/../a"), ["GET /x/../a "]),
        ("GET /a HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", ["GET /a "]),
        (post("Content-Length: 2\r\nExpect: 100-continue\r\n", "{}"), ["POST /b {}"]),
    ].map { RequestCase(bytes: $0.0, outcome: .requests($0.1)) }

    private static let malformed = [
        "GET\r\n\r\n", "GET /a\r\n\r\n", " GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET  /a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a HTTP/1.1 \r\nHost: h\r\n\r\n", "GET /a http/1.1\r\nHost: h\r\n\r\n", "GET /a HTTP/1\r\nHost: h\r\n\r\n",
        "GET /a HTTP/1.10\r\nHost: h\r\n\r\n", "GET /a XTTP/1.1\r\nHost: h\r\n\r\n",
        "G(T /a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET\t/a HTTP/1.1\r\nHost: h\r\n\r\n", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", "GET * HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", "GET /\u{1} HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /é HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a\nHost: h\n\n", "GET /a HTTP/1.1\nHost: h\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\n\r\n", "GET /a HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n", "\n" + get(),
        "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", "GET ftp://h/a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http://u@h/a HTTP/1.1\r\nHost: h\r\n\r\n", "GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a HTTP/1.1\r\n\r\n", "GET /a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "GET /a HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /a HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "GET /a HTTP/1.1\r\nHost: u@h\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h/x\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: a%zzb\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a%\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: a%4\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a%4:80\r\n\r\n",
        "GET http://a%zz/a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a HTTP/1.1\r\nHost: h:x\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: a, b\r\n\r\n", "GET /a HTTP/1.1\r\nHost: [::1\r\n\r\n",
        get("A : b\r\n"), get("A b: c\r\n"), get(": b\r\n"), get("A\r\n"), get(" A: b\r\n"), get("A: b\r\n c\r\n"),
        get("A: b\r\n\tc\r\n"), get("A: \u{0}\r\n"), get("A: \u{7f}\r\n"), get("A\u{0}: b\r\n"), get("Ä: b\r\n"),
        get(target: "/%"), get(target: "/%4"), get(target: "/%zz"), get(target: "/%00"), get(target: "/%C3"),
        get(target: "/%C0%AF"), get(target: "/a?b=%F"), get(target: "/a?b=%FF"), get(target: "/a?%ED%A0%80=1"),
        post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"),
        post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"),
        post("Content-Length: 2, 2\r\n", "{}"), post("Content-Length: +2\r\n", "{}"), post("Content-Length: -2\r\n"),
        post("Content-Length: 0x2\r\n", "{}"), post("Content-Length: 2.0\r\n", "{}"), post("Content-Length:\r\n"),
        post("Content-Length: 2 2\r\n", "{}"), post("Content-Length: ٢\r\n", "{}"),
        post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n"),
        "POST /b HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post("Transfer-Encoding: chunked, chunked\r\n"), post("Transfer-Encoding: chunked, gzip\r\n"),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), post("Transfer-Encoding: ,chunked\r\n"),
        post("Transfer-Encoding: chunked,\r\n"), post("Transfer-Encoding:\r\n"),
        chunked("\r\n"), chunked("x\r\n"), chunked("-1\r\n"), chunked("+1\r\na\r\n"), chunked(" 1\r\na\r\n"),
        chunked("1 \r\na\r\n"), chunked("0x1\r\na\r\n"), chunked("1\na\n0\n\n"), chunked("1\r\nab\r\n0\r\n\r\n"),
        chunked("1\r\na\n0\r\n\r\n"), chunked("1\r\na\r0\r\n\r\n"), chunked("1;\u{1}\r\na\r\n"),
        chunked("0\r\nbad trailer\r\n\r\n"), chunked("0\r\n folded: x\r\n\r\n"), chunked("0\r\nA: b\n\r\n"),
        chunked("1;" + String(repeating: "a", count: 300) + "\r\na\r\n0\r\n\r\n"),
        String(repeating: "\r\n", count: 20) + get(),
    ].map { RequestCase(bytes: $0, outcome: .rejected(400)) }

    private static let overLimits = [
        (414, get(target: "/" + String(repeating: "a", count: 300))),
        (414, "GET /" + String(repeating: "a", count: 300)),
        (431, get("A: " + String(repeating: "b", count: 600) + "\r\n")),
        (431, get("A: " + String(repeating: "b", count: 600))),
        (431, get(String(repeating: "A: b\r\n", count: 10))),
        (413, post("Content-Length: 1001\r\n")), (413, post("Content-Length: 99999999999999999999999\r\n")),
        (413, chunked("3e9\r\n")), (413, chunked("ffffffffffffffffffffff\r\n")),
        (413, chunked("3e8\r\n" + String(repeating: "a", count: 1_000) + "\r\n1\r\n")),
        (431, chunked("0\r\n" + String(repeating: "A: b\r\n", count: 11) + "\r\n")),
        (431, chunked("0\r\nA: " + String(repeating: "b", count: 600) + "\r\n\r\n")),
    ].map { RequestCase(bytes: $0.1, outcome: .rejected($0.0)) }

    private static let unsupported = [
        (501, post("Transfer-Encoding: gzip\r\n")), (501, post("Transfer-Encoding: gzip, chunked\r\n")),
        (501, post("Transfer-Encoding: xchunked\r\n")), (501, post("Transfer-Encoding: chunked;q=1\r\n")),
        (501, String(repeating: "A", count: 40) + " /a HTTP/1.1\r\nHost: h\r\n\r\n"),
        (505, "GET /a HTTP/2.0\r\nHost: h\r\n\r\n"), (505, "GET /a HTTP/0.9\r\nHost: h\r\n\r\n"),
        (417, post("Content-Length: 2\r\nExpect: miracles\r\n", "{}")),
    ].map { RequestCase(bytes: $0.1, outcome: .rejected($0.0)) }

    private static let unfinished = [
        "GET\r\nHost: h\r\n",
        "", "\r", "\r\n", "GE", "GET /a HTTP/1.1\r\nHost: h\r\n", get("").dropLast(1).description,
        post("Content-Length: 3\r\n", "{}"), chunked("2\r\n{}\r\n0\r\n"), chunked("2\r\n{"), chunked("2"),
    ].map { RequestCase(bytes: $0, outcome: .incomplete) }
}
