import Glibc

/// Calls `body` with a NULL-terminated array of C strings that lives during the call; `nil` becomes a null pointer.
func withCStrings<T>(_ strings: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> T) -> T {
    let copies = strings.map { $0.flatMap { strdup($0) } }
    defer {
        for copy in copies { free(copy) }
    }
    let pointers = copies.map { UnsafePointer<CChar>($0) } + [nil]
    return pointers.withUnsafeBufferPointer { buffer in
        // Never empty: it ends in the null pointer.
        buffer.baseAddress.map(body) ?? body([nil])
    }
}
