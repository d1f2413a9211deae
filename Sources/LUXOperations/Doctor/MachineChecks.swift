import CLinux
import FoundationEssentials
import Glibc
import HTTP
import LUXSettings
import OpenSSL
import TimeZones

/// Checks of the machine and of the files that the variables name, without the database.
package struct MachineChecks {
    package let variables: Variables

    package init(variables: Variables) {
        self.variables = variables
    }

    /// Release of the program; a clock before it is wrong.
    private static let release = Date(timeIntervalSince1970: 1_764_288_000)

    package func findings() -> [Doctor.Finding] {
        var reader = EnvironmentReader(variables)
        let wanted = reader.limits().connections + reader.read(\.database.pool)
        return [
            Self.finding(descriptorsForConnections: HTTPServer.descriptorsForConnections, wanted: wanted),
            Self.finding(openSSL: OpenSSLVersion.current), fileRights(),
            Self.finding(zone: reader.read(\.database.timeZone), data: WallClock.folder),
            Self.finding(clock: Date(), isSynchronized: Self.isClockSynchronized()),
        ]
    }

    /// - Parameter available: descriptors that the process may have for connections of clients and the database.
    package static func finding(descriptorsForConnections available: Int, wanted: Int) -> Doctor.Finding {
        Doctor.Finding(
            subject: "descriptors",
            detail: "\(available) for connections, LUX_MAX_CONNECTIONS and LUX_DB_POOL need \(wanted)",
            advice: available < wanted
                ? "raise LimitNOFILE of the unit (ulimit -n of this shell), or lower LUX_MAX_CONNECTIONS" : nil)
    }

    package static func finding(openSSL version: String) -> Doctor.Finding {
        let parts = version.split(separator: ".").prefix(3).map { Int($0.prefix { $0.isNumber }) ?? 0 }
        let advice: String? =
            if version == "3.0.19" {
                "upgrade libssl3: 3.0.19 keeps memory for each handshake that a client does not finish"
            } else if parts.lexicographicallyPrecedes([3, 0]) {
                "upgrade to OpenSSL 3: older versions get no security fixes"
            } else {
                nil
            }
        return Doctor.Finding(subject: "OpenSSL", detail: version, advice: advice)
    }

    /// Files whose change changes what the server trusts. Those with secrets are checked when the variables are read.
    private func fileRights() -> Doctor.Finding {
        let names = ["LUX_JWT_PUBLIC_KEY", "LUX_JWT_SECRET_FILE", "LUX_TLS_CERT", "LUX_TLS_KEY", "DATABASE_URL_FILE"]
        let paths = names.compactMap { variables.values[$0] }.filter { !$0.isEmpty }
        let errors = paths.compactMap { FileRights.error(of: $0) }
        return Doctor.Finding(
            subject: "file rights",
            detail: errors.isEmpty
                ? "\(paths.count) files, none can be written by others" : errors.joined(separator: "; "),
            advice: errors.isEmpty ? nil : "let only the owner write them")
    }

    /// - Parameter folder: of the compiled time zones.
    package static func finding(zone: String, data folder: String) -> Doctor.Finding {
        let subject = "time zone data"
        guard WallClock(identifier: zone, in: folder) != nil else {
            return Doctor.Finding(
                subject: subject, detail: "\(folder) has no valid \(zone)", advice: "install the package tzdata")
        }
        let text = FileManager.default.contents(atPath: folder + "/tzdata.zi") ?? Data()
        let start = String(decoding: text.prefix(40), as: UTF8.self)
        let version = start.firstMatch(of: /# version (\w+)/).map { ", version \($0.output.1)" } ?? ""
        return Doctor.Finding(subject: subject, detail: zone + version)
    }

    /// A clock that is not synchronized is not an error by itself: the host of a virtual machine may keep it right.
    package static func finding(clock now: Date, isSynchronized: Bool) -> Doctor.Finding {
        let source =
            isSynchronized
            ? "synchronized" : "the kernel does not know of a synchronization (chrony, systemd-timesyncd)"
        return Doctor.Finding(
            subject: "clock", detail: "\(now.formatted(.iso8601)), \(source)",
            advice: now < release ? "set the clock: tokens are checked by it, and logs are dated by it" : nil)
    }

    /// adjtimex(2) without a change.
    private static func isClockSynchronized() -> Bool {
        var state = timex()
        let code = adjtimex(&state)
        return code >= 0 && code != TIME_ERROR
    }
}
