import Base
import Testing

@testable import Upstream

struct UpstreamFailureTests {
    @Test(
        "Every failure has a stable code and a sentence that names no address",
        arguments: UpstreamFailure.Reason.allCases)
    func messages(_ reason: UpstreamFailure.Reason) {
        let failure = UpstreamFailure(reason, provider: "backup-7")
        #expect(failure.code.utf8.allSatisfy { $0 == UInt8(ascii: "_") || ($0 >= 97 && $0 <= 122) })
        #expect(failure.exitCode == .providerUnavailable)
        #expect(failure.message.utf8.count > 15)
        #expect(failure.message.contains("backup-7") || [.clientTooSlow, .shuttingDown].contains(reason))
        for word in ["http:", "https:", "://", "127.0.0.1", "Bearer"] { #expect(!failure.message.contains(word)) }
        let detailed = UpstreamFailure(reason, provider: "p", detail: "Timeout was reached").message
        #expect(detailed.hasSuffix(": Timeout was reached"))
    }

    @Test("No two reasons share a code or a sentence")
    func unique() {
        let failures = UpstreamFailure.Reason.allCases.map { UpstreamFailure($0, provider: "p") }
        #expect(Set(failures.map(\.code)).count == failures.count)
        #expect(Set(failures.map(\.message)).count == failures.count)
    }
}
