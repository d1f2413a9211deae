extension LogRuleCase {
    static let repeatRules: [LogRuleCase] = [
        LogRuleCase(
            "of several uploads of one log the last is stored, an old one sent late included",
            [
                .upload([.complete("10:00:00", 1, 5, flag: 1)], .complete),
                .upload([.complete("10:00:00", 1, 6, flag: 3)], .complete),
                .upload([.complete("10:00:00", 1, 5, flag: 2)], .complete),
            ],
            [.complete("10:00:00", 1, 5, flag: 2)], last: 1),
        LogRuleCase(
            "of one log twice in a request the last is stored",
            [.upload([.complete("10:00:00", 1, 5), .complete("11:00:00", 2), .complete("10:00:00", 1, 7)], .complete)],
            [.complete("10:00:00", 1, 7), .complete("11:00:00", 2)], last: 2),
        LogRuleCase(
            "of one log twice in a request that completes it the last is stored",
            [
                .upload([.temporary("10:00:30")], .temporary),
                .upload([.complete("10:00:00", 1, 5), .complete("10:00:00", 1, 7)], .complete),
            ],
            [.complete("10:00:00", 1, 7, was: "10:00:00")], last: 1),
        LogRuleCase(
            "an absent file id equals an absent one",
            [
                .upload([.complete("10:00:00", nil, 5)], .complete),
                .upload([.complete("10:00:00", nil, 6)], .complete),
            ],
            [.complete("10:00:00", nil, 6)]),
        LogRuleCase(
            "another start, another file id or an absent one is another log",
            [
                .upload([.complete("10:00:00", 1)], .complete), .upload([.complete("11:00:00", 1)], .complete),
                .upload([.complete("10:00:00", 2)], .complete), .upload([.complete("10:00:00", nil)], .complete),
            ],
            [
                .complete("10:00:00", 1), .complete("11:00:00", 1), .complete("10:00:00", 2),
                .complete("10:00:00", nil),
            ], last: 2),
        LogRuleCase(
            "a repeat does not touch a temporary log",
            [
                .upload([.complete("10:00:00", 1)], .complete), .upload([.temporary("11:00:30", 4)], .temporary),
                .upload([.complete("10:00:00", 1, 8)], .complete),
            ],
            [.complete("10:00:00", 1, 8), .temporary("11:00:00", 4)], last: 1),
        LogRuleCase(
            "after a repeat the first other record of the pair completes the temporary log",
            [
                .upload([.complete("10:00:00", 1)], .complete), .upload([.temporary("11:00:30", 4)], .temporary),
                .upload([.complete("10:00:00", 1), .complete("11:00:00", 2)], .complete),
            ],
            [.complete("10:00:00", 1), .complete("11:00:00", 2, was: "11:00:00")], last: 2),
        LogRuleCase(
            "after a late repeat the first other record of the pair completes the temporary log",
            [
                .upload([.temporary("10:00:30")], .temporary), .upload([.complete("10:00:00", 1)], .complete),
                .upload([.temporary("11:00:30", 4)], .temporary),
                .upload([.temporary("10:00:30"), .complete("11:00:00", 2)], .complete),
            ],
            [
                .complete("10:00:00", 1, was: "10:00:00"), .complete("11:00:00", 2, was: "11:00:00"),
            ], last: 2),
        LogRuleCase(
            "after repeats and a record that is none, the next complete record is a new log",
            [
                .upload([.complete("10:00:00", 1)], .complete), .upload([.temporary("11:00:30", 4)], .temporary),
                .upload(
                    [.complete("10:00:00", 1), .complete("11:00:00", 2), .complete("12:00:00", 3)], .complete),
            ],
            [.complete("10:00:00", 1), .complete("11:00:00", 2, was: "11:00:00"), .complete("12:00:00", 3)], last: 3),
        LogRuleCase(
            "a refreshed log keeps the start that it had while temporary",
            [
                .upload([.temporary("10:00:30")], .temporary), .upload([.complete("10:00:05", 1, 5)], .complete),
                .upload([.complete("10:00:05", 1, 6)], .complete), .upload([.temporary("10:00:30")], .temporary),
            ],
            [.complete("10:00:05", 1, 6, was: "10:00:00")], last: 1),
    ]

    static let pairRules: [LogRuleCase] = [
        LogRuleCase(
            "each pair of a request has a first record and a temporary log of its own",
            [
                .upload([.temporary("10:00:30"), .temporary("10:00:30", 3, of: .second, on: .second)], .temporary),
                .upload(
                    [
                        .complete("10:00:00", 4, 5), .complete("10:00:00", 4, 6, of: .second, on: .second),
                        .complete("11:00:00", 5), .complete("11:00:00", 9, of: .second, on: .second),
                    ], .complete),
            ],
            [
                .complete("10:00:00", 4, 5, was: "10:00:00"),
                .complete("10:00:00", 4, 6, was: "10:00:00", of: .second, on: .second),
                .complete("11:00:00", 5), .complete("11:00:00", 9, of: .second, on: .second),
            ], last: 5, second: 9),
        LogRuleCase(
            "with one complete record the response is that of complete ones",
            [
                .upload([.temporary("10:00:30"), .complete("10:00:00", 4, of: .second, on: .second)], .complete)
            ],
            [.temporary("10:00:00"), .complete("10:00:00", 4, of: .second, on: .second)], second: 4),
        LogRuleCase(
            "a complete log of another child is left alone and reported as saved",
            [
                .upload([.complete("10:00:00", 5, 3)], .complete), .connect(.first, .stranger),
                .upload([.complete("10:00:00", 5, 9, of: .stranger)], by: .stranger, .complete),
            ],
            [.complete("10:00:00", 5, 3)], last: 5),
        LogRuleCase(
            "a record that repeats another child's log is a repeat, so that the next one completes the temporary log",
            [
                .upload([.complete("10:00:00", 5, 3)], .complete), .connect(.first, .stranger),
                .upload([.temporary("11:00:30", 4, of: .stranger)], by: .stranger, .temporary),
                .upload(
                    [.complete("10:00:00", 5, 9, of: .stranger), .complete("11:00:00", 6, of: .stranger)],
                    by: .stranger,
                    .complete),
            ],
            [
                .complete("10:00:00", 5, 3), .complete("11:00:00", 6, was: "11:00:00", of: .stranger),
            ], last: 6),
        LogRuleCase(
            "a temporary log of another child of the device is left alone",
            [
                .upload([.temporary("10:00:30", 4)], .temporary), .connect(.first, .stranger),
                .upload([.complete("10:00:00", 1, of: .stranger)], by: .stranger, .complete),
                .upload([.temporary("11:00:30", 5, of: .stranger)], by: .stranger, .temporary),
            ],
            [
                .temporary("10:00:00", 4), .complete("10:00:00", 1, of: .stranger),
                .temporary("11:00:00", 5, of: .stranger),
            ], last: 1),
        LogRuleCase(
            "the start of another child's completed temporary log is not a late repeat",
            [
                .upload([.temporary("10:00:30")], .temporary), .upload([.complete("10:00:00", 1)], .complete),
                .connect(.first, .stranger),
                .upload([.temporary("10:00:30", 5, of: .stranger)], by: .stranger, .temporary),
            ],
            [.complete("10:00:00", 1, was: "10:00:00"), .temporary("10:00:00", 5, of: .stranger)], last: 1),
        LogRuleCase(
            "a device that comes back to a child finds its temporary log again",
            [
                .upload([.temporary("10:00:30")], .temporary), .connect(.first, nil), .connect(.first, .first),
                .upload([.complete("10:00:00", 1)], .complete),
            ],
            [.complete("10:00:00", 1, was: "10:00:00")], last: 1),
    ]

    static let rejectionRules: [LogRuleCase] = [
        rejected("a child that does not exist", .complete("10:00:00", 1, of: .absent), 404, "Not Found User"),
        rejected("another user's child", .complete("10:00:00", 1, of: .stranger), 401, "Not authorized user"),
        rejected(
            "a device that does not exist", .complete("10:00:00", 1, of: .first, on: .absent), 404, "Not Found Device"),
        rejected("another unique id", .complete("10:00:00", 1).withWrongUniqueID, 404, "Not Found Device"),
        rejected(
            "a device of another child", .complete("10:00:00", 1, of: .first, on: .second), 409, "Not Connected Device"),
        rejected(
            "another unique id of a device of another child",
            .complete("10:00:00", 1, of: .first, on: .second).withWrongUniqueID, 404, "Not Found Device"),
        rejected(
            "a missing child with a missing device",
            .complete("10:00:00", 1, of: .absent, on: .absent), 404, "Not Found User"),
        rejected(
            "another user's child with a missing device",
            .complete("10:00:00", 1, of: .stranger, on: .absent), 401, "Not authorized user"),
        rejected("a temporary record of a missing child", .temporary("10:00:30", of: .absent), 404, "Not Found User"),
        LogRuleCase(
            "a device connected to nobody is rejected",
            [
                .connect(.first, nil),
                .upload([.temporary("10:00:30")], .rejected(409, "Not Connected Device")),
            ], []),
        LogRuleCase(
            "the first bad record decides, and the good ones around it are not stored",
            [
                .upload([.temporary("09:00:30")], .temporary),
                .upload(
                    [
                        .complete("10:00:00", 1), .complete("11:00:00", 2, of: .first, on: .second),
                        .complete("12:00:00", 3, of: .absent), .temporary("13:00:30"),
                    ], .rejected(409, "Not Connected Device")),
            ],
            [.temporary("09:00:00")]),
    ]

    private static func rejected(_ what: String, _ record: Record, _ status: Int, _ detail: String) -> LogRuleCase {
        LogRuleCase("\(what) is rejected", [.upload([record], .rejected(status, detail))], [])
    }
}
