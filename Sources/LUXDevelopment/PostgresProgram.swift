import CLinux
import Glibc

/// A running program of PostgreSQL. Ends with the thread that started it (PR_SET_PDEATHSIG); use it only on that thread.
final class PostgresProgram {
    private let pid: pid_t
    /// As waitpid(2) reports it; `nil` while the program runs.
    private var status: Int32?

    /// Starts a program in a process group of its own, so that Ctrl-C at the terminal reaches only its owner.
    ///
    /// - Parameters:
    ///   - account: the user that it runs as; `nil` for this process's user.
    ///   - log: an existing file that receives its output.
    /// - Throws: ``DevelopmentDatabase/StartError``.
    init(_ path: String, _ arguments: [String], as account: UnprivilegedAccount?, log: String) throws {
        let credentials = account.map { ["--reuid=\($0.user)", "--regid=\($0.group)", "--clear-groups"] } ?? []
        let words = ["/usr/bin/setpriv", "--pdeathsig", "INT"] + credentials + [path] + arguments
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_APPEND, 0)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)
        // The user may be unable to enter the working directory of its owner.
        posix_spawn_file_actions_addchdir_np(&actions, "/")
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let pointers = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var started = pid_t()
        let failure = posix_spawn(&started, words[0], &actions, &attributes, pointers, environ)
        guard failure == 0 else {
            throw DevelopmentDatabase.StartError(
                description: "cannot start \(words[0]): \(String(cString: strerror(failure)))")
        }
        pid = started
    }

    var isRunning: Bool {
        reap(WNOHANG)
        return status == nil
    }

    /// Waits until it ends.
    ///
    /// - Returns: whether it exited with status 0.
    @discardableResult
    func wait() -> Bool {
        reap(0)
        return status == 0
    }

    /// The fast shutdown of postgres(1).
    func interrupt() {
        kill(pid, SIGINT)
    }

    private func reap(_ options: Int32) {
        guard status == nil else { return }
        var code: Int32 = 0
        var result: pid_t
        repeat { result = waitpid(pid, &code, options) } while result < 0 && errno == EINTR
        if result == pid { status = code }
        if result < 0 { status = -1 }
    }
}
