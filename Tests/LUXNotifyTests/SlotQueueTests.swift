import Concurrency
import Testing

@testable import LUXNotify

@Suite(.timeLimit(.minutes(1))) struct SlotQueueTests {
    private static let later = MonotonicTime.now() + .seconds(30)

    @Test func `an account has a quarter of the slots, others the rest`() async {
        let slots = SlotQueue(slots: 8)
        for _ in 0..<2 { #expect(await slots.acquire(account: 1, until: Self.later)) }
        #expect(await !slots.acquire(account: 1, until: .now() + .milliseconds(20)))
        for account in 2...7 { #expect(await slots.acquire(account: Int64(account), until: Self.later)) }
        #expect(await !slots.acquire(account: 8, until: .now() + .milliseconds(20)))
        slots.release(account: 3)
        #expect(await slots.acquire(account: 8, until: Self.later))
        #expect(slots.inFlight == 8)
    }

    @Test func `a slot that is released goes to the next account in turn`() async {
        let slots = SlotQueue(slots: 1)
        #expect(await slots.acquire(account: 1, until: Self.later))
        let order = Locked<[Int64]>([])
        await withTaskGroup(of: Void.self) { group in
            for (number, account) in [Int64(1), 1, 1, 2, 3].enumerated() {
                group.addTask {
                    // In this order.
                    try? await Task.sleep(for: .milliseconds(50 * number))
                    guard await slots.acquire(account: account, until: Self.later) else { return }
                    order.withLock { $0.append(account) }
                    slots.release(account: account)
                }
            }
            try? await Task.sleep(for: .milliseconds(500))
            slots.release(account: 1)
        }
        #expect(order.withLock { $0 } == [1, 2, 3, 1, 1])
        #expect(slots.inFlight == 0)
    }

    @Test func `a bounded number waits`() async {
        let slots = SlotQueue(slots: 1)
        #expect(await slots.acquire(account: 1, until: Self.later))
        let results = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<(SlotQueue.maximumWaitingOfAccount + 10) {
                group.addTask { await slots.acquire(account: 1, until: .now() + .milliseconds(300)) }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(results == 0 && slots.inFlight == 1)
    }
}
