import ArgumentParser
import Dispatch
import Concurrency
import Foundation
import Glibc
import LUX
import LUXNotify
import LUXSettings
import Postgres

/// `lux-server alimtalk`
struct AlimtalkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alimtalk", abstract: "Try the Alimtalk provider out, and settle messages of unknown outcome.",
        subcommands: [Test.self, Reconcile.self])

    /// Reads the variables of Alimtalk.
    fileprivate static func settings(
        _ reader: inout EnvironmentReader
    ) -> (alimtalk: AlimtalkConfiguration, requestTimeout: Duration) {
        // TLS libraries may write to a connection that is gone; libcurl leaves the signal to the program (CURLOPT_NOSIGNAL(3)).
        signal(SIGPIPE, SIG_IGN)
        let timeZone = reader.read(\.database.timeZone)
        let requestTimeout = reader.read(\.server.requestTimeout)
        return (reader.alimtalk(timeZone: timeZone, requestTimeout: requestTimeout), requestTimeout)
    }

    /// Runs asynchronous work from a command, whose thread has nothing else to do.
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
        static let configuration = CommandConfiguration(abstract: "Send one message, or show what would be sent.")

        @Option(help: "The Korean mobile number that it goes to.")
        var to: String

        @Flag(help: "Print the request with the keys masked, and send nothing.")
        var dryRun = false

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            guard let number = PhoneNumber(to), number.isUsableForAlimtalk else {
                throw ValidationError("--to must be a Korean mobile number such as 01012345678")
            }
            let alimtalk = try options.read { AlimtalkCommand.settings(&$0).alimtalk }
            guard let provider = alimtalk.provider, let notifier = alimtalk.notifier() else {
                print("The provider log sends nothing: set LUX_ALIMTALK_PROVIDER")
                return
            }
            let now = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000) * 1_000)
            let notification = LUXNotify.Notification(
                userID: 1, phoneNumber: number, children: ["Minjun"], time: now,
                reference: LUXNotify.Notification.reference(row: 0, created: now))
            if dryRun {
                let request = provider.request(for: notification, attempt: .now())
                print(request.printed(baseURL: alimtalk.baseURL, hiding: provider.secrets))
                return
            }
            guard let outcome = AlimtalkCommand.wait(for: { await notifier.send(notification, deadline: nil) })
            else { return }
            guard case .accepted(let messageID) = outcome else {
                Environment.complain("\(outcome.advice): \(outcome.reason ?? "")")
                throw ExitCode.failure
            }
            print("accepted by \(notifier.name), message id \(messageID ?? "none")")
            print("Accepted is not delivered: look at the phone, or look the id up in the provider's console.")
        }
    }

    /// `lux-server alimtalk reconcile`
    struct Reconcile: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Settle messages of unknown outcome by asking the provider.",
            discussion: """
                Takes the rows of the configured provider that are pending or unknown and not older than 30 days, and counts \
                those that are older. Exits 1 when some of the first are left as they are.
                """)

        @Option(help: "Seconds that a message must be old, LUX_REQUEST_TIMEOUT at least, as it may be under way.")
        var olderThan = 60

        @OptionGroup var options: ConfigurationOptions

        private static let openRows = """
            select a.id, a.user_id, (extract(epoch from a.created_at) * 1000000)::bigint, u.phone_number, a.status
            from alimtalks a left join users u on u.id = a.user_id
            where a.provider = $1 and a.status in ('pending', 'unknown')
              and a.created_at < now() - make_interval(secs => $2) and a.created_at > now() - interval '30 days'
            order by a.id
            """

        private static let forgottenRows = """
            select count(*) from alimtalks
            where provider = $1 and status in ('pending', 'unknown') and created_at <= now() - interval '30 days'
            """

        private static let settle = """
            update alimtalks set status = $2, message_id = $3, error = $4
            where id = $1 and status in ('pending', 'unknown') returning id
            """

        func run() throws {
            let (settings, databaseURL) = try options.read { reader in
                (AlimtalkCommand.settings(&reader), reader.read(\.database.url))
            }
            let (alimtalk, requestTimeout) = settings
            guard let notifier = alimtalk.notifier() else {
                print("The provider log has nothing to reconcile: set LUX_ALIMTALK_PROVIDER")
                return
            }
            do {
                let session = try PostgresSession(connectionString: databaseURL)
                var left = 0
                let age = max(olderThan, Int(requestTimeout.inSeconds.rounded(.up)))
                for row in try session.query(Self.openRows, [notifier.name, String(age)]) {
                    if try !reconcile(row, notifier, session) { left += 1 }
                }
                let forgotten = try session.query(Self.forgottenRows, [notifier.name]).first?.first ?? nil
                if let forgotten, forgotten != "0" { print("\(forgotten) older than 30 days are not looked up") }
                print(left == 0 ? "nothing is left open" : "\(left) left open")
                if left > 0 { throw ExitCode.failure }
            } catch {
                throw Environment.failure(error)
            }
        }

        /// Settles one row; `false` when it stays open.
        private func reconcile(
            _ row: [String?], _ notifier: ProviderNotifier, _ session: PostgresSession
        ) throws -> Bool {
            guard row.count == 5, let id = row[0].flatMap({ Int64($0) }), let user = row[1].flatMap({ Int64($0) }),
                let created = row[2].flatMap({ Int64($0) })
            else { return false }
            guard let number = row[3].flatMap({ PhoneNumber($0) }) else {
                print("\(id) left open: the user's phone number is gone")
                return false
            }
            let time = Timestamp(microseconds: created)
            let notification = LUXNotify.Notification(
                userID: user, phoneNumber: number, time: time,
                reference: LUXNotify.Notification.reference(row: id, created: time))
            switch AlimtalkCommand.wait(for: { await notifier.lookUp(notification) }) {
            case nil: return false
            case .open(let reason):
                print("\(id) left open: \(reason)")
                return false
            case .settled(let outcome):
                var messageID: String?
                if case .accepted(let id) = outcome { messageID = id }
                let settled = try session.query(
                    Self.settle, [String(id), outcome.auditStatus, messageID, outcome.reason])
                // Another run may have been faster.
                if !settled.isEmpty { print("\(id) \(outcome.auditStatus)" + (outcome.reason.map { ": \($0)" } ?? "")) }
                return true
            }
        }
    }
}

extension NotificationOutcome {
    /// What the operator may conclude.
    fileprivate var advice: String {
        switch self {
        case .accepted: "accepted"
        case .refused: "refused: look at the number, the template and its variables"
        case .misconfigured: "refused: look at the keys, the sender profile, the clock and the balance"
        case .tryLater(_, isSafe: true, _): "not taken, try again later"
        case .tryLater, .unknown: "it is not known whether the message was taken"
        }
    }
}
