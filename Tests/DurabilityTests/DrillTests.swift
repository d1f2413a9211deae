import Foundation
import LUXTestSupport
import Testing

private let areDrillsWanted = ProcessInfo.processInfo.environment["LUX_DRILLS"] != nil

/// The drills in their small forms, with the programs of this build: minutes each, so only with `LUX_DRILLS`.
@Suite(.enabled(if: areDrillsWanted), .serialized) struct DrillTests {
    private static func run(_ script: String, devices: Int) throws {
        let programs = URL(fileURLWithPath: Locations.server).deletingLastPathComponent().path
        let drill = try ChildProcess(
            Locations.package + "/Scripts/" + script, ["1"],
            environment: [
                "PATH": Locations.path, "HOME": "/tmp", "LUX_PROGRAMS": programs, "LUX_DRILL_DEVICES": "\(devices)",
            ],
            folder: Locations.package)
        let ending = drill.wait(seconds: 540)
        if ending == nil { drill.signal(SIGINT) }
        print(drill.output)
        #expect(ending == .exit(0), "\(drill.output)\(drill.errors)")
    }

    @Test func `no request fails while three servers behind HAProxy are restarted and upgraded`() async throws {
        try await onThread { try Self.run("drill-rolling", devices: 1_500) }
    }

    @Test func `nothing is lost when the leader is killed, cut off and paused under Patroni`() async throws {
        try await onThread { try Self.run("drill-patroni", devices: 5_000) }
    }
}
