/// Encodes parameters as the parallel arrays of libpq, in buffers that are kept between statements.
struct ParameterEncoder {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    private var values: [UnsafePointer<CChar>?] = []

    /// Calls `body` with count, values, lengths and formats of the parameters; the pointers live during the call.
    mutating func withEncoded<T>(
        _ parameters: [PostgresParameter],
        _ body: (Int32, [UnsafePointer<CChar>?], [Int32], [Int32]) -> T
    ) -> T {
        bytes.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        for parameter in parameters {
            let start = bytes.count
            offsets.append(parameter.encode(into: &bytes) ? start : -1)
            lengths.append(Int32(clamping: bytes.count - start))
        }
        // An empty text at the end needs an address too: a null pointer would mean NULL.
        bytes.append(0)
        while formats.count < parameters.count { formats.append(1) }
        defer {
            values.removeAll(keepingCapacity: true)
            if bytes.capacity > 1 << 16 { bytes = [] }
        }
        return bytes.withUnsafeBytes { buffer in
            let base = buffer.assumingMemoryBound(to: CChar.self).baseAddress
            for offset in offsets {
                values.append(offset < 0 ? nil : base.map { $0 + offset })
            }
            return body(Int32(parameters.count), values, lengths, formats)
        }
    }
}
