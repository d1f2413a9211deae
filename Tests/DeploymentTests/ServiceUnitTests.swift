import Foundation
import LUXTestSupport
import Testing

/// deploy/lux-server.service and deploy/lux-server.socket
@Suite(.requires("systemd-analyze")) struct ServiceUnitTests {
    private static let unit = "deploy/lux-server.service"

    /// The unit as a file of its own whose program is the one that was built.
    private func installed() throws -> String {
        let path = try makeTemporaryFolder() + "/lux-server.service"
        let text = try DeploymentFile.text(Self.unit)
        let line = "ExecStart=/opt/lux/current/lux-server serve"
        #expect(text.contains(line))
        try text.replacing(line, with: "ExecStart=\(Locations.server) serve")
            .write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func `systemd reports no error in the service, alone or with its socket`() throws {
        let service = try installed()
        let alone = try Tool("systemd-analyze", ["verify", "--man=no", service])
        #expect(alone.isDone && !alone.everything.contains("lux-server."), "\(alone.everything)")
        let socket = service.replacing(".service", with: ".socket")
        try DeploymentFile.text("deploy/lux-server.socket").write(toFile: socket, atomically: true, encoding: .utf8)
        let both = try Tool("systemd-analyze", ["verify", "--man=no", socket, service])
        #expect(both.isDone && !both.everything.contains("lux-server."), "\(both.everything)")
    }

    @Test func `the socket's ports are those of the variables`() throws {
        let socket = try DeploymentFile.text("deploy/lux-server.socket")
        let environment = try DeploymentFile.text("deploy/lux-server.env")
        let ports = socket.matches(of: /(?m)^#?ListenStream=(\d+)$/).map { String($0.output.1) }
        let variables = environment.matches(of: /(?m)^#?LUX_(?:TLS_REDIRECT_)?PORT=(\d+)$/).map { String($0.output.1) }
        #expect(ports == ["443", "80"] && Set(ports).isSubset(of: variables), "\(ports) \(variables)")
    }

    @Test func `its exposure is 2.0 at most`() throws {
        let run = try Tool("systemd-analyze", ["security", "--offline=true", "--threshold=20", try installed()])
        #expect(run.isDone, "\(run.everything)")
    }

    @Test func `waits for requests in flight at a stop, reloads by SIGHUP, stays down when the configuration is wrong`()
        throws
    {
        let lines = Set(try DeploymentFile.text(Self.unit).split(separator: "\n"))
        for line in [
            "TimeoutStopSec=20", #"ExecReload=/bin/sh -c "kill -HUP $MAINPID""#, "RestartPreventExitStatus=78",
            "Restart=on-failure", "User=lux", "Type=notify", "WatchdogSec=30",
            // The lock alone would lock the bit as it is, which is off.
            "SecureBits=noroot noroot-locked", "EnvironmentFile=/etc/lux/lux-server.env",
        ] { #expect(lines.contains { $0 == line }, "\(line)") }
    }

    /// libseccomp creates the filter that systemd creates from the unit's lines, with the groups as this systemd has them.
    private static let filter = """
        import errno, os, re, seccomp, subprocess, sys
        unit, command = sys.argv[1], sys.argv[2:]
        def calls(name):
            if not name.startswith("@"):
                return {name}
            run = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
            found = set()
            for line in run.stdout.splitlines()[1:]:
                line = line.strip()
                if line and not line.startswith("#"):
                    found |= calls(line)
            return found
        allowed = None
        for line in re.findall(r"^SystemCallFilter=(.*)$", open(unit).read(), re.M):
            isDenied = line.startswith("~")
            names = set().union(*(calls(n) for n in line.lstrip("~").split()))
            if allowed is None:
                assert not isDenied
                allowed = calls("@default")
            allowed = allowed - names if isDenied else allowed | names
        # What systemd itself needs to become the program.
        allowed.add("execve")
        f = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
        for name in allowed:
            try:
                f.add_rule(seccomp.ALLOW, name)
            except (RuntimeError, OSError, ValueError):
                pass
        f.set_attr(seccomp.Attr.CTL_NNP, 1)
        f.load()
        os.execv(command[0], command)
        """

    @Test func `the filter of system calls lets the server do all it does`() async throws {
        try await onThread {
            let script = try makeTemporaryFolder() + "/filter.py"
            try Self.filter.write(toFile: script, atomically: true, encoding: .utf8)
            let wrapper = ["/usr/bin/python3", script, DeploymentFile.path(Self.unit)]

            // Anybody may do this, but for the filter (EPERM is 1).
            let probe = """
                import ctypes
                libc = ctypes.CDLL(None, use_errno=True)
                print(libc.sched_setscheduler(0, 0, ctypes.byref(ctypes.c_int(0))), ctypes.get_errno())
                """
            let rejected = try Tool(wrapper[0], Array(wrapper[1...]) + ["/usr/bin/python3", "-c", probe])
            #expect(rejected.output == "-1 1\n", "\(rejected.everything)")
            #expect(try Tool("python3", ["-c", probe]).output == "0 0\n")

            let provider = try FakeProvider(.reply(200, #"{"header":{"isSuccessful":true}}"#))
            let certificate = try TestCertificate()
            let secrets = certificate.folder + "/secrets"
            try (Token.secret + "\n").write(toFile: secrets, atomically: true, encoding: .utf8)
            chmod(secrets, 0o600)
            let server = try TestServer(
                World.sharedDatabase,
                environment: certificate.environment.merging([
                    "LUX_METRICS_PORT": "0", "LUX_TLS_REDIRECT_PORT": "0", "LUX_JWT_SECRET": "",
                    "LUX_JWT_SECRET_FILE": secrets,
                    // libdispatch reports what it may not do to syslog, which only systemd's journal would show.
                    "LIBDISPATCH_LOG": "stderr", "LUX_ALIMTALK_PROVIDER": "nhn",
                    "LUX_ALIMTALK_BASE_URL": provider.baseURL.replacing("127.0.0.1", with: "localhost"),
                    "LUX_ALIMTALK_NHN_APPKEY": "app", "LUX_ALIMTALK_NHN_SECRET_KEY": "secret",
                    "LUX_ALIMTALK_NHN_SENDER_KEY": "sender", "LUX_ALIMTALK_NHN_TEMPLATE_CODE": "template",
                ]) { $1 }, wrapper: wrapper)
            let world = try World()
            let (user, child, device) = try world.family()
            let parent = try world.user(phone: "+821012345678")
            func call(_ method: String, _ target: String, as user: Int64, body: String? = nil) throws -> Int {
                let client = try HTTPClient(port: server.port, offer: TLSClient.Offer())
                try client.send(
                    TestServer.request(method, World.api + target, token: Token.access(user: user), body: body))
                return try client.receive().status
            }
            for _ in 0..<2 {
                let record = World.record(child: child, device: device, date: "2025-05-01T10:00:00Z", flag: 1, file: 1)
                #expect(try call("POST", "devlog", as: user, body: World.logArrays([record])) == 200)
                #expect(try call("GET", "child-device?real_user_id=\(child)", as: user) == 200)
                #expect(try call("GET", "get-all-device", as: user) == 200)
                _ = try call("POST", "alimtalk", as: parent)
                let read = { (lines: [String]) in lines.count { $0.contains("certificate and key were read") } }
                let before = read(server.process.outputLines)
                server.process.signal(SIGHUP)
                #expect(server.process.waitForOutput { read($0) > before ? true : nil } == true)
            }
            #expect(provider.requests.count == 2)
            let metrics = server.logLines { $0["message"]?.string == "metrics" }.first?["port"]?.integer
            let scrape = try HTTPClient(port: #require(metrics.flatMap { UInt16(exactly: $0) }))
            try scrape.send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
            let samples = try scrape.receive().text.split(separator: "\n")
            for name in ["process_open_fds ", "process_max_fds ", "process_resident_memory_bytes "] {
                let value = samples.first { $0.hasPrefix(name) }.flatMap { Double($0.dropFirst(name.count)) }
                #expect(value ?? 0 > 1, "\(name)")
            }
            let errors = server.process.outputLines.filter { JSONValue($0)?["level"]?.string == "error" }
            #expect(errors.isEmpty && server.process.errors.isEmpty, "\(errors)\(server.process.errors)")
            server.stop()
        }
    }
}
