import Concurrency
import Glibc
import LUXTestSupport
import Testing

@testable import Systemd

/// sd_notify(3) and sd_listen_fds(3)
@Suite struct ServiceManagerTests {
    @Test func `writes each state as sd_notify(3) defines it`() {
        let now = MonotonicTime(nanoseconds: 12_345_678_901)
        #expect(ServiceManager.message(.ready, now: now) == "READY=1")
        #expect(ServiceManager.message(.reloading, now: now) == "RELOADING=1\nMONOTONIC_USEC=12345678")
        #expect(
            ServiceManager.message(.stopping(within: .seconds(15)), now: now)
                == "STOPPING=1\nEXTEND_TIMEOUT_USEC=15000000")
        #expect(ServiceManager.message(.alive, now: now) == "WATCHDOG=1")
    }

    @Test func `sends to an abstract socket, and does not send without one`() throws {
        let standIn = try ServiceManagerStandIn()
        ServiceManager(environment: standIn.environment).report(.ready)
        #expect(standIn.waits(for: "READY=1"))
        ServiceManager(environment: [:]).report(.alive)
        ServiceManager(environment: ["NOTIFY_SOCKET": "vsock:2:1"]).report(.alive)
        ServiceManager(environment: ["NOTIFY_SOCKET": "/no/such/socket"]).report(.alive)
        ServiceManager(environment: ["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 200)]).report(.alive)
        #expect(standIn.messages == ["READY=1"])
    }

    @Test(arguments: [
        (["WATCHDOG_USEC": "30000000"], Duration.seconds(30)),
        (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"], .seconds(30)),
        (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"], nil), (["WATCHDOG_USEC": "0"], nil),
        (["WATCHDOG_USEC": "soon"], nil), ([:], nil),
    ]) func `takes a watchdog that is meant for this process`(environment: [String: String], expected: Duration?) {
        #expect(ServiceManager(environment: environment, process: 7).watchdog == expected)
    }

    @Test func `takes sockets that are meant for this process and listen`() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let other = fcntl(listener, F_DUPFD_CLOEXEC, 900)
        close(listener)
        defer { close(other) }
        func all(_ variables: [String: String]) throws(ActivationError) -> [ActivatedSocket] {
            try ActivatedSocket.all(environment: variables, process: 7, first: other)
        }
        #expect(try all([:]).isEmpty)
        #expect(try all(["LISTEN_PID": "8", "LISTEN_FDS": "1"]).isEmpty)
        #expect(throws: ActivationError.self) { try all(["LISTEN_PID": "7", "LISTEN_FDS": "many"]) }
        #expect(throws: ActivationError.self, "it does not listen") { try all(["LISTEN_PID": "7", "LISTEN_FDS": "1"]) }
        #expect(Glibc.listen(other, 1) == 0)
        let found = try all(["LISTEN_PID": "7", "LISTEN_FDS": "1"])
        #expect(found.map(\.descriptor) == [other] && found[0].port > 0)
        #expect(throws: ActivationError.self, "the second is not open") {
            try all(["LISTEN_PID": "7", "LISTEN_FDS": "2"])
        }
    }
}
