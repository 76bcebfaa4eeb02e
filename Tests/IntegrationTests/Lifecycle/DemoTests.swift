import Base
import Testing

/// `weir demo`, which checks itself: status 1 when anything it shows is not so.
@Suite struct DemoTests {
    @Test("the demonstration ends with 0 when not on a terminal, and shows a miss, hits in l1 and l2, and collapsing")
    func demo() throws {
        let demo = try Verb.run(["demo"], within: .seconds(60))
        #expect(demo.status == 0, "\(demo.output)")
        let shown = [
            "weir; fwd=miss; stored", "; detail=l1", "; detail=l2", "49  Cache-Status: weir; fwd=miss; collapsed",
            "streamed,", "What was saved",
        ]
        for part in shown { #expect(demo.output.contains(part), "\(part) is missing in\n\(demo.output)") }
    }

    @Test("two demonstrations run beside each other: the second one finds another port")
    func two() throws {
        let folder = try TemporaryFolder()
        let demos = try (1...2).map { try Child(["demo"], folder: folder.path, outputFile: "\(folder.path)/\($0).log") }
        for demo in demos { #expect(try demo.waitForEnd(within: .seconds(60)) == 0, "\(demo.output)") }
    }
}
