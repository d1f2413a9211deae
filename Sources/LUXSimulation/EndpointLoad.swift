import Concurrency
import Dispatch
import EventLoop
import Glibc
import JWT

/// Requests of one kind, one after the other on each of some connections, for random devices: what an endpoint costs, and what the
/// generator itself can do (`/healthz`).
///
/// Owned by ``run(seconds:)``'s caller. `@unchecked Sendable`: all mutable state is confined to the loop's thread until it has stopped.
package final class EndpointLoad: @unchecked Sendable {
    private let endpoint: PhoneRequest.Endpoint
    private let devices: Int
    private let connections: Int
    private let server: ServerAddress
    private let loop: EventLoop
    private let tokens: [String]
    private let epoch: Int64
    private let records: Int32
    private let finished = DispatchSemaphore(value: 0)
    private var random = SystemRandomNumberGenerator()
    private var files: [Int32]
    private var open: [PhoneConnection] = []
    private var end = MonotonicTime.now()
    private var isOver = false
    package private(set) var figures = SimulationFigures()

    /// - Parameters:
    ///   - firstFile: numbers of complete logs begin after it.
    ///   - records: how many a backlog has.
    /// - Throws: `EventLoopError`, `JWTError`.
    package init(
        _ endpoint: PhoneRequest.Endpoint, devices: Int, connections: Int, server: ServerAddress, signer: JWTSigner,
        epoch: Int64, firstFile: Int32, records: Int32
    ) throws {
        self.endpoint = endpoint
        self.devices = devices
        self.connections = connections
        self.server = server
        self.epoch = epoch
        self.records = records
        loop = try EventLoop(label: "load")
        files = Array(repeating: firstFile, count: devices)
        // The signing is not part of what is measured.
        tokens = try (0...(devices - 1) / 2).map { pair in
            try signer.sign(claims: #"{"sub":"\#(PhoneRequest.base + Int64(pair))","exp":\#(time(nil) + 7_200)}"#)
        }
    }

    /// Loads the server for so long. Blocks.
    package func run(seconds: Double) {
        let started = MonotonicTime.now()
        end = started + .nanoseconds(Int64(seconds * 1e9))
        loop.execute { [self] in
            for number in 0..<connections { connect(number) }
        }
        loop.onTick { [unowned self] in
            guard !isOver, MonotonicTime.now() >= end else { return }
            isOver = true
            figures.seconds = (MonotonicTime.now() - started).inSeconds
            for connection in open { connection.close() }
            loop.stop()
            finished.signal()
        }
        loop.start()
        finished.wait()
    }

    private func connect(_ source: Int) {
        guard !isOver, let connection = PhoneConnection(server, source: source, loop: loop) else { return }
        open.append(connection)
        figures.connections += 1
        next(connection, source)
    }

    private func next(_ connection: PhoneConnection, _ source: Int) {
        let number = Int.random(in: 0..<devices, using: &random)
        let bytes = PhoneRequest.bytes(parts(number), token: endpoint == .healthz ? nil : tokens[number / 2])
        let sent = MonotonicTime.now()
        connection.finished = { [unowned self] connection, outcome in
            var status = 0
            if case .response(let number) = outcome { status = number }
            figures.observe(
                endpoint, status: status, microseconds: (MonotonicTime.now() - sent).wholeNanoseconds / 1_000)
            guard MonotonicTime.now() < end else { return }
            if connection.isOpen { next(connection, source) } else { connect(source) }
        }
        connection.send(bytes)
    }

    private func parts(_ number: Int) -> (line: String, body: String?) {
        let request = PhoneRequest(number: number)
        let start = epoch + Int64(files[number]) * 1_000
        func upload(_ records: [PhoneRecord]) -> (line: String, body: String?) {
            request.parts(of: .upload(records), zone: .server)
        }
        switch endpoint {
        case .healthz: return ("GET /healthz", nil)
        case .allDevices: return request.parts(of: .allDevices, zone: .server)
        case .childDevice: return request.parts(of: .childDevice, zone: .server)
        case .checkDevice: return request.parts(of: .checkDevice, zone: .server)
        case .usageLogs: return request.parts(of: .usageLogs, zone: .server)
        case .updateAlias: return request.alias
        case .setMyDevice: return request.connection
        case .temporaryLog, .lateRepeat:
            files[number] += 1
            return upload([PhoneRecord(start: start, file: nil, treatmentTime: 30)])
        case .completeLog:
            files[number] += 1
            return upload([PhoneRecord(start: start, file: files[number], treatmentTime: 600)])
        case .backlog:
            let first = files[number]
            files[number] += records
            return upload(
                (1...records).map {
                    PhoneRecord(start: epoch + Int64(first + $0) * 1_000, file: first + $0, treatmentTime: 600)
                })
        }
    }
}
