import ArgumentParser
import LUXOperations
import LUXSettings
import LUXStore
import Postgres

/// `lux-server user`: the data of an account.
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Copy or erase all data of an account; each leaves an access record.",
        subcommands: [Export.self, Erase.self])

    /// `lux-server user export`
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write everything that is stored about an account and its children as JSON to standard output.")

        @OptionGroup var options: PersonOptions

        func run() throws {
            try options.export(.user(options.id))
        }
    }

    /// `lux-server user erase`
    struct Erase: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase an account, its children and their logs.", discussion: PersonOptions.erasure)

        @OptionGroup var options: PersonOptions

        @OptionGroup var erasure: ErasureOptions

        func run() throws {
            try options.erase(.user(options.id), erasure)
        }
    }
}

/// `lux-server child`: the data of a child.
struct ChildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "child", abstract: "Copy or erase all data of a child; each leaves an access record.",
        subcommands: [Export.self, Erase.self])

    /// `lux-server child export`
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write everything that is stored about a child as JSON to standard output.")

        @OptionGroup var options: PersonOptions

        func run() throws {
            try options.export(.child(options.id))
        }
    }

    /// `lux-server child erase`
    struct Erase: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase a child and its logs.", discussion: PersonOptions.erasure)

        @OptionGroup var options: PersonOptions

        @OptionGroup var erasure: ErasureOptions

        func run() throws {
            try options.erase(.child(options.id), erasure)
        }
    }
}

/// Whose data, and who acts.
struct PersonOptions: ParsableArguments {
    static let erasure = """
        Logs go first, in batches, while the server runs. Messages and audit rows stay countable and lose the person. An \
        interrupted run is continued by the same command. Needs the rights of lux_privacy (deploy/grants.sql).
        """

    @Argument(help: "The id.")
    var id: Int64

    @OptionGroup var actor: ActorOptions

    @OptionGroup var configuration: ConfigurationOptions

    func export(_ person: Person) throws {
        let databaseURL = try configuration.read { $0.read(\.database.url) }
        let count = try RecordedOutput.write("\(person.kind) export", person.subject, databaseURL, actor.required()) {
            session, count, write in
            guard try PersonStore(session: session).exists(person) else {
                throw PersonErasure.Rejection.unknown(person)
            }
            try PersonExport(person).run(session, count: &count, write)
        }
        Environment.printError("exported \(count) rows")
    }

    func erase(_ person: Person, _ options: ErasureOptions) throws {
        let databaseURL = try configuration.read { $0.read(\.database.url) }
        let actor = try actor.required()
        do {
            let erasure = PersonErasure(session: try PostgresSession(connectionString: databaseURL), actor: actor)
            options.output.print(try erasure.erase(person, disconnecting: options.disconnect))
        } catch {
            throw Environment.failure(error)
        }
    }
}

/// How a person is erased.
struct ErasureOptions: ParsableArguments {
    @Flag(help: "Disconnect devices that are connected, instead of rejecting the command.")
    var disconnect = false

    @OptionGroup var output: OutputOptions
}
