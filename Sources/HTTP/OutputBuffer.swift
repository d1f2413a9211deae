/// Responses that were not sent yet. Confined to the loop of its connection.
///
/// Small contents are copied after their header section, so that many pipelined responses are one write. A large content
/// is kept by reference: those that are the same for all clients are in memory once.
struct OutputBuffer {
    private var bytes: [UInt8] = []
    private var content: [UInt8] = []
    private var isContentShared = false
    /// Number of bytes sent, of `bytes` and then of `content`.
    private var sent = 0

    /// Contents of more bytes are not copied.
    private static let copiedBytes = 16 << 10

    /// Bytes that were not sent yet.
    var unsent: Int { bytes.count + content.count - sent }

    /// Those of them that no other connection shares.
    var unsentOwn: Int { isContentShared ? max(0, bytes.count - sent) : unsent }

    mutating func append(_ text: StaticString) {
        appendContent()
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    mutating func append(
        _ response: HTTPResponse, isHead: Bool, version: HTTPVersion, keepAlive: Bool, hint: [UInt8],
        date: [UInt8]
    ) {
        appendContent()
        let isLarge = !isHead && response.body.count > Self.copiedBytes
        ResponseEncoder.encode(
            response, isHead: isHead || isLarge, version: version, keepAlive: keepAlive, hint: hint,
            date: date, into: &bytes)
        if isLarge {
            content = response.body
            isContentShared = response.isShared
        }
    }

    /// The next bytes to send; not empty while ``unsent`` is above 0.
    func withUnsentBytes<T>(_ body: (UnsafeRawBufferPointer) -> T) -> T {
        if sent < bytes.count {
            return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
        }
        return content.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[(sent - bytes.count)...])) }
    }

    mutating func consume(_ count: Int) {
        sent += count
    }

    /// Forgets what was sent, if that is everything.
    mutating func reset(keepingCapacity limit: Int) {
        guard unsent == 0 else { return }
        bytes.removeAll(keepingCapacity: bytes.capacity <= limit)
        content = []
        isContentShared = false
        sent = 0
    }

    /// Copies a content that another response follows.
    private mutating func appendContent() {
        guard !content.isEmpty else { return }
        bytes.append(contentsOf: content)
        content = []
        isContentShared = false
    }
}
