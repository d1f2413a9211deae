import Foundation
import Testing

/// Compiles a library that comes before libc's, for `LD_PRELOAD`.
package func preloadedLibrary(_ source: String) throws -> String {
    let folder = try makeTemporaryFolder()
    try source.write(toFile: folder + "/library.c", atomically: true, encoding: .utf8)
    let compiler = try ChildProcess(
        "clang", ["-shared", "-fPIC", "-o", "library.so", "library.c"], environment: ["PATH": Locations.path],
        folder: folder)
    #expect(compiler.wait(seconds: 60) == .exit(0), "\(compiler.errors)")
    return folder + "/library.so"
}
