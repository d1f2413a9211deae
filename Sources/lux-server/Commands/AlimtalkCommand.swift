import ArgumentParser
import Bytes
import Concurrency
import Dispatch
import FoundationEssentials
import Glibc
import LUX
import LUXNotify
import LUXOperations
import LUXSettings
import LUXStore
import Postgres

/// `lux-server alimtalk`
struct AlimtalkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alimtalk", abstract: "Try the Alimtalk provider, and settle messages of unknown outcome.",
        subcommands: [Test.self, Reconcile.self, Report.self, Settle.self])

    /// Reads the variables of Alimtalk.
    fileprivate static func settings(
        _ reader: inout EnvironmentReader
    ) -> (alimtalk: AlimtalkConfiguration, requestTimeout: Duration) {
        // TLS libraries may write to a closed connection; libcurl leaves the signal to the program (CURLOPT_NOSIGNAL(3)).
        signal(SIGPIPE, SIG_IGN)
        let clock = reader.clock()
        let requestTimeout = reader.read(\.server.requestTimeout)
        return (reader.alimtalk(clock: clock, requestTimeout: requestTimeout), requestTimeout)
    }

    /// Runs asynchronous work and blocks the command's thread until it ends.
    fileprivate static func wait<Value: Sendable>(for work: @escaping @Sendable () async -> Value) -> Value? {
        let result = Locked<Value?>(nil)
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            let value = await work()
            result.withLock { $0 = value }
            done.signal()
        }
        done.wait()
        return result.withLock { $0 }
    }
}

extension AlimtalkCommand {
    /// `lux-server alimtalk test`
    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send one message, or show what would be sent.",
            discussion: "Where a database is configured, a message leaves an access record.")

        @Option(help: "The Korean mobile number that it goes to.")
        var to: String

        @Flag(help: "Print the request with the keys masked, and send nothing.")
        var dryRun = false

        @OptionGroup var actor: ActorOptions

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            guard let number = PhoneNumber(to), number.isUsableForAlimtalk else {
                throw ValidationError("--to must be a Korean mobile number such as 01012345678")
            }
            let (alimtalk, databaseURL) = try options.read { reader in
                (
                    AlimtalkCommand.settings(&reader).alimtalk,
                    reader.isSet(\.database.url) ? reader.read(\.database.url) : nil
                )
            }
            guard let provider = alimtalk.provider, let notifier = alimtalk.notifier() else {
                print("The provider log sends nothing: set LUX_ALIMTALK_PROVIDER")
                return
            }
            let now = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000) * 1_000)
            let notification = AlimtalkMessage(
                userID: 1, phoneNumber: number, child: "Minjun", device: "LUX", children: ["Minjun"], time: now,
                reference: AlimtalkMessage.reference(row: 0, created: now))
            if dryRun {
                let request = provider.request(for: notification, attempt: .now())
                print(request.printed(baseURL: alimtalk.baseURL, hiding: provider.secrets))
                return
            }
            if let databaseURL {
                try record(number, provider: notifier.name, databaseURL)
            }
            guard let outcome = AlimtalkCommand.wait(for: { await notifier.send(notification, deadline: nil) })
            else { return }
            guard case .accepted(let messageID) = outcome else {
                Environment.printError("\(outcome.words): \(outcome.reason ?? "")")
                throw ExitCode.failure
            }
            print("accepted by \(notifier.name), message id \(messageID ?? "none")")
            print("Accepted is not delivered: look at the phone, or look the id up in the provider's console.")
        }

        /// Before the message is sent: without a record none is.
        private func record(_ number: PhoneNumber, provider: String, _ databaseURL: String) throws {
            let actor = try actor.actor()
            do {
                let records = actor.records(try PostgresSession(connectionString: databaseURL))
                let subject = AccessSubject("test message to \(number.masked) by \(provider)")
                try records.finish(records.begin("alimtalk test", subject, count: 1))
            } catch {
                throw Environment.failure(error)
            }
        }
    }

    /// `lux-server alimtalk reconcile`
    struct Reconcile: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Settle messages of unknown outcome by asking the provider.",
            discussion: """
                Takes the rows of the configured provider that are pending or unknown and not older than 30 days, and counts \
                those that are older. Asks at the provider's pace, and one run at a time. Exits 1 when some rows are left open; \
                those that the provider itself does not know yet do not count.
                """)

        @Option(help: "Seconds that a message must be old, LUX_REQUEST_TIMEOUT at least, as it may be in flight.")
        var olderThan = 60

        @OptionGroup var actor: ActorOptions

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let (settings, databaseURL) = try options.read { reader in
                (AlimtalkCommand.settings(&reader), reader.read(\.database.url))
            }
            let (alimtalk, requestTimeout) = settings
            guard let notifier = alimtalk.notifier() else {
                print("The provider log has nothing to reconcile: set LUX_ALIMTALK_PROVIDER")
                return
            }
            let actor = try actor.actor()
            do {
                try PoolerError.requireOwnSessions(databaseURL)
                let reconciliation = Reconciliation(
                    session: try PostgresSession(connectionString: databaseURL), actor: actor,
                    provider: notifier.name,
                    lookUp: { message in
                        AlimtalkCommand.wait(for: { await notifier.lookUp(message) }) ?? .open(reason: "cancelled")
                    },
                    report: { print($0) })
                let age = max(olderThan, Int(requestTimeout.inSeconds.rounded(.up)))
                if case .done(let left) = try reconciliation.run(olderThan: age), left > 0 { throw ExitCode.failure }
            } catch {
                throw Environment.failure(error)
            }
        }
    }

    /// `lux-server alimtalk settle`
    struct Settle: ParsableCommand {
        /// What an operator can find out about a message.
        enum Status: String, ExpressibleByArgument, CaseIterable { case sent, failed }

        static let configuration = CommandConfiguration(
            abstract: "Close the row of a message by hand, when its outcome is known from the provider's console.",
            discussion: "Only rows that are unknown, or pending for longer than a message can be in flight.")

        @Argument(help: "The id of the row of alimtalks.")
        var id: Int64

        @Argument(help: "The outcome: sent or failed.")
        var status: Status

        @Option(help: "Who does this, for the row and the access record.")
        var `operator`: String

        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            let name = `operator`
            guard !name.trimmingWhitespace().isEmpty, name.utf8.count <= 100,
                name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
            else { throw ValidationError("--operator must be a name of at most 100 bytes") }
        }

        func run() throws {
            let (databaseURL, timeout) = try options.read { reader in
                (reader.read(\.database.url), reader.read(\.server.requestTimeout))
            }
            let result: MessageSettlement
            do {
                result = try MessageSettlement.settle(
                    id: id, status: status.rawValue, actor: Actor(name: `operator`),
                    longestCall: Int(timeout.inSeconds.rounded(.up)),
                    session: try PostgresSession(connectionString: databaseURL))
            } catch {
                throw Environment.failure(error)
            }
            guard result.isDone else {
                Environment.printError(result.description)
                throw ExitCode.failure
            }
            print(result.description)
        }
    }
}

extension MessageOutcome {
    /// The class of the outcome; advice is part of its reason.
    fileprivate var words: String {
        switch self {
        case .accepted: "accepted"
        case .rejected: "rejected"
        case .misconfigured: "rejected because of the configuration"
        case .tryLater(_, isSafe: true, _): "not accepted, try again later"
        case .tryLater, .unknown: "it is not known whether the message was accepted"
        }
    }
}
