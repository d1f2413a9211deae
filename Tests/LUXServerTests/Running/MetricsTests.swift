import Foundation
import LUXTestSupport
import Testing

/// GET /metrics
@Suite struct MetricsTests {
    /// The samples by their name with labels.
    private func samples(_ server: TestServer, port: UInt16? = nil) throws -> [String: Double] {
        let client = try HTTPClient(port: port ?? server.port)
        try client.send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
        let reply = try client.receive()
        #expect(reply.status == 200)
        #expect(reply.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        var samples: [String: Double] = [:]
        for line in reply.text.split(separator: "\n") where !line.hasPrefix("#") {
            let space = try #require(line.lastIndex(of: " "))
            #expect(samples[String(line[..<space])] == nil, "twice: \(line)")
            let value = try #require(Double(String(line[line.index(after: space)...])), "\(line)")
            samples[String(line[..<space])] = value
        }
        return samples
    }

    @Test func `counts requests, records, statements and connections`() async throws {
        try await onThread {
            let world = try World.own()
            let (user, child, device) = try world.family()
            let temporary = World.record(child: child, device: device, date: "2025-05-01T10:00:30Z")
            let complete = World.record(child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: 1)
            let new = World.record(child: child, device: device, date: "2025-05-01T11:00:00Z", flag: 1, file: 2)
            for records in [[temporary], [temporary], [complete, new], [complete]] {
                #expect(try world.upload(records, as: user).status == 200)
            }
            #expect(try world.upload([], as: user).status == 422)
            let parent = try world.user(phone: "+821012345678")
            #expect(try world.call("POST", "alimtalk", as: parent).status == 200)
            _ = try world.call("INVENTED", "/somewhere")
            usleep(200_000)
            let samples = try samples(world.server)
            let devlog = "route=\"/api/v1/lux/device/devlog\""
            let expected: [String: Double] = [
                "lux_http_requests_total{\(devlog),method=\"POST\",status=\"200\"}": 4,
                "lux_http_requests_total{\(devlog),method=\"POST\",status=\"422\"}": 1,
                "lux_http_requests_total{route=\"none\",method=\"other\",status=\"404\"}": 1,
                "lux_http_request_duration_seconds_count{\(devlog)}": 5,
                "lux_http_request_duration_seconds_bucket{\(devlog),le=\"+Inf\"}": 5,
                "lux_devlog_records_total{kind=\"temporary_made\"}": 1,
                "lux_devlog_records_total{kind=\"temporary_updated\"}": 1,
                "lux_devlog_records_total{kind=\"completed\"}": 1,
                "lux_devlog_records_total{kind=\"new\"}": 1,
                "lux_devlog_records_total{kind=\"repeated\"}": 1,
                "lux_db_statement_duration_seconds_count{statement=\"devlog_lock\"}": 4,
                "lux_db_wait_seconds_count": 6, "lux_alimtalk_messages_total{provider=\"log\",outcome=\"accepted\"}": 1,
                "lux_db_pool_size": 8, "lux_db_waiting_requests": 0,
            ]
            for (name, value) in expected { #expect(samples[name] == value, "\(name)") }
            let present = [
                "lux_http_requests_in_flight", "lux_http_connections{state=\"idle\"}", "process_cpu_seconds_total",
                "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_start_time_seconds",
                "lux_db_connections{state=\"idle\"}", "lux_tls_handshakes_total{outcome=\"done\"}",
            ]
            for name in present { #expect(samples[name] != nil, "\(name)") }
            #expect(samples.keys.contains { $0.hasPrefix("lux_build_info{version=") })
            #expect(samples["lux_http_connections{state=\"idle\"}", default: 0] >= 1)
            world.server.stop()
        }
    }

    @Test func `reports when the certificate in use ends, after a SIGHUP that of the new one`() async throws {
        try await onThread {
            let name = "lux_tls_certificate_expiry_timestamp_seconds"
            let certificate = try TestCertificate(days: 20)
            let server = try TestServer(
                World.sharedDatabase, environment: certificate.environment.merging(["LUX_METRICS_PORT": "0"]) { $1 })
            let lines = server.logLines { $0["message"]?.string == "metrics" }
            let port = try #require(lines.first?["port"]?.integer.flatMap { UInt16(exactly: $0) })
            func daysLeft() throws -> Double {
                let end = try #require(try samples(server, port: port)[name])
                return Date(timeIntervalSince1970: end).timeIntervalSinceNow / 86_400
            }
            #expect(try (19.5...20.1).contains(daysLeft()))
            try certificate.replace(with: TestCertificate(days: 90))
            server.process.signal(SIGHUP)
            // The server may also have noticed the change by itself, before or after.
            func isRequested(_ line: JSONValue) -> Bool {
                line["message"]?.string == "certificate and key were read" && line["cause"]?.string == "requested"
            }
            #expect(server.logLines(isRequested).count == 1)
            #expect(try (89.5...90.1).contains(daysLeft()))
            server.stop()
            #expect(server.process.outputLines.compactMap { JSONValue($0) }.filter(isRequested).count == 1)
            #expect(try samples(World.sharedServer)[name] == nil)
        }
    }

    @Test func `each counter is 0 before its first event, with each label value that is known`() async throws {
        try await onThread {
            let server = try TestServer(try TestDatabase.make())
            let samples = try samples(server)
            let paths = try #require(try server.call("GET", "/openapi.json").json?["paths"])
            var count = 0
            for path in paths.keys where path.hasPrefix("/api/") || path == "/readyz" {
                for method in paths[path]?.keys ?? [] {
                    let responses = paths[path]?[method]?["responses"]?.keys ?? []
                    #expect(responses.contains("503"))
                    for status in responses {
                        let labels = "route=\"\(path)\",method=\"\(method.uppercased())\",status=\"\(status)\""
                        #expect(samples["lux_http_requests_total{\(labels)}"] == 0, "\(labels)")
                        count += 1
                    }
                }
            }
            #expect(count > 50)
            for outcome in ["accepted", "misconfigured", "refused", "try_later", "unknown"] {
                #expect(
                    samples["lux_alimtalk_messages_total{provider=\"log\",outcome=\"\(outcome)\"}"] == 0, "\(outcome)")
            }
            for name in try statementNames() {
                let series = "lux_db_statement_duration_seconds_count{statement=\"\(name)\"}"
                #expect(samples[series] != nil, "\(name)")
            }
            let text = try server.call("GET", "/metrics").text
            for counter in text.matches(of: /# TYPE (\w+) counter/).map({ String($0.output.1) }) {
                #expect(samples.keys.contains { $0 == counter || $0.hasPrefix(counter + "{") }, "\(counter)")
            }
            server.stop()
        }
    }

    /// The names of all prepared statements, from the sources.
    private func statementNames() throws -> Set<String> {
        var names: Set<String> = []
        for folder in ["Postgres", "LUXStore", "LUXServer", "LUXAPI"] {
            let root = "\(Locations.package)/Sources/\(folder)"
            let files = FileManager.default.enumerator(atPath: root)
            while let file = files?.nextObject() as? String {
                guard file.hasSuffix(".swift") else { continue }
                let text = try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8)
                for match in text.matches(of: /(?:PostgresStatement|= page)\(\s*"(\w+)"/) {
                    names.insert(String(match.output.1))
                }
            }
        }
        #expect(names.count > 30 && names.contains("commit") && names.contains("usage_logs_of_child"))
        return names
    }

    @Test func `requests add no series`() async throws {
        try await onThread {
            let world = try World.own()
            let before = try Set(samples(world.server).keys)
            let (user, child, device) = try world.family()
            let record = World.record(child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: 1)
            #expect(try world.upload([record], as: user).status == 200)
            #expect(try world.upload([], as: user).status == 422)
            let parent = try world.user(phone: "+821012345678")
            for (method, target, caller) in [
                ("GET", "child-device?real_user_id=\(child)", user), ("GET", "child-device?real_user_id=x", user),
                ("GET", "get-all-device", user), ("GET", "check-device?unique_id=\(device.unique)", user),
                ("GET", "check-device?unique_id=nowhere", user), ("GET", "usage-logs?real_user_id=\(child)", user),
                ("PATCH", "un-connect?unique_id=\(device.unique)&real_user_id=\(child)", user),
                ("POST", "alimtalk", parent), ("POST", "alimtalk", user), ("GET", "get-all-device", nil),
                ("DELETE", "devlog", user), ("OPTIONS", "alimtalk", nil), ("HEAD", "devlog", user),
                ("INVENTED", "devlog", user),
                ("INVENTED", "nowhere", user),
            ] as [(String, String, Int64?)] {
                _ = try world.call(method, target, as: caller)
            }
            for target in ["/healthz", "/readyz", "/nowhere", "/metrics"] {
                _ = try world.server.call("GET", target)
            }
            _ = try world.call("DELETE", "nowhere", as: user)
            let host = "Host: h\r\n"
            for (request, status) in [
                ("BAD\r\n\r\n", 400), ("GET / HTTP/3.0\r\n\(host)\r\n", 505),
                ("POST / HTTP/1.1\r\n\(host)Content-Length: 99999999\r\n\r\n", 413),
                ("PUT / HTTP/1.1\r\n\(host)Content-Length: 99999999\r\n\r\n", 413),
                ("GET /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\n\(host)\r\n", 414),
                ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip\r\n\r\n", 501),
                ("POST / HTTP/1.1\r\n\(host)Expect: miracles\r\nContent-Length: 1\r\n\r\nx", 417),
                ("POST / HTTP/1.1\r\n\(host)Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415),
                ("GET / HTTP/1.1\r\n\(host)X: \(String(repeating: "x", count: 70_000))\r\n\r\n", 431),
            ] {
                let client = try world.server.connect()
                try? client.send(request)
                #expect(try client.receive().status == status, "\(request.prefix(60))")
            }
            usleep(200_000)
            let added = try Set(samples(world.server).keys).subtracting(before)
            #expect(added.isEmpty, "\(added.sorted())")
            world.server.stop()
        }
    }

    @Test func `has a port of its own when one is configured`() async throws {
        try await onThread {
            let server = try TestServer(World.sharedDatabase, environment: ["LUX_METRICS_PORT": "0"])
            expect(try server.call("GET", "/metrics"), 404, "Resource not found")
            let paths = try #require(try server.call("GET", "/openapi.json").json?["paths"]?.keys)
            #expect(paths.contains("/healthz") && !paths.contains("/metrics"))
            let lines = server.logLines { $0["message"]?.string == "metrics" }
            let port = try #require(lines.first?["port"]?.integer.flatMap { UInt16(exactly: $0) })
            #expect(try samples(server, port: port)["lux_db_pool_size"] != nil)
            let client = try HTTPClient(port: port)
            try client.send("GET \(World.api)get-all-device HTTP/1.1\r\nHost: h\r\n\r\n")
            expect(try client.receive(), 404, "Resource not found")
            server.stop()
        }
    }

    @Test func `the port of its own listens where it is configured, the other one on LUX_HOST`() async throws {
        try await onThread {
            let server = try TestServer(
                World.sharedDatabase,
                environment: ["LUX_HOST": "0.0.0.0", "LUX_METRICS_PORT": "0", "LUX_METRICS_HOST": "127.0.0.2"])
            let lines = server.logLines { $0["message"]?.string == "metrics" }
            let port = try #require(lines.first?["port"]?.integer.flatMap { UInt16(exactly: $0) })
            #expect(try server.call("GET", "/healthz").status == 200)
            // HTTPClient connects to 127.0.0.1.
            #expect(throws: (any Error).self) { try HTTPClient(port: port) }
            let run = try ChildProcess("/usr/bin/curl", ["-fsS", "http://127.0.0.2:\(port)/metrics"])
            #expect(run.wait(seconds: 30) == .exit(0) && run.output.contains("\nlux_db_pool_size "), "\(run.errors)")
            server.stop()
        }
    }
}
