import Foundation
import Glibc

/// A file system of a few megabytes in memory. Needs the right to mount, which the tests have where they run as root.
package final class SmallDisk {
    package let folder: String

    package init(megabytes: Int) throws {
        folder = try makeTemporaryFolder()
        let mount = try ChildProcess(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=\(megabytes)M,mode=777", "tmpfs", folder])
        guard mount.wait() == .exit(0) else { throw TestCluster.StartFailure(description: mount.errors) }
    }

    /// Takes all the room that is left.
    package func fill() throws {
        let file = open(folder + "/ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw HTTPClient.Failure.socket(errno) }
        defer { close(file) }
        var size = 1 << 20
        while size > 0 {
            let bytes = [UInt8](repeating: 1, count: size)
            while write(file, bytes, size) == size {}
            size /= 2
        }
    }

    /// Gives it back immediately: a process that another test forks meanwhile may still have the file open.
    package func free() throws {
        guard truncate(folder + "/ballast", 0) == 0 else { throw HTTPClient.Failure.socket(errno) }
        try FileManager.default.removeItem(atPath: folder + "/ballast")
    }

    package func remove() {
        umount2(folder, Int32(MNT_DETACH))
    }
}
