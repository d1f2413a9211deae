import Concurrency

/// One use of the app by one phone, from its wake to its last step. Confined to the loop's thread.
final class PhoneUse {
    let request: PhoneRequest
    let profile: PhoneProfile
    let script: PhoneScript
    let woken: MonotonicTime
    /// The next step.
    var place = 0
    /// The request line and body of the step, kept for retries.
    var parts: (line: String, body: String?)?
    var attempts = 0
    /// When the request was to be sent.
    var due: MonotonicTime
    var sentAt = MonotonicTime(nanoseconds: 0)
    var connection: PhoneConnection?
    var token: String?
    var tokenAt = MonotonicTime(nanoseconds: 0)
    var hasLostResponse = false

    init(_ request: PhoneRequest, _ profile: PhoneProfile, _ script: PhoneScript, woken: MonotonicTime) {
        self.request = request
        self.profile = profile
        self.script = script
        self.woken = woken
        due = woken
    }

    var step: PhoneStep? { place < script.steps.count ? script.steps[place].step : nil }

    /// Whether the network is to break under this transmission.
    func losesNetwork() -> Bool {
        guard profile.losesResponse, !hasLostResponse, case .upload = step else { return false }
        hasLostResponse = true
        return true
    }
}

/// What the loop does at a time.
struct DueStep: Comparable {
    enum Action {
        case send
        /// Break the network under the request of this generation.
        case abort(PhoneConnection, generation: Int)
    }

    let time: MonotonicTime
    let use: PhoneUse
    let action: Action

    static func < (first: DueStep, second: DueStep) -> Bool { first.time < second.time }

    static func == (first: DueStep, second: DueStep) -> Bool { first.time == second.time && first.use === second.use }
}
