import Foundation
import LUXTestSupport
import Testing

/// The limits and time-outs of deploy/nginx.conf, against the defaults of the server.
@Suite struct NginxLimitTests {
    @Test func `its limits fit those of the server`() throws {
        let report = try LUXCommand.run(
            ["config", "check"], environment: ["DATABASE_URL": "dbname=lux", "LUX_JWT_SECRET": Token.secret])
        func value(_ name: String) throws -> Int {
            let line = try #require(report.output.split(separator: "\n").first { $0.hasPrefix(name + " ") })
            return try #require(Int(line.split(separator: " ")[1]))
        }
        let site = try DeploymentFile.text("deploy/nginx.conf")
        func number(_ pattern: String) throws -> [Int] {
            try site.matches(of: Regex("(?m)^ *\(pattern) (\\d+)[skm]?;", as: (Substring, Substring).self))
                .compactMap { Int($0.output.1) }
        }
        // More than the server accepts, and no more than it discards of a body that it rejects.
        #expect(try number("client_max_body_size") == [16])
        #expect(try value("LUX_MAX_BODY_BYTES") < 16 << 20)
        #expect(try number("large_client_header_buffers 4") == [value("LUX_MAX_HEADER_BYTES") / 1_024])
        #expect(try number("limit_conn lux_clients") == [value("LUX_MAX_CONNECTIONS_PER_CLIENT")])
        #expect(try number("client_header_timeout") == [value("LUX_HEADER_TIMEOUT")])
        #expect(try number("client_body_timeout") == [value("LUX_BODY_STALL_TIMEOUT")])
        #expect(try number("proxy_read_timeout").allSatisfy { $0 > (try? value("LUX_REQUEST_TIMEOUT")) ?? 99 })
        // Upstream first, clients second.
        let keepAlive = try number("keepalive_timeout")
        try #require(keepAlive.count == 2)
        #expect(try keepAlive[0] < value("LUX_IDLE_TIMEOUT") && keepAlive[1] == value("LUX_IDLE_TIMEOUT"))
        #expect(
            try number("keepalive_requests").allSatisfy { $0 < (try? value("LUX_MAX_REQUESTS_PER_CONNECTION")) ?? 0 })
    }
}
