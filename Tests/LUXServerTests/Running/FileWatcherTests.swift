import Concurrency
import Foundation
import Glibc
import LUXTestSupport
import Testing

@testable import LUXServer

/// Files of keys and certificates that are loaded again.
@Suite struct FileWatcherTests {
    private func waits(_ condition: () -> Bool) -> Bool {
        for _ in 0..<1_500 {
            if condition() { return true }
            usleep(10_000)
        }
        return false
    }

    @Test func `loads again while the last attempt failed, without a change, and reports the failure once`()
        async throws
    {
        try await onThread {
            let path = try makeTemporaryFolder() + "/key"
            try "text".write(toFile: path, atomically: false, encoding: .utf8)
            let (loads, failures) = (Locked<[Bool]>([]), Locked<[String]>([]))
            let watcher = FileWatcher(
                "test.watcher", [path], since: [FileStamp(path)],
                load: { isRequested in
                    let number = loads.withLock { loads in
                        loads.append(isRequested)
                        return loads.count
                    }
                    return number < 3 ? "cannot be read" : nil
                }, onFailure: { failure in failures.withLock { $0.append(failure) } })
            defer { watcher.stop() }
            watcher.reload()
            #expect(waits { loads.withLock { $0.count } == 3 })
            #expect(loads.withLock { $0 } == [true, false, false])
            #expect(failures.withLock { $0 } == ["cannot be read"])
            // Once it has succeeded there is no reason for another attempt.
            Thread.sleep(forTimeInterval: 2.5)
            #expect(loads.withLock { $0.count } == 3)
        }
    }

    @Test func `a change of the mode alone is a change`() async throws {
        try await onThread {
            let path = try makeTemporaryFolder() + "/key"
            try "text".write(toFile: path, atomically: false, encoding: .utf8)
            chmod(path, 0o600)
            let loads = Counter()
            let watcher = FileWatcher(
                "test.watcher", [path], since: [FileStamp(path)],
                load: { _ in
                    loads.increment()
                    return nil
                }, onFailure: { _ in })
            defer { watcher.stop() }
            chmod(path, 0o644)
            #expect(waits { loads.value == 1 })
        }
    }
}
