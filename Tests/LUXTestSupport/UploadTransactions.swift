/// How many transactions the upload writer of a server has run, and with how many uploads in them.
package struct UploadTransactions: Sendable, Equatable, CustomStringConvertible {
    package var count = 0
    package var uploads = 0
    /// Those with more than one upload.
    package var shared = 0

    package init() {}

    /// Those of a running server up to now, from its metrics.
    package init(of server: TestServer) throws {
        let lines = try server.call("GET", "/metrics").text.split(separator: "\n")
        func value(_ name: String) -> Int {
            lines.first { $0.hasPrefix(name + " ") }.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
        }
        count = value("lux_upload_batch_uploads_count")
        uploads = value("lux_upload_batch_uploads_sum")
        shared = count - value(#"lux_upload_batch_uploads_bucket{le="1"}"#)
    }

    package static func + (first: Self, second: Self) -> Self {
        var sum = first
        sum.count += second.count
        sum.uploads += second.uploads
        sum.shared += second.shared
        return sum
    }

    package var description: String { "\(uploads) uploads in \(count) transactions, \(shared) of them shared" }
}
