import Glibc

/// Files and folders that no other user can read or replace.
package enum PrivateFile {
    /// Writes a file of mode 600 in place of one of that name. It has no other mode at any moment, and a link of that name is
    /// removed, not followed.
    ///
    /// - Parameter account: its owner; `nil` for this process's user.
    /// - Throws: ``DevelopmentDatabase/StartError``.
    package static func write(_ text: String, to path: String, for account: UnprivilegedAccount? = nil) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw systemError("cannot replace", path) }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw systemError("cannot create", path) }
        defer { close(descriptor) }
        if let account, fchown(descriptor, account.user, account.group) != 0 {
            throw systemError("cannot change the owner of", path)
        }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw systemError("cannot write", path) }
            bytes.removeFirst(count)
        }
    }

    /// Creates a folder, or checks that an existing one is not a link, belongs to this process's user or the account, and is not
    /// writable by others, who could replace what is in it.
    ///
    /// - Parameters:
    ///   - mode: of a new folder.
    ///   - account: its owner; `nil` for this process's user.
    /// - Throws: ``DevelopmentDatabase/StartError``.
    package static func requireFolder(
        _ path: String, mode: mode_t = 0o700, for account: UnprivilegedAccount? = nil
    ) throws {
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw systemError("cannot create", path) }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DevelopmentDatabase.StartError(description: "\(path) is a link, or not a folder; remove it")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw systemError("cannot read", path) }
        let isOurs = status.st_uid == geteuid() || status.st_uid == account?.user
        guard isOurs, status.st_mode & 0o022 == 0 else {
            throw DevelopmentDatabase.StartError(
                description:
                    "\(path) belongs to another user or is writable by others; remove it, or correct its owner and mode"
            )
        }
        if let account, fchown(descriptor, account.user, account.group) != 0 {
            throw systemError("cannot change the owner of", path)
        }
    }

    private static func systemError(_ what: String, _ path: String) -> DevelopmentDatabase.StartError {
        DevelopmentDatabase.StartError(description: "\(what) \(path): \(String(cString: strerror(errno)))")
    }
}
