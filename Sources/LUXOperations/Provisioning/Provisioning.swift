import LUXStore
import Postgres

/// Loads rows of a CSV file into a table, all of them or none. Existing rows stay as they are, unless corrections are requested. Owned
/// by its command and used on its thread.
package struct Provisioning {
    /// What became of the rows.
    package struct Outcome {
        package var added: Int
        /// Those that existed already, the corrected ones included.
        package var present: Int
        package var corrected: Int
        /// What is likely to be a mistake; the first ones.
        package var warnings: [ProvisioningError] = []
    }

    private let kind: ProvisioningKind
    private let corrections: ProvisioningCorrections
    private let actor: Actor

    package init(
        _ kind: ProvisioningKind, corrections: ProvisioningCorrections = ProvisioningCorrections(),
        actor: Actor
    ) {
        self.kind = kind
        self.corrections = corrections
        self.actor = actor
    }

    /// Loads a file.
    ///
    /// - Parameters:
    ///   - name: the file's name for the access record.
    ///   - isDryRun: whether all is checked and nothing is changed.
    ///   - progress: receives the completed share, from 0 to 1.
    ///   - difference: receives a line for each value that is, or would be, corrected.
    /// - Throws: `ProvisioningErrors`, `AccessRecords.Rejection`, `PostgresError`, what `difference` throws; nothing of the file is
    ///   loaded then.
    package func load(
        _ input: ProvisioningInput, name: String, into session: PostgresSession, isDryRun: Bool = false,
        progress: (Double) -> Void = { _ in }, difference: (String) throws -> Void = { _ in }
    ) throws -> Outcome {
        var file = try ProvisioningFile(input, kind)
        return try session.transaction {
            let store = ProvisioningStore(
                kind: kind, columns: file.columns, corrections: corrections, session: session)
            try store.stage {
                progress(file.progress / 2)
                return file.nextPiece()
            }
            let errors = try file.errors + store.errors()
            guard errors.isEmpty else { throw ProvisioningErrors(errors) }
            var corrected = 0
            var differences = 0
            try store.differences {
                differences += 1
                try difference($0)
            }
            if !isDryRun, differences > 0 { corrected = try store.correct(by: actor.name) }
            let present = try store.removePresent()
            let added = file.rows - present
            if !isDryRun {
                try store.insert { progress(0.5 + $0 / 2) }
                let records = actor.records(session)
                let subject = AccessSubject("\(kind.rawValue) of \(name)")
                try records.finish(
                    records.begin("provision \(kind.rawValue)", subject, count: added + corrected))
            }
            progress(1)
            return Outcome(added: added, present: present, corrected: corrected, warnings: file.warnings)
        }
    }
}
