import Glibc

/// Executes one benchmark a number of times: `lux-benchmarks NAME COUNT`. Without arguments it lists the names.
@main struct Main {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let count = Int(arguments[2]),
            let benchmark = benchmarks.first(where: { $0.name == arguments[1] })
        else {
            for benchmark in benchmarks { print(benchmark.name) }
            return
        }
        let operation = benchmark.prepare()
        for _ in 0..<count { operation() }
    }
}

/// Something that is measured.
struct Benchmark: Sendable {
    var name: String
    /// Prepares what is not measured, and returns the operation that is.
    var prepare: @Sendable () -> () -> Void
}

/// Keeps the optimizer from removing what computes a value.
@inline(never) func consume<Value>(_ value: Value) {}
