import Foundation
import Glibc

/// Clients that upload complete logs without end, each for a device of its own, and remember what became of each upload.
package final class UploadLoad: Sendable {
    /// Three records that are stored together or not at all.
    package struct Upload: Sendable {
        let client: Int
        let first: Int64
    }

    /// What was counted so far.
    package struct Figures: Sendable {
        package var acknowledged = 0
        /// Uploads that got 200 and are not stored as a whole.
        package var lost = 0
        /// Uploads without a response that are stored in part.
        package var torn = 0
        /// Logs that are there more than once.
        package var duplicated = 0
        /// How often each status was received; 0 for no response.
        package var statuses: [Int: Int] = [:]
    }

    private struct State {
        var acknowledged: [Upload] = []
        var open: [Upload] = []
        var statuses: [Int: Int] = [:]
        var next: Int64 = 1
        var lastResponse = Date.distantPast
    }

    private struct Client: Sendable {
        let child: Int64
        let device: World.Device
        let token: String
    }

    private let clients: [Client]
    private let state = Guarded(State())

    package init(_ world: World, clients: Int = 8) throws {
        self.clients = try (0..<clients).map { _ in
            let (user, child, device) = try world.family()
            return Client(child: child, device: device, token: Token.access(user: user, ttl: 86_400))
        }
    }

    /// Uploads on all clients until the flag is set. Blocks.
    ///
    /// - Parameter port: where client and attempt connect to.
    package func run(until stopped: Flag, port: @escaping @Sendable (_ client: Int) -> UInt16) throws {
        _ = try simultaneously(clients.count) { [self] index in
            var connection: HTTPClient?
            while !stopped.isSet {
                do {
                    let client = try connection ?? HTTPClient(port: port(index), timeout: 12)
                    connection = client
                    if try upload(next(index), on: client) != 200 { usleep(20_000) }
                } catch {
                    connection = nil
                    usleep(10_000)
                }
            }
        }
    }

    /// When an upload last got 200.
    package var lastResponse: Date { state.withLock { $0.lastResponse } }

    /// How often a status was received.
    package func count(of status: Int) -> Int { state.withLock { $0.statuses[status, default: 0] } }

    /// Waits until a status has been received `more` more times; false after 30 seconds.
    package func receives(_ more: Int, of status: Int) -> Bool {
        let (goal, deadline) = (count(of: status) + more, Date(timeIntervalSinceNow: 30))
        while count(of: status) < goal, Date() < deadline { usleep(5_000) }
        return count(of: status) >= goal
    }

    /// Waits until an upload gets 200 after a moment.
    ///
    /// - Returns: seconds from that moment on; infinity when there is none within `limit` seconds.
    package func secondsUntilServed(after moment: Date, limit: Double) -> Double {
        while lastResponse < moment {
            guard Date().timeIntervalSince(moment) < limit else { return .infinity }
            usleep(5_000)
        }
        return lastResponse.timeIntervalSince(moment)
    }

    private func next(_ client: Int) -> Upload {
        state.withLock { state in
            defer { state.next += 3 }
            return Upload(client: client, first: state.next)
        }
    }

    private func upload(_ upload: Upload, on connection: HTTPClient) throws -> Int {
        state.withLock { $0.open.append(upload) }
        do {
            try connection.send(bytes(upload))
            let status = try connection.receive().status
            state.withLock { state in
                state.statuses[status, default: 0] += 1
                guard status == 200 else { return }
                state.acknowledged.append(upload)
                state.open.removeAll { $0.first == upload.first }
                state.lastResponse = Date()
            }
            return status
        } catch {
            state.withLock { $0.statuses[0, default: 0] += 1 }
            throw error
        }
    }

    private func bytes(_ upload: Upload) -> String {
        let client = clients[upload.client]
        let records = (0..<3).map { number in
            World.record(
                child: client.child, device: client.device, date: "2025-05-01T10:00:00Z", flag: 1,
                file: upload.first + Int64(number))
        }
        return TestServer.request("POST", World.api + "devlog", token: client.token, body: World.logArrays(records))
    }

    /// Sends uploads without a response again, as the app does; each must get 200 now.
    package func repeatOpen(port: UInt16) throws -> Int {
        let open = state.withLock { $0.open }
        let connection = try HTTPClient(port: port)
        var repeated = 0
        for upload in open {
            var status = 0
            // As the app does it: a request with 503 is retried, for some seconds.
            for attempt in 0..<25 where status == 0 || status == 503 {
                if attempt > 0 { usleep(200_000) }
                status = try self.upload(upload, on: connection)
            }
            if status == 200 { repeated += 1 }
        }
        state.withLock { state in
            let done = Set(state.acknowledged.map(\.first))
            state.open.removeAll { done.contains($0.first) }
        }
        return repeated == open.count ? repeated : -1
    }

    /// The uploads that got 200 so far.
    package var acknowledged: [Upload] { state.withLock { $0.acknowledged } }

    /// How many of these uploads are not stored as a whole, each record once.
    package func lost(_ uploads: [Upload], in sql: SQLSession) throws -> Int {
        let stored = try stored(sql)
        return uploads.filter { upload in (0..<3).contains { stored[upload.first + Int64($0)] != 1 } }.count
    }

    /// How often each log of the clients is stored.
    private func stored(_ sql: SQLSession) throws -> [Int64: Int] {
        let devices = "{\(clients.map { String($0.device.id) }.joined(separator: ","))}"
        var stored: [Int64: Int] = [:]
        for row in try sql.query(
            "select log_file_id from device_logs where device_id = any($1::bigint[])", [devices])
        {
            if let file = row[0].flatMap({ Int64($0) }) { stored[file, default: 0] += 1 }
        }
        return stored
    }

    /// Compares the responses with the tables.
    package func figures(_ sql: SQLSession) throws -> Figures {
        // First the responses, then the tables: in the other order a response could arrive in between.
        let state = state.withLock { $0 }
        let stored = try stored(sql)
        func count(_ upload: Upload) -> Int {
            (0..<3).filter { stored[upload.first + Int64($0)] != nil }.count
        }
        var figures = Figures()
        figures.acknowledged = state.acknowledged.count
        figures.lost = state.acknowledged.filter { count($0) != 3 }.count
        figures.torn = state.open.filter { ![0, 3].contains(count($0)) }.count
        figures.duplicated = stored.values.filter { $0 > 1 }.count
        figures.statuses = state.statuses
        return figures
    }
}
