import CCurl
import Concurrency
import FoundationEssentials
import Glibc

/// The result of one request.
package enum ProviderExchange: Sendable {
    /// A reply, complete or not.
    case reply(ProviderReply)
    /// No byte was sent: name, connection or certificate failed first.
    case notSent(String)
    /// The request was sent, at least in part, and no reply was received.
    case noResponse(String)

    /// The pause that the provider requires before another attempt.
    var retryAfter: Duration? {
        guard case .reply(let reply) = self else { return nil }
        return reply.retryAfter
    }
}

/// HTTPS to a provider through libcurl: no redirects, no proxies, no cookies.
///
/// A connection for each request: libcurl sends a POST again by itself when a kept connection ends before the reply, whether or not the
/// provider has read it, and that might be a second message. A thread for each, which the limit of messages in flight keeps few: a
/// provider delays nothing else in the process.
package struct HTTPSClient: Sendable {
    /// Bytes of a reply, head and body. The longest are pages of 50 messages, each with a text of 1,000 characters, in JSON that escapes
    /// every one of them.
    static let replyLimit = 524_288
    /// For name, connection and TLS together, so that there is time for another attempt: a lost packet costs the first one.
    static let connectTimeout = Duration.seconds(2)

    /// Scheme, host and port.
    let baseURL: String
    /// The roots that a certificate must come from.
    let roots: TrustedRoots
    private let handles = IdleHandles()

    package init(baseURL: String, roots: TrustedRoots = TrustedRoots()) {
        self.baseURL = baseURL
        self.roots = roots
    }

    /// Sends a request; always returns by the deadline.
    func exchange(_ request: ProviderRequest, deadline: MonotonicTime) async -> ProviderExchange {
        await withCheckedContinuation { continuation in
            let isStarted = DetachedThread.start {
                continuation.resume(returning: send(request, deadline: deadline))
            }
            if !isStarted { continuation.resume(returning: .notSent("the system has no thread for it")) }
        }
    }

    /// Sends a request on the calling thread, which it blocks until the deadline at the latest.
    package func send(_ request: ProviderRequest, deadline: MonotonicTime) -> ProviderExchange {
        guard let handle = handles.acquire() else { return .notSent("libcurl cannot be used") }
        let exchange = withExtendedLifetime(handle) {
            HTTPSExchange.perform(
                request, url: baseURL + request.target, roots: roots, deadline: deadline, handle.curl)
        }
        // After an error the name may still be being resolved.
        if case .reply = exchange { handles.release(handle) }
        return exchange
    }
}

/// A detached thread. Dispatch does not report when the system has none left.
private final class DetachedThread {
    private let work: @Sendable () -> Void

    private init(_ work: @escaping @Sendable () -> Void) {
        self.work = work
    }

    /// - Returns: `false` when the system has none; then `work` does not run.
    static func start(_ work: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let owned = Unmanaged.passRetained(DetachedThread(work))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, &attributes,
            { context in
                if let context { Unmanaged<DetachedThread>.fromOpaque(context).takeRetainedValue().work() }
                return nil
            }, owned.toOpaque())
        if failure != 0 { owned.release() }
        return failure == 0
    }
}

/// A reply as far as it is received. Confined to the thread of its request.
private final class HTTPSExchange {
    private var head = ReplyHead()
    private var body: [UInt8] = []
    private var received = 0
    private var isTooLong = false

    /// Sends a request and waits for the end of its reply or the deadline.
    static func perform(
        _ request: ProviderRequest, url: String, roots: TrustedRoots, deadline: MonotonicTime,
        _ curl: UnsafeMutableRawPointer
    ) -> ProviderExchange {
        let milliseconds = (deadline - .now()).wholeNanoseconds / 1_000_000
        guard milliseconds > 0 else { return .notSent("no time left") }
        // An empty `Expect` keeps libcurl from waiting for `100 Continue`.
        let fields = request.headers.map { "\($0.name): \($0.value)" }
        var headers: UnsafeMutablePointer<curl_slist>?
        for field in fields + ["User-Agent: lux-server", "Accept: application/json", "Connection: close", "Expect:"] {
            headers = curl_slist_append(headers, field)
        }
        defer { curl_slist_free_all(headers) }
        lux_curl_set_pointer(curl, CURLOPT_HTTPHEADER, headers)
        let connect = min(milliseconds, HTTPSClient.connectTimeout.wholeNanoseconds / 1_000_000)
        CurlConnection.configure(
            curl, url: url, roots: roots, milliseconds: Int(clamping: milliseconds), connect: Int(clamping: connect))
        lux_curl_set_long(curl, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        lux_curl_set_long(curl, CURLOPT_FORBID_REUSE, 1)

        let exchange = HTTPSExchange()
        let context = Unmanaged.passUnretained(exchange).toOpaque()
        lux_curl_set_callback(curl, CURLOPT_WRITEFUNCTION, receiveBody)
        lux_curl_set_pointer(curl, CURLOPT_WRITEDATA, context)
        lux_curl_set_callback(curl, CURLOPT_HEADERFUNCTION, receiveHeader)
        lux_curl_set_pointer(curl, CURLOPT_HEADERDATA, context)
        return withExtendedLifetime(exchange) {
            // libcurl keeps the pointer to the body until the request is over.
            request.body.withUnsafeBytes { bytes in
                if request.method == "POST" {
                    lux_curl_set_long(curl, CURLOPT_POST, 1)
                    lux_curl_set_long(curl, CURLOPT_POSTFIELDSIZE, bytes.count)
                    lux_curl_set_pointer(
                        curl, CURLOPT_POSTFIELDS, bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) })
                }
                return exchange.outcome(curl)
            }
        }
    }

    private func outcome(_ curl: UnsafeMutableRawPointer) -> ProviderExchange {
        var text = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
        let code = text.withUnsafeMutableBufferPointer { error in
            lux_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, error.baseAddress)
            defer { lux_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, nil) }
            return curl_easy_perform(curl)
        }
        let status = lux_curl_get_long(curl, CURLINFO_RESPONSE_CODE)
        if head.isComplete, status >= 200 {
            let isWhole = code == CURLE_OK && !isTooLong
            return .reply(
                ProviderReply(status: status, body: body, isWhole: isWhole, retryAfter: head.pause(now: Date())))
        }
        // Counts the request line and the header fields, which go before everything else.
        let isSent = lux_curl_get_long(curl, CURLINFO_REQUEST_SIZE) > 0
        let detail = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let reason = ConnectionError.reason(code, detail: detail, isSent: isSent)
        return isSent ? .noResponse(reason) : .notSent(reason)
    }

    /// - Returns: how many bytes were accepted; fewer than there are end the transfer.
    fileprivate func take(body bytes: UnsafeRawBufferPointer) -> Int {
        guard isWithinLimit(bytes) else { return 0 }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    /// Receives the status line, a header field, or the empty line after the last one.
    fileprivate func take(header bytes: UnsafeRawBufferPointer) -> Int {
        guard isWithinLimit(bytes) else { return 0 }
        head.take(String(decoding: bytes, as: UTF8.self))
        return bytes.count
    }

    private func isWithinLimit(_ bytes: UnsafeRawBufferPointer) -> Bool {
        received += bytes.count
        isTooLong = received > HTTPSClient.replyLimit
        return !isTooLong
    }
}

/// libcurl's `CURLOPT_WRITEFUNCTION`.
private func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    let exchange = Unmanaged<HTTPSExchange>.fromOpaque(context).takeUnretainedValue()
    return exchange.take(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
}

/// libcurl's `CURLOPT_HEADERFUNCTION`: one line at a time.
private func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    let exchange = Unmanaged<HTTPSExchange>.fromOpaque(context).takeUnretainedValue()
    return exchange.take(header: UnsafeRawBufferPointer(start: bytes, count: size * count))
}
