import Dispatch
import EventLoop
import Foundation
import FoundationNetworking

/// What became of one request.
enum ProviderExchange: Sendable {
    /// A reply, whole or not.
    case reply(ProviderReply)
    /// Not one byte of the body left: name, connection or certificate failed first.
    case notSent(String)
    /// The request left, at least in part, and no reply came.
    case unanswered(String)

    /// What the provider asks for before another attempt.
    var retryAfter: Duration? {
        guard case .reply(let reply) = self else { return nil }
        return reply.retryAfter
    }
}

/// HTTPS to a provider through URLSession, which is libcurl: the system's roots, no redirects, no cookies, no cache.
///
/// A session, and so a connection, for each request. libcurl sends a POST again by itself when a kept connection turns out to be
/// dead, and that might be a second message; the handshake that it costs is nothing beside a message.
struct HTTPSClient: Sendable {
    /// Bytes of a reply that are read; what is longer is no reply of these APIs.
    static let replyLimit = 262_144

    /// Scheme, host and port.
    let baseURL: String

    /// Sends a request; ends by the deadline, whatever happens.
    func exchange(_ request: ProviderRequest, deadline: MonotonicTime) async -> ProviderExchange {
        guard let url = URL(string: baseURL + request.target) else { return .notSent("the URL is wrong") }
        var urlRequest = URLRequest(url: url)
        urlRequest.httpMethod = request.method
        if !request.body.isEmpty { urlRequest.httpBody = Data(request.body) }
        for header in request.headers { urlRequest.setValue(header.value, forHTTPHeaderField: header.name) }
        urlRequest.setValue("lux-server", forHTTPHeaderField: "User-Agent")
        urlRequest.setValue("application/json", forHTTPHeaderField: "Accept")
        // Nothing that a few bytes could unpack to a flood.
        urlRequest.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        urlRequest.setValue("close", forHTTPHeaderField: "Connection")
        return await withCheckedContinuation { continuation in
            let exchange = HTTPSExchange(continuation)
            // Making a session takes a while, the first one above all: not on the thread of an event loop.
            HTTPSExchange.queue.async { [urlRequest] in exchange.start(urlRequest, deadline: deadline) }
        }
    }
}

/// One request of a session of its own.
///
/// `@unchecked Sendable` by way of `NSObject`: its state is `Locked`.
private final class HTTPSExchange: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    private struct State {
        var continuation: CheckedContinuation<ProviderExchange, Never>?
        var session: URLSession?
        var status: Int?
        var retryAfter: Duration?
        var body: [UInt8] = []
        var isLate = false
    }

    static let queue = DispatchQueue(label: "lux.alimtalk", attributes: .concurrent)

    /// What a cancelled request is given to say how far it had come.
    private static let cancelling = 0.25

    private let state: Locked<State>

    init(_ continuation: CheckedContinuation<ProviderExchange, Never>) {
        state = Locked(State(continuation: continuation))
    }

    func start(_ request: URLRequest, deadline: MonotonicTime) {
        let seconds = max(0.01, (deadline - .now()).inSeconds)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = seconds + 1
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.urlCredentialStorage = nil
        // The session holds its delegate until it is invalidated, which `finish` does.
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
        state.withLock { $0.session = session }
        let task = session.dataTask(with: request)
        task.resume()
        Self.queue.asyncAfter(deadline: .now() + max(0.01, seconds - Self.cancelling)) { [weak self] in
            self?.state.withLock { $0.isLate = true }
            task.cancel()
        }
        Self.queue.asyncAfter(deadline: .now() + seconds) { [weak self] in
            self?.finish(.unanswered("no answer in time"))
        }
    }

    private func finish(_ result: ProviderExchange) {
        let (continuation, session) = state.withLock { state in
            defer { (state.continuation, state.session) = (nil, nil) }
            return (state.continuation, state.session)
        }
        continuation?.resume(returning: result)
        // Waits for the session's queue, which a flood of data may keep busy.
        session?.invalidateAndCancel()
    }

    private func replySoFar(whole: Bool) -> ProviderExchange? {
        state.withLock { state in
            state.status.map {
                .reply(ProviderReply(status: $0, body: state.body, isWhole: whole, retryAfter: state.retryAfter))
            }
        }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        let isTooLarge = response.expectedContentLength > Int64(HTTPSClient.replyLimit)
        if let response = response as? HTTPURLResponse {
            let retryAfter = response.value(forHTTPHeaderField: "Retry-After").flatMap(Self.pause)
            state.withLock { ($0.status, $0.retryAfter) = (response.statusCode, retryAfter) }
        }
        completionHandler(isTooLarge ? .cancel : .allow)
        if isTooLarge { finishTooLarge() }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLarge = state.withLock { state in
            guard state.continuation != nil else { return false }
            state.body.append(contentsOf: data)
            return state.body.count > HTTPSClient.replyLimit
        }
        if isTooLarge { finishTooLarge() }
    }

    private func finishTooLarge() {
        if let reply = replySoFar(whole: false) { finish(reply) }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if let reply = replySoFar(whole: error == nil) { return finish(reply) }
        let isLate = state.withLock { $0.isLate }
        let reason = isLate ? "no answer in time" : error?.localizedDescription ?? "no answer"
        // Counted when libcurl takes it for sending, which it does once the connection stands.
        finish(task.countOfBytesSent == 0 ? .notSent(reason) : .unanswered(reason))
    }

    /// `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3).
    private static func pause(_ text: String) -> Duration? {
        if let seconds = Int(text) { return .seconds(min(max(0, seconds), 86_400)) }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return formatter.date(from: text).map { .seconds(max(0, $0.timeIntervalSinceNow.rounded(.up))) }
    }
}
