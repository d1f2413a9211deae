import Foundation
import Glibc
import LUXTestSupport
import Testing

@testable import LUXDevelopment

/// Files and folders of the development database that nobody else may read or exchange.
@Suite struct PrivateFileTests {
    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }

    @Test func `a file has mode 600 from its first moment, even in place of another one`() async throws {
        let path = try makeTemporaryFolder() + "/secret"
        let isOver = Flag()
        let seen = Task.detached {
            var modes: Set<mode_t> = []
            while !isOver.isSet {
                var status = stat()
                if lstat(path, &status) == 0 { modes.insert(status.st_mode & 0o777) }
            }
            return modes
        }
        for number in 0..<2_000 { try PrivateFile.write("text \(number)", to: path) }
        isOver.set()
        #expect(await seen.value.isSubset(of: [0o600]))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "text 1999")
        #expect(mode(path) == 0o600)
    }

    @Test func `a link of the name is removed and not followed`() throws {
        let folder = try makeTemporaryFolder()
        try "kept".write(toFile: folder + "/target", atomically: false, encoding: .utf8)
        symlink("target", folder + "/secret")
        try PrivateFile.write("text", to: folder + "/secret")
        #expect(try String(contentsOfFile: folder + "/target", encoding: .utf8) == "kept")
        #expect(try String(contentsOfFile: folder + "/secret", encoding: .utf8) == "text")
    }

    @Test func `a folder is used only if it is ours, no link and not writable by others`() throws {
        let folder = try makeTemporaryFolder()
        let path = folder + "/a"
        try PrivateFile.requireFolder(path)
        #expect(mode(path) == 0o700)
        try PrivateFile.requireFolder(path, mode: 0o755)
        #expect(mode(path) == 0o700, "an existing one stays as it is")
        for mode in [0o770, 0o702, 0o777] as [mode_t] {
            chmod(path, mode)
            #expect(throws: DevelopmentDatabase.StartError.self, "\(mode)") { try PrivateFile.requireFolder(path) }
        }
        chmod(path, 0o700)
        symlink("a", folder + "/link")
        symlink("nothing", folder + "/dangling")
        try "text".write(toFile: folder + "/file", atomically: false, encoding: .utf8)
        for name in ["link", "dangling", "file"] {
            #expect(throws: DevelopmentDatabase.StartError.self, "\(name)") {
                try PrivateFile.requireFolder("\(folder)/\(name)")
            }
        }
        guard geteuid() == 0 else { return }
        #expect(chown(path, 12_345, 12_345) == 0)
        #expect(throws: DevelopmentDatabase.StartError.self, "somebody else's") { try PrivateFile.requireFolder(path) }
        let account = UnprivilegedAccount(name: "other", user: 12_345, group: 12_345)
        try PrivateFile.requireFolder(path, for: account)
    }
}
