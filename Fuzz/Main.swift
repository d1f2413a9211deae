import Glibc

/// libFuzzer's own loop (LLVM manual, "Using libFuzzer as a library").
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ argumentCount: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The package manager gives an executable's main function this name. The environment variable `FUZZ` chooses the target.
@_cdecl("lux_fuzz_main")
public func fuzz(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
    var (count, arguments) = (count, arguments)
    return runDriver(&count, &arguments) { start, count in
        target(Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    }
}

/// Every target by its name. Each traps where an invariant is broken.
private let targets: [String: @Sendable ([UInt8]) -> Void] = [
    "request": fuzzRequest, "chunked": fuzzChunked, "query": fuzzQuery, "jwt": fuzzJWT, "devlog": fuzzDevlog,
    "date": fuzzDate,
]

private let target: @Sendable ([UInt8]) -> Void = {
    let name = getenv("FUZZ").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        print("FUZZ must be one of \(targets.keys.sorted().joined(separator: ", "))")
        exit(2)
    }
    return target
}()
