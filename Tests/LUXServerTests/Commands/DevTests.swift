import Foundation
import Glibc
import LUXAPI
import LUXTestSupport
import Testing

/// lux-server dev
@Suite struct DevTests {
    /// Starts in `folder` and waits for what it prints when it is ready.
    private func start(in folder: String) throws -> (ChildProcess, curlLines: [String]) {
        let process = try ChildProcess(
            Locations.server, ["dev", "--port", "0"], environment: LUXCommand.environment([:]), folder: folder)
        let lines = process.waitForOutput(seconds: 60) { lines in
            lines.contains { $0.hasPrefix("Ctrl-C") } ? lines.filter { $0.hasPrefix("curl ") } : nil
        }
        return (process, try #require(lines, "\(process.output)\(process.errors)"))
    }

    @Test func `prints curl lines that work when pasted, keeps its data, and takes its database down with it`()
        async throws
    {
        try await onThread {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lux-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            for (round, ending) in [SIGTERM, SIGHUP].enumerated() {
                let (process, lines) = try start(in: folder.path)
                var responses: [Endpoint: String] = [:]
                for endpoint in Endpoint.allCases {
                    let line = try #require(
                        lines.first { $0.contains("\(endpoint.path)?") || $0.contains("\(endpoint.path)'") })
                    let shell = try ChildProcess(
                        "/bin/sh", ["-c", "PATH=/usr/bin:/bin; \(line) -s -w ' %{http_code}'"])
                    #expect(shell.wait() == .exit(0), "\(line)")
                    #expect(shell.output.hasSuffix(" 200"), "\(line) → \(shell.output)")
                    responses[endpoint] = shell.output
                }
                #expect(lines.count == Endpoint.allCases.count)
                let alias = round == 0 ? #""device_alias":"Living room""# : #""device_alias":"Bedroom""#
                #expect(responses[.childDevice]?.contains(alias) == true, "round \(round)")
                for (endpoint, response) in [
                    (.setMyDevice, #"{"statuscode":200,"message":"device connected"} 200"#),
                    (.unConnect, #"{"statusCode":200,"message":"device unconnected"} 200"#),
                    (.devlog, #"{"statusCode":200,"message":"Temp devlog saved successfully"} 200"#),
                    (.alimtalk, "null 200"),
                ] as [(Endpoint, String)] {
                    #expect(responses[endpoint] == response)
                }
                #expect(responses[.usageLogs]?.hasPrefix(#"{"logs":[{"id":"#) == true)
                let postmaster = try String(
                    contentsOf: folder.appendingPathComponent(".lux/data/postmaster.pid"), encoding: .utf8)
                let pid = try #require(pid_t(postmaster.prefix { $0 != "\n" }))
                #expect(kill(pid, 0) == 0)
                process.signal(ending)
                #expect(process.wait(seconds: 20) == .exit(0), "\(process.errors)")
                #expect(kill(pid, 0) != 0, "the database ended before the server did")
            }
        }
    }

    /// What another user may have placed where `dev` keeps its state.
    enum Planted: CaseIterable {
        case link, openFolder, foreignFolder
    }

    /// Places it at a path.
    private func plant(_ planted: Planted, _ path: String, target: String) throws {
        switch planted {
        case .link: #expect(symlink(target, path) == 0)
        case .openFolder:
            #expect(mkdir(path, 0o755) == 0)
            chmod(path, 0o777)
        case .foreignFolder:
            #expect(mkdir(path, 0o755) == 0)
            #expect(chown(path, 12_345, 12_345) == 0)
        }
    }

    /// Owner and mode.
    private func owner(_ path: String) throws -> [UInt32] {
        var status = stat()
        try #require(lstat(path, &status) == 0, "\(path)")
        return [status.st_uid, status.st_gid, status.st_mode & 0o7777]
    }

    @Test(.enabled(if: geteuid() == 0, "only root changes owners"), arguments: Planted.allCases)
    func `run by root, rejects a folder or link that another user has placed in the path of its state`(
        _ planted: Planted
    ) async throws {
        try await onThread {
            let base = try makeTemporaryFolder()
            // PostgreSQL's user cannot enter it, so that the state is in /var/tmp.
            chmod(base, 0o700)
            let target = base + "/target"
            #expect(mkdir(target, 0o755) == 0)
            let before = try owner(target)
            func elsewhere(_ folder: String) -> String {
                var hash: UInt64 = 14_695_981_039_346_656_037
                for byte in (folder + "/.lux").utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
                return "/var/tmp/lux-" + String(hash, radix: 16)
            }
            for place in ["working directory", "/var/tmp", "data", "run"] {
                let folder = base + "/" + place.filter(\.isLetter)
                #expect(mkdir(folder, 0o755) == 0)
                let state = elsewhere(folder)
                defer { try? FileManager.default.removeItem(atPath: state) }
                let path: String
                switch place {
                case "working directory": path = folder + "/.lux"
                case "/var/tmp": path = state
                default:
                    #expect(mkdir(state, 0o755) == 0)
                    path = state + "/" + place
                }
                try plant(planted, path, target: target)
                let planting = try owner(path)
                let process = try ChildProcess(
                    Locations.server, ["dev", "--port", "0"], environment: LUXCommand.environment([:]), folder: folder)
                #expect(process.wait(seconds: 60) == .exit(1), "\(place): \(process.output)\(process.errors)")
                #expect(process.errors.contains("\(path) "), "\(process.errors)")
                #expect(try owner(target) == before && owner(path) == planting)
                #expect(try FileManager.default.contentsOfDirectory(atPath: target) == [], "nothing is written there")
            }
        }
    }
}
