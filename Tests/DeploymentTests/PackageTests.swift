import Testing

/// Package.swift: the versions of dependencies, as `Package.resolved` is not in the repository.
@Suite struct PackageTests {
    @Test func `each dependency has an exact version`() throws {
        let lines = try DeploymentFile.text("Package.swift").split(separator: "\n")
        let dependencies = lines.filter { $0.contains(".package(") }
        #expect(dependencies.count >= 3)
        for line in dependencies { #expect(line.contains(/exact: "\d+\.\d+\.\d+"/), "\(line)") }
    }
}
