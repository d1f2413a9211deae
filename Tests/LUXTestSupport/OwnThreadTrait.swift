import Testing

/// Runs each test of a suite off the pool that runs the others, for suites that await and measure: behind tests that block, the
/// pool gets back to a test only after a minute.
package struct OwnThreadTrait: SuiteTrait, TestTrait, TestScoping {
    package let isRecursive = true

    @concurrent package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(ThreadExecutor()) { try await function() }
    }
}

extension Trait where Self == OwnThreadTrait {
    /// Each test of the suite runs off the pool.
    package static var ownThread: Self { Self() }
}
