import Glibc

/// Who may use a file with secrets, other than its owner.
package enum FileRights {
    /// - Returns: why the file must not be used: its group or anybody may change it. `nil` when it may be used, or does
    ///   not exist, or is a device.
    package static func error(of path: String) -> String? {
        guard let mode = mode(of: path), mode & 0o022 != 0 else { return nil }
        return "\(path): others may write it (mode \(String(mode & 0o777, radix: 8))); chmod 600 it"
    }

    /// - Returns: what an operator should know: anybody may read it. Secrets mounted by Kubernetes are so.
    static func warning(of path: String) -> String? {
        guard let mode = mode(of: path), mode & 0o022 == 0, mode & 0o004 != 0 else { return nil }
        return "\(path): everybody may read it (mode \(String(mode & 0o777, radix: 8))); chmod 600 it"
    }

    private static func mode(of path: String) -> mode_t? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return status.st_mode
    }
}
