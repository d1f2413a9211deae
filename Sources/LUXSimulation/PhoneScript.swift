/// One record of an upload, as the phone stores it. Times are seconds since 1970 by the phone's clock.
package struct PhoneRecord: Sendable, Equatable {
    /// The start of the treatment.
    package var start: Int64
    /// `nil` for a temporary record.
    package var file: Int32?
    package var treatmentTime: Int
}

/// What a phone does next.
package enum PhoneStep: Sendable, Equatable {
    case allDevices, childDevice, checkDevice, usageLogs
    case upload([PhoneRecord])
    /// A temporary record whose log is complete.
    case lateRepeat(PhoneRecord)
}

/// One use of the app from the home screen to the last upload, as steps at seconds after the wake, in simulated time.
package struct PhoneScript: Sendable, Equatable {
    package struct Timed: Sendable, Equatable {
        package var seconds: Double
        package var step: PhoneStep
    }

    package private(set) var steps: [Timed] = []

    /// - Parameter wake: when the phone wakes, by its own clock, in seconds since 1970.
    package init(_ profile: PhoneProfile, wake: Int64) {
        steps = [
            Timed(seconds: 0, step: .allDevices), Timed(seconds: 0.3, step: .childDevice),
            Timed(seconds: 2, step: .checkDevice),
        ]
        var file: Int32 = 0
        if profile.backlog > 0 {
            let records = (0..<profile.backlog).map { place in
                // Two treatments a day, the latest one twelve hours ago.
                PhoneRecord(
                    start: wake - Int64(profile.backlog - place) * 43_200, file: Int32(place + 1), treatmentTime: 600)
            }
            file = Int32(profile.backlog)
            steps.append(Timed(seconds: 4, step: .upload(records)))
        }
        if profile.isReset { file = 0 }
        var begin = 20.0
        for treatment in 0..<profile.treatments {
            let isLast = treatment == profile.treatments - 1
            file += 1
            addTreatment(
                profile, start: wake + Int64(begin), begin: begin, file: file, ends: !(isLast && profile.isInterrupted))
            begin += 900
        }
        if profile.treatments == 0 { steps.append(Timed(seconds: 10, step: .usageLogs)) }
    }

    private mutating func addTreatment(
        _ profile: PhoneProfile, start: Int64, begin: Double, file: Int32, ends: Bool
    ) {
        let temporary = PhoneRecord(start: start, file: nil, treatmentTime: 30)
        steps.append(Timed(seconds: begin + 30, step: .upload([temporary])))
        var latest = temporary
        for loss in 0..<profile.losses {
            latest.treatmentTime = 30 + 120 * (loss + 1)
            steps.append(Timed(seconds: begin + Double(latest.treatmentTime), step: .upload([latest])))
        }
        guard ends else { return }
        let complete = PhoneRecord(start: start, file: file, treatmentTime: 600)
        steps.append(Timed(seconds: begin + 600, step: .upload([complete])))
        if profile.repeatsLate { steps.append(Timed(seconds: begin + 605, step: .lateRepeat(latest))) }
    }
}
