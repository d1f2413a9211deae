import Foundation
import Glibc
import LUXTestSupport
import Testing

/// deploy/renew-hook
@Suite struct RenewHookTests {
    /// The hook with `/etc` in a folder of its own, and a `systemctl` that records its arguments.
    private struct Host {
        let folder: String
        private let hook: String

        init(nginx site: String?, isActive: Bool) throws {
            folder = try makeTemporaryFolder()
            for name in ["etc/lux/tls", "etc/nginx/conf.d", "live", "bin"] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            }
            try "chain".write(toFile: folder + "/live/fullchain.pem", atomically: true, encoding: .utf8)
            try "key".write(toFile: folder + "/live/privkey.pem", atomically: true, encoding: .utf8)
            try site?.replacing("/etc/lux", with: folder + "/etc/lux")
                .write(toFile: folder + "/etc/nginx/conf.d/lux.conf", atomically: true, encoding: .utf8)
            let systemctl = """
                #!/bin/sh
                echo "$*" >> \(folder)/calls
                case "$1" in is-active) exit \(isActive ? 0 : 3);; esac
                """
            try makeProgram(folder + "/bin/systemctl", systemctl)
            hook = folder + "/hook"
            try DeploymentFile.text("deploy/renew-hook")
                .replacing([
                    "/etc/lux": folder + "/etc/lux", "/etc/nginx": folder + "/etc/nginx", "-g lux": "-g \(getgid())",
                ])
                .write(toFile: hook, atomically: true, encoding: .utf8)
        }

        /// The calls of `systemctl`.
        func run() throws -> [Substring] {
            let process = try ChildProcess(
                "/bin/sh", [hook],
                environment: ["PATH": "\(folder)/bin:/usr/bin:/bin", "RENEWED_LINEAGE": folder + "/live"])
            #expect(process.wait(seconds: 30) == .exit(0), "\(process.errors)")
            return try String(contentsOfFile: folder + "/calls", encoding: .utf8).split(separator: "\n")
                .filter { !$0.hasPrefix("is-active") }
        }

        func mode(_ name: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: "\(folder)/etc/lux/tls/\(name)")[.posixPermissions] as? Int
        }
    }

    @Test func `puts both files in place and reloads the server, and nginx where it has them`() throws {
        let site = try DeploymentFile.text("deploy/nginx.conf")
        let server: Substring = "try-reload-or-restart lux-server"
        for (site, isActive, calls) in [
            (nil, false, [server]), (nil, true, [server]), (site, false, [server]), ("server {}", true, [server]),
            (site, true, [server, "try-reload-or-restart nginx"]),
        ] as [(String?, Bool, [Substring])] {
            let host = try Host(nginx: site, isActive: isActive)
            #expect(try host.run() == calls)
            #expect(try host.mode("fullchain.pem") == 0o644 && host.mode("privkey.pem") == 0o640)
        }
    }

    /// The folder of hooks is for every certificate of the machine.
    @Test func `belongs to one certificate, not to the machine`() throws {
        let commands = try OperationsPage.blocks().joined(separator: "\n").replacing("\\\n", with: " ")
        let certbot = commands.split(separator: "\n").filter { $0.hasPrefix("certbot certonly") }
        #expect(certbot.count == 2)
        for line in certbot { #expect(line.contains("--deploy-hook /opt/lux/current/deploy/renew-hook"), "\(line)") }
        #expect(!commands.contains("renewal-hooks"))
        #expect(FileManager.default.isExecutableFile(atPath: DeploymentFile.path("deploy/renew-hook")))
    }
}
