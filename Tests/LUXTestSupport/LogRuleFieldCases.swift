/// What phones send that earlier rules lost: late repeats that are none, and counters that began again.
extension LogRuleCase {
    static let lateRules: [LogRuleCase] = [
        LogRuleCase(
            "an update with a longer treatment is stored though a log of yesterday took the temporary one",
            [
                .upload([.temporary("10:00:30", 5, for: 30)], .temporary),
                .upload([.complete("08:00:00", 1)], .complete),
                .upload([.temporary("10:00:30", 9, for: 480)], .temporary),
                .upload([.complete("10:00:00", 2, 9)], .complete),
            ],
            [.complete("08:00:00", 1, was: "10:00:00"), .complete("10:00:00", 2, 9, was: "10:00:00")], last: 2),
        LogRuleCase(
            "an update with no longer treatment is late though a log of yesterday took the temporary one",
            [
                .upload([.temporary("10:00:30", 5, for: 30)], .temporary),
                .upload([.complete("08:00:00", 1)], .complete),
                .upload([.temporary("10:00:30", 9, for: 30), .temporary("10:00:30", 8, for: 29)], .temporary),
            ],
            [.complete("08:00:00", 1, was: "10:00:00")], last: 1),
        LogRuleCase(
            "a longer treatment is late while the complete log starts within 120 seconds, exactly 120 included",
            [
                .upload([.temporary("10:00:30", 5, for: 30)], .temporary),
                .upload([.complete("10:02:00", 1)], .complete),
                .upload([.temporary("10:00:30", 9, for: 480)], .temporary),
            ],
            [.complete("10:02:00", 1, was: "10:00:00")], last: 1),
        LogRuleCase(
            "a complete log that starts 120 seconds before its temporary one is late too",
            [
                .upload([.temporary("10:02:30", 5, for: 30)], .temporary),
                .upload([.complete("10:00:00", 1)], .complete),
                .upload([.temporary("10:02:30", 9, for: 480)], .temporary),
            ],
            [.complete("10:00:00", 1, was: "10:02:00")], last: 1),
        LogRuleCase(
            "beyond 120 seconds a longer treatment is not late, before and after",
            [
                .upload([.temporary("10:00:30", 5, for: 30)], .temporary),
                .upload([.complete("10:02:01", 1)], .complete),
                .upload([.temporary("10:00:30", 9, for: 31)], .temporary),
                .upload([.complete("09:57:59", 2)], .complete),
                .upload([.temporary("10:00:30", 9, for: 32)], .temporary),
            ],
            [
                .complete("10:02:01", 1, was: "10:00:00"), .complete("09:57:59", 2, was: "10:00:00"),
                .temporary("10:00:00", 9),
            ], last: 2),
        LogRuleCase(
            "in the request that completes a temporary log, an update with a longer treatment is not late",
            [
                .upload([.temporary("10:00:30", 5, for: 30)], .temporary),
                .upload(
                    [
                        .complete("08:00:00", 1), .temporary("10:00:30", 7, for: 30),
                        .temporary("10:00:30", 9, for: 480),
                    ], .complete),
            ],
            [.complete("08:00:00", 1, was: "10:00:00"), .temporary("10:00:00", 9)], last: 1),
        LogRuleCase(
            "the longest of several completed temporary logs of one start decides",
            [
                .upload([.temporary("10:00:30", 5, for: 30)], .temporary),
                .upload([.complete("08:00:00", 1)], .complete),
                .upload([.temporary("10:00:30", 6, for: 90)], .temporary),
                .upload([.complete("09:00:00", 2)], .complete),
                .upload([.temporary("10:00:30", 7, for: 60)], .temporary),
            ],
            [.complete("08:00:00", 1, was: "10:00:00"), .complete("09:00:00", 2, was: "10:00:00")], last: 2),
    ]

    static let counterRules: [LogRuleCase] = [
        LogRuleCase(
            "a log with a lower number that starts after every other one shows a restart",
            [.upload([.complete("10:00:00", 500)], .complete), .upload([.complete("11:00:00", 1)], .complete)],
            [.complete("10:00:00", 500), .complete("11:00:00", 1)], last: 1),
        LogRuleCase(
            "after a restart the numbers rise again",
            [
                .upload([.complete("10:00:00", 500)], .complete),
                .upload([.complete("11:00:00", 1), .complete("12:00:00", 2), .complete("13:00:00", 3)], .complete),
            ],
            [
                .complete("10:00:00", 500), .complete("11:00:00", 1), .complete("12:00:00", 2),
                .complete("13:00:00", 3),
            ], last: 3),
        LogRuleCase(
            "after a restart an old log that arrives late does not bring the old number back, a later one counts",
            [
                .upload([.complete("10:00:00", 500)], .complete), .upload([.complete("11:00:00", 1)], .complete),
                .upload([.complete("09:00:00", 499)], .complete), .upload([.complete("10:00:00", 500, 7)], .complete),
                .upload([.complete("10:59:59", 501)], .complete), .upload([.complete("11:00:00", 2)], .complete),
            ],
            [
                .complete("10:00:00", 500, 7), .complete("11:00:00", 1), .complete("09:00:00", 499),
                .complete("10:59:59", 501), .complete("11:00:00", 2),
            ], last: 2),
        LogRuleCase(
            "a lower number with an earlier start, or the same, shows no restart",
            [
                .upload([.complete("10:00:00", 500)], .complete), .upload([.complete("09:00:00", 3)], .complete),
                .upload([.complete("10:00:00", 4)], .complete),
            ],
            [.complete("10:00:00", 500), .complete("09:00:00", 3), .complete("10:00:00", 4)], last: 500),
        LogRuleCase(
            "a repeat shows no restart",
            [
                .upload([.complete("10:00:00", 7), .complete("09:00:00", 9)], .complete),
                .upload([.complete("10:00:00", 7, 5)], .complete),
            ],
            [.complete("10:00:00", 7, 5), .complete("09:00:00", 9)], last: 9),
        LogRuleCase(
            "logs without a number neither show a restart nor hide one",
            [
                .upload([.complete("10:00:00", 500), .complete("12:00:00", nil)], .complete),
                .upload([.complete("11:00:00", 1), .complete("13:00:00", nil)], .complete),
            ],
            [
                .complete("10:00:00", 500), .complete("12:00:00", nil), .complete("11:00:00", 1),
                .complete("13:00:00", nil),
            ], last: 1),
        LogRuleCase(
            "a restart shows when a temporary log is completed, and again later",
            [
                .upload([.complete("10:00:00", 500)], .complete), .upload([.temporary("11:00:30")], .temporary),
                .upload([.complete("11:00:00", 9)], .complete), .upload([.complete("12:00:00", 1)], .complete),
                .upload([.complete("11:30:00", 8)], .complete),
            ],
            [
                .complete("10:00:00", 500), .complete("11:00:00", 9, was: "11:00:00"), .complete("12:00:00", 1),
                .complete("11:30:00", 8),
            ], last: 1),
        LogRuleCase(
            "another child's log of the device counts for its restart",
            [
                .upload([.complete("10:00:00", 500)], .complete), .connect(.first, .stranger),
                .upload([.complete("11:00:00", 1, of: .stranger)], by: .stranger, .complete),
            ],
            [.complete("10:00:00", 500), .complete("11:00:00", 1, of: .stranger)], last: 1),
    ]
}
