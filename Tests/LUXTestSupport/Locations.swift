import Foundation

/// Where the programs and files that the tests run are.
package enum Locations {
    /// The built `lux-server`: `LUX_TEST_SERVER`, else beside the test program, else in the package's `.build/debug`.
    package static let server: String = {
        if let path = ProcessInfo.processInfo.environment["LUX_TEST_SERVER"] { return path }
        let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("lux-server").path
        if FileManager.default.isExecutableFile(atPath: beside) { return beside }
        return package + "/.build/debug/lux-server"
    }()

    /// The package's root folder: the first one above the test program, or above this file, that contains `Migrations`.
    package static let package: String = {
        if let path = ProcessInfo.processInfo.environment["LUX_TEST_PACKAGE"] { return path }
        for start in ["/proc/self/exe", #filePath] {
            var folder = URL(fileURLWithPath: start).resolvingSymlinksInPath().deletingLastPathComponent()
            while folder.path != "/" {
                if FileManager.default.fileExists(atPath: folder.appendingPathComponent("Migrations").path) {
                    return folder.path
                }
                folder = folder.deletingLastPathComponent()
            }
        }
        return FileManager.default.currentDirectoryPath
    }()

    /// Where the programs that a script of the package calls are looked for.
    package static let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"

    package static var migrations: String { package + "/Migrations" }

    /// The folder that contains `initdb` and `postgres`, newest version first.
    package static let postgresPrograms: String? = {
        var folders: [String] = []
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map(
            String.init)
        for folder in path where isExecutable(folder + "/pg_config") {
            if let process = try? ChildProcess(folder + "/pg_config", ["--bindir"]), process.wait() == .exit(0) {
                folders.append(process.output.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            break
        }
        let base = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        folders += versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }.map { "\(base)/\($0)/bin" }
        folders += path
        return folders.first { isExecutable($0 + "/initdb") && isExecutable($0 + "/postgres") }
    }()

    private static func isExecutable(_ path: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: path)
    }
}
