extension LogRuleCase {
    static let temporaryRules: [LogRuleCase] = [
        LogRuleCase(
            "a temporary record creates a log 30 seconds before its date",
            [.upload([.temporary("10:00:30")], .temporary)],
            [.temporary("10:00:00")]),
        LogRuleCase(
            "a later temporary record updates that log, start included",
            [.upload([.temporary("10:00:30", 2)], .temporary), .upload([.temporary("10:05:30", 5)], .temporary)],
            [.temporary("10:05:00", 5)]),
        LogRuleCase(
            "an earlier temporary record updates that log just the same",
            [.upload([.temporary("10:05:30", 5)], .temporary), .upload([.temporary("10:00:30", 2)], .temporary)],
            [.temporary("10:00:00", 2)]),
        LogRuleCase(
            "of several temporary records in a request the last one is stored in one log",
            [.upload([.temporary("10:00:30", 2), .temporary("10:09:30", 4), .temporary("10:02:30", 3)], .temporary)],
            [.temporary("10:02:00", 3)]),
        LogRuleCase(
            "the file id of a temporary record is ignored",
            [.upload([.temporary("10:00:30", file: 9)], .temporary)],
            [.temporary("10:00:00")]),
        LogRuleCase(
            "a late repeat of a completed temporary log changes nothing",
            [
                .upload([.temporary("10:00:30", 2)], .temporary), .upload([.complete("10:00:01", 1, 7)], .complete),
                .upload([.temporary("10:00:30", 3)], .temporary),
            ],
            [.complete("10:00:01", 1, 7, was: "10:00:00")], last: 1),
        LogRuleCase(
            "a repeat of the start that an update gave the temporary log is late, of an earlier start is not",
            [
                .upload([.temporary("10:00:30")], .temporary), .upload([.temporary("10:04:30")], .temporary),
                .upload([.complete("10:00:00", 1)], .complete), .upload([.temporary("10:04:30")], .temporary),
                .upload([.temporary("10:00:30", 6)], .temporary),
            ],
            [.complete("10:00:00", 1, was: "10:04:00"), .temporary("10:00:00", 6)], last: 1),
        LogRuleCase(
            "a temporary record with the start of a complete log that was never temporary creates a log",
            [
                .upload([.complete("10:00:00", 1)], .complete), .upload([.temporary("10:00:30")], .temporary),
            ],
            [.complete("10:00:00", 1), .temporary("10:00:00")], last: 1),
        LogRuleCase(
            "late repeats of two completed temporary logs change nothing",
            [
                .upload([.temporary("10:00:30")], .temporary), .upload([.complete("10:00:00", 1)], .complete),
                .upload([.temporary("11:00:30")], .temporary), .upload([.complete("11:00:00", 2)], .complete),
                .upload([.temporary("11:00:30", 8), .temporary("10:00:30", 9)], .temporary),
            ],
            [
                .complete("10:00:00", 1, was: "10:00:00"), .complete("11:00:00", 2, was: "11:00:00"),
            ], last: 2),
        LogRuleCase(
            "a late repeat beside a temporary log in progress leaves that one alone",
            [
                .upload([.temporary("10:00:30")], .temporary), .upload([.complete("10:00:00", 1)], .complete),
                .upload([.temporary("11:00:30", 4)], .temporary), .upload([.temporary("10:00:30", 9)], .temporary),
            ],
            [.complete("10:00:00", 1, was: "10:00:00"), .temporary("11:00:00", 4)], last: 1),
    ]

    static let completeRules: [LogRuleCase] = [
        LogRuleCase(
            "a complete record without a temporary log is a new log that starts at its date",
            [.upload([.complete("10:00:00", 1)], .complete)],
            [.complete("10:00:00", 1)], last: 1),
        LogRuleCase(
            "a complete record turns the temporary log into the complete one and keeps its start",
            [
                .upload([.temporary("10:00:30", 2)], .temporary),
                .upload([.complete("10:00:02", 1, 5, flag: 2)], .complete),
            ],
            [.complete("10:00:02", 1, 5, flag: 2, was: "10:00:00")], last: 1),
        LogRuleCase(
            "a complete record of another treatment takes the temporary log too",
            [
                .upload([.temporary("10:00:30")], .temporary), .upload([.complete("08:00:00", 1)], .complete),
                .upload([.temporary("10:00:30")], .temporary),
            ],
            [.complete("08:00:00", 1, was: "10:00:00")], last: 1),
        LogRuleCase(
            "a complete record without a file id completes and does not move last_log_file_id",
            [.upload([.temporary("10:00:30")], .temporary), .upload([.complete("10:00:00", nil)], .complete)],
            [.complete("10:00:00", nil, was: "10:00:00")]),
        LogRuleCase(
            "only the first record of the pair takes the temporary log",
            [
                .upload([.temporary("10:00:30")], .temporary),
                .upload([.complete("10:00:00", 1), .complete("11:00:00", 2), .complete("12:00:00", 3)], .complete),
            ],
            [.complete("10:00:00", 1, was: "10:00:00"), .complete("11:00:00", 2), .complete("12:00:00", 3)], last: 3),
        LogRuleCase(
            "every finish flag is a complete log",
            [.upload((1...6).map { .complete("10:00:00", Int64($0), flag: $0) }, .complete)],
            (1...6).map { .complete("10:00:00", Int64($0), flag: $0) }, last: 6),
        LogRuleCase(
            "last_log_file_id is the highest of a request, and older logs do not lower it",
            [
                .upload([.complete("12:30:00", 5), .complete("11:00:00", 3)], .complete),
                .upload([.complete("12:00:00", 4)], .complete), .upload([.complete("13:00:00", nil)], .complete),
            ],
            [
                .complete("12:30:00", 5), .complete("11:00:00", 3), .complete("12:00:00", 4),
                .complete("13:00:00", nil),
            ], last: 5),
        LogRuleCase(
            "file id 0 is a file id",
            [.upload([.complete("10:00:00", 0), .complete("10:00:00", nil)], .complete)],
            [.complete("10:00:00", 0), .complete("10:00:00", nil)]),
        LogRuleCase(
            "after a temporary record of the pair a complete one is a new log",
            [.upload([.temporary("10:00:30", 4), .complete("09:00:00", 1)], .complete)],
            [.temporary("10:00:00", 4), .complete("09:00:00", 1)], last: 1),
        LogRuleCase(
            "after a temporary record that updates, a complete one is a new log",
            [
                .upload([.temporary("08:00:30")], .temporary),
                .upload([.temporary("10:00:30", 4), .complete("09:00:00", 1)], .complete),
            ],
            [.temporary("10:00:00", 4), .complete("09:00:00", 1)], last: 1),
        LogRuleCase(
            "after a complete record that takes the temporary log, a temporary one creates another",
            [
                .upload([.temporary("10:00:30")], .temporary),
                .upload([.complete("10:00:00", 1), .temporary("11:00:30", 4)], .complete),
            ],
            [.complete("10:00:00", 1, was: "10:00:00"), .temporary("11:00:00", 4)], last: 1),
        LogRuleCase(
            "after a complete record that takes the temporary log, a temporary one of its start is a late repeat",
            [
                .upload([.temporary("10:00:30")], .temporary),
                .upload([.complete("10:00:10", 1), .temporary("10:00:30", 9)], .complete),
            ],
            [.complete("10:00:10", 1, was: "10:00:00")], last: 1),
        LogRuleCase(
            "a log created and updated in one request is created once, with its last values",
            [
                .upload([.temporary("10:00:30")], .temporary),
                .upload(
                    [
                        .complete("10:00:00", 1), .temporary("11:00:30", 4), .temporary("10:00:30", 9),
                        .temporary("11:10:30", 5),
                    ], .complete),
            ],
            [.complete("10:00:00", 1, was: "10:00:00"), .temporary("11:10:00", 5)], last: 1),
    ]
}
