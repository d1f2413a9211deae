import Foundation
import LUXTestSupport
import Testing

/// deploy/lux-retention.service and deploy/lux-retention.timer
@Suite(.requires("systemd-analyze")) struct RetentionUnitTests {
    @Test func `systemd reports no error in the units, and the command is one of the program`() throws {
        let folder = try makeTemporaryFolder()
        let line = "ExecStart=/opt/lux/current/lux-server retention run"
        let service = try DeploymentFile.text("deploy/lux-retention.service")
        #expect(service.contains(line + "\n"))
        // Not the owner, who may do anything.
        #expect(service.contains("LoadCredential=database-url:/etc/lux/lux_privacy.url\n"))
        try service.replacing(line, with: "ExecStart=\(Locations.server) retention run")
            .write(toFile: folder + "/lux-retention.service", atomically: true, encoding: .utf8)
        try DeploymentFile.text("deploy/lux-retention.timer")
            .write(toFile: folder + "/lux-retention.timer", atomically: true, encoding: .utf8)
        let units = ["timer", "service"].map { "\(folder)/lux-retention.\($0)" }
        let run = try Tool("systemd-analyze", ["verify", "--man=no"] + units)
        #expect(run.isDone && !run.everything.contains("lux-retention."), "\(run.everything)")
    }
}
