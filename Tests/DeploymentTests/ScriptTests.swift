import Foundation
import Glibc
import LUXTestSupport
import Testing

/// Scripts/install and Scripts/package, with stand-ins for the tools that take long or change the machine.
@Suite struct ScriptTests {
    private func folder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        chmod(path, 0o777)
    }

    // MARK: Scripts/install

    /// A machine that lacks every package; its `apt-get install` follows orders.
    private struct Machine {
        let folder: String
        var policy: String { folder + "/policy-rc.d" }

        var clusters: String { folder + "/clusters" }

        func install(_ arguments: [String] = ["tests"], aptGet: String) throws -> ChildProcess.Ending? {
            try makeProgram(folder + "/bin/apt-get", "#!/bin/sh\n" + aptGet)
            let process = try ChildProcess(
                "/bin/bash", [folder + "/install"] + arguments,
                environment: ["PATH": "\(folder)/bin:/usr/bin:/bin", "HOME": folder])
            return process.wait(seconds: 60)
        }

        var hasPolicy: Bool { FileManager.default.fileExists(atPath: policy) }
    }

    private func machine() throws -> Machine {
        let machine = try Machine(folder: makeTemporaryFolder())
        try folder(machine.folder + "/bin")
        for (name, text) in [("dpkg-query", "exit 1"), ("id", "echo 0"), ("swift", "exit 0")] {
            try makeProgram("\(machine.folder)/bin/\(name)", "#!/bin/sh\n" + text)
        }
        try DeploymentFile.text("Scripts/install")
            .replacing([
                "/usr/sbin/policy-rc.d": machine.policy, "/usr/lib/postgresql": machine.folder + "/lib",
                "=/etc/postgresql": "=" + machine.clusters,
            ])
            .write(toFile: machine.folder + "/install", atomically: true, encoding: .utf8)
        return machine
    }

    @Test func `starts no service, and its policy does not stay, even after a run that was killed`() throws {
        let machine = try machine()
        let looks = "[ \"$1\" != install ] || sh \(machine.policy) || echo $? > \(machine.folder)/status"
        #expect(try machine.install(aptGet: looks) == .exit(0))
        #expect(try String(contentsOfFile: machine.folder + "/status", encoding: .utf8) == "101\n")
        #expect(!machine.hasPolicy)

        #expect(try machine.install(aptGet: "kill -KILL $PPID") == .signal(SIGKILL))
        #expect(machine.hasPolicy)
        #expect(try machine.install(aptGet: looks) == .exit(0))
        #expect(!machine.hasPolicy)
    }

    @Test(arguments: [[], ["tests"]]) func `a PostgreSQL that it installs is started neither now nor with the machine`(
        arguments: [String]
    ) throws {
        let machine = try machine()
        // As Debian's package does: a cluster that starts with the machine, and its start, if the policy allows it.
        let aptGet = """
            [ "$1" = install ] || exit 0
            mkdir -p \(machine.clusters)/15/main; echo auto > \(machine.clusters)/15/main/start.conf
            sh \(machine.policy) || echo $? > \(machine.folder)/status
            """
        #expect(try machine.install(arguments, aptGet: aptGet) == .exit(0))
        #expect(try String(contentsOfFile: machine.folder + "/status", encoding: .utf8) == "101\n")
        let start = try String(contentsOfFile: machine.clusters + "/15/main/start.conf", encoding: .utf8)
        #expect(start == "manual\n" && !machine.hasPolicy)
    }

    @Test func `a PostgreSQL that was installed already starts as before`() throws {
        let machine = try machine()
        try folder(machine.clusters + "/15/main")
        try folder(machine.folder + "/lib/15/bin")
        try makeProgram(machine.folder + "/lib/15/bin/initdb", "#!/bin/sh")
        let file = machine.clusters + "/15/main/start.conf"
        try "auto\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try machine.install(aptGet: "exit 0") == .exit(0))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "auto\n")
    }

    @Test func `without Swift nothing is installed`() throws {
        let machine = try machine()
        try FileManager.default.removeItem(atPath: machine.folder + "/bin/swift")
        #expect(try machine.install([], aptGet: "touch \(machine.folder)/called") == .exit(1))
        #expect(!FileManager.default.fileExists(atPath: machine.folder + "/called"))
    }

    @Test func `a rule of the machine's owner stays`() throws {
        let machine = try machine()
        try makeProgram(machine.policy, "#!/bin/sh\nexit 101")
        #expect(try machine.install(aptGet: "exit 0") == .exit(0))
        #expect(machine.hasPolicy)
    }

    // MARK: Scripts/package

    @Test func `the package has what the operations page needs, and no secret`() throws {
        let root = try makeTemporaryFolder()
        chmod(root, 0o777)
        for name in ["Migrations", "deploy", "docs", "README.md"] {
            try FileManager.default.copyItem(atPath: DeploymentFile.path(name), toPath: "\(root)/\(name)")
        }
        for name in ["Scripts", "bin", "deploy/secrets"] { try folder("\(root)/\(name)") }
        try "secret".write(toFile: root + "/deploy/secrets/token-keys", atomically: true, encoding: .utf8)
        chmod(root + "/deploy/secrets", 0)
        try makeProgram(root + "/Scripts/install", "#!/bin/sh")
        try FileManager.default.copyItem(
            atPath: DeploymentFile.path("Scripts/package"), toPath: root + "/Scripts/package")
        let swift = """
            #!/bin/sh
            case "$*" in
            *--show-bin-path*) echo \(root)/bin ;;
            *) printf '#!/bin/sh\\necho 1.2.3\\n' > \(root)/bin/lux-server; chmod 755 \(root)/bin/lux-server ;;
            esac
            """
        try makeProgram(root + "/bin/swift", swift)
        try makeProgram(root + "/bin/strip", "#!/bin/sh\ncp \"$3\" \"$2\"")
        // Not as root, who may read every secret.
        let user = ["--reuid=65534", "--regid=65534", "--clear-groups"]
        let command = ["/usr/bin/setpriv"] + (getuid() == 0 ? user : []) + ["bash", root + "/Scripts/package"]
        let process = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: ["PATH": "\(root)/bin:/usr/bin:/bin"], folder: root)
        #expect(process.wait(seconds: 60) == .exit(0), "\(process.errors)")
        chmod(root + "/deploy/secrets", 0o755)

        let list = try Tool("tar", ["-tzf", root + "/lux-server-1.2.3.tar.gz"]).output.split(separator: "\n")
        let files = Set(list.map { $0.dropFirst("lux-server-1.2.3/".count) })
        #expect(!files.contains { $0.contains("secrets") })
        for name in ["lux-server", "README.md", "deploy/lux-server.service", "deploy/renew-hook"] {
            #expect(files.contains { $0 == name }, "\(name)")
        }
        // What the pages link to, and what the unit names as its documentation.
        for (page, folder) in [("docs/operations.md", "docs/"), ("README.md", "")] {
            for link in try DeploymentFile.text(page).matches(of: /\]\((?!http)([^)#]+)(?:#[^)]*)?\)/) {
                // For developers.
                if link.output.1 == "CONTRIBUTING.md" { continue }
                #expect(files.contains { $0 == folder + link.output.1 }, "\(page): \(link.output.1)")
            }
        }
        let unit = try DeploymentFile.text("deploy/lux-server.service")
        let page = try #require(unit.firstMatch(of: /Documentation=file:\/opt\/lux\/current\/(\S+)/)).output.1
        #expect(files.contains { $0 == page }, "\(page)")
    }
}
