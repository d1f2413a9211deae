import CCurl
import Concurrency

/// A handle of libcurl, used by one thread at a time.
final class CurlHandle: @unchecked Sendable {
    let curl: UnsafeMutableRawPointer

    fileprivate init?() {
        guard CurlHandle.isReady, let curl = curl_easy_init() else { return nil }
        self.curl = curl
    }

    deinit {
        curl_easy_cleanup(curl)
    }

    private static let isReady = lux_curl_global_init() == CURLE_OK
}

/// Handles between requests. Each caches the root certificates, whose reading costs 16 ms of CPU against 0.5 ms for everything else of a
/// message, but neither a connection nor a name.
final class IdleHandles: Sendable {
    /// Each uses 0.8 MiB; a burst creates more, which are not kept.
    private static let most = 4

    private let idle = Locked<[CurlHandle]>([])

    /// A handle for exclusive use, with default options; `nil` when libcurl cannot create one.
    func acquire() -> CurlHandle? {
        guard let handle = idle.withLock({ $0.popLast() }) else { return CurlHandle() }
        curl_easy_reset(handle.curl)
        return handle
    }

    /// Keeps a handle whose request has its reply, for the next one.
    func release(_ handle: CurlHandle) {
        idle.withLock { if $0.count < Self.most { $0.append(handle) } }
    }
}
