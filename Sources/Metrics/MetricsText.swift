/// Writes Prometheus' text format (Prometheus documentation, "Exposition formats", version 0.0.4).
package struct MetricsText: Sendable {
    /// What it is sent as.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A name and its value, of a sample.
    package typealias Label = (name: String, value: String)

    /// What was written so far.
    package private(set) var bytes: [UInt8] = []

    /// Nothing written yet.
    package init() {}

    /// A counter and its samples.
    ///
    /// - Parameter name: ends in `_total`.
    package mutating func counter(_ name: String, _ help: String, _ samples: [(labels: [Label], value: UInt64)]) {
        header(name, "counter", help)
        for sample in samples { line(name, sample.labels, String(sample.value)) }
    }

    /// A counter without labels.
    package mutating func counter(_ name: String, _ help: String, _ value: Double) {
        header(name, "counter", help)
        line(name, [], Self.number(value))
    }

    /// A gauge and its samples.
    package mutating func gauge(_ name: String, _ help: String, _ samples: [(labels: [Label], value: Double)]) {
        header(name, "gauge", help)
        for sample in samples { line(name, sample.labels, Self.number(sample.value)) }
    }

    /// A gauge without labels.
    package mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        gauge(name, help, [([], value)])
    }

    /// A histogram of seconds and its label sets.
    package mutating func histogram(_ name: String, _ help: String, _ samples: [(labels: [Label], value: Histogram)]) {
        header(name, "histogram", help)
        for (labels, histogram) in samples {
            var total: UInt64 = 0
            for (index, count) in histogram.counts.enumerated() {
                total += count
                let bound = index < Histogram.bounds.count ? Self.number(Histogram.bounds[index]) : "+Inf"
                line(name + "_bucket", labels + [("le", bound)], String(total))
            }
            line(name + "_sum", labels, Self.number(histogram.sum))
            line(name + "_count", labels, String(total))
        }
    }

    /// A histogram of something else than seconds.
    ///
    /// - Parameters:
    ///   - bounds: the upper bounds of all buckets but the last.
    ///   - counts: how many lay in each bucket and in none before it; one more than `bounds`.
    package mutating func histogram(
        _ name: String, _ help: String, bounds: [Int], counts: [UInt64], sum: UInt64
    ) {
        assert(counts.count == bounds.count + 1)
        header(name, "histogram", help)
        var total: UInt64 = 0
        for (bound, count) in zip(bounds.map(String.init) + ["+Inf"], counts) {
            total += count
            line(name + "_bucket", [("le", bound)], String(total))
        }
        line(name + "_sum", [], String(sum))
        line(name + "_count", [], String(total))
    }

    private mutating func header(_ name: String, _ type: String, _ help: String) {
        bytes.append(contentsOf: "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n".utf8)
    }

    private mutating func line(_ name: String, _ labels: [Label], _ value: String) {
        bytes.append(contentsOf: name.utf8)
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
            bytes.append(contentsOf: "{\(pairs.joined(separator: ","))}".utf8)
        }
        bytes.append(contentsOf: " \(value)\n".utf8)
    }

    /// Whole numbers without a fraction, as people expect them.
    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
