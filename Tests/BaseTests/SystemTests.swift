import Base
import Glibc
import Testing

struct SystemTests {
    @Test("A small file is read whole; one above the limit or missing is a failure that names it")
    func smallFile() throws {
        let path = "/tmp/weir-test-\(hexadecimal(secureRandomBytes(8)))"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        try #require(descriptor >= 0)
        defer { unlink(path) }
        writeText(String(repeating: "é", count: 20_000), to: descriptor)
        close(descriptor)
        #expect(try SmallFile.read(path).count == 40_000)
        #expect(try SmallFile.text(path) == String(repeating: "é", count: 20_000))
        #expect(try SmallFile.read(path, atMost: ByteCount(bytes: 40_000)).count == 40_000)
        let tooLarge = #expect(throws: SystemFailure.self) {
            try SmallFile.read(path, atMost: ByteCount(bytes: 39_999))
        }
        #expect(tooLarge?.errorNumber == EFBIG)
        let missing = #expect(throws: SystemFailure.self) { try SmallFile.text(path + ".missing") }
        #expect(missing?.message == "cannot open \(path).missing: No such file or directory")
        #expect(missing?.exitCode == .inputOutput && missing?.code == "system_error")
    }

    @Test("The last part of a path", arguments: [("/a/b", "b"), ("b", "b"), ("/a/", "a"), ("/", "/"), ("", "")])
    func lastPart(_ path: String, _ name: String) {
        #expect(baseName(path) == name)
    }

    @Test("A call is repeated while a signal interrupts it, and no longer")
    func interrupts() {
        var calls = 0
        let result: Int = retryingInterrupts {
            calls += 1
            errno = calls < 4 ? EINTR : EAGAIN
            return -1
        }
        #expect(result == -1 && calls == 4)
    }

    @Test("The environment is what the process got")
    func environment() {
        let all = environmentVariables()
        #expect(!all.isEmpty)
        #expect(all["PATH"] == environmentVariable("PATH"))
        #expect(environmentVariable("WEIR_TEST_NEVER_SET") == nil)
    }

    @Test("Exit codes are the documented ones")
    func exitCodes() {
        #expect(ExitCode.allCases.map(\.rawValue) == [0, 1, 2, 64, 65, 69, 70, 73, 74, 75, 77, 78])
    }

    @Test("A thread runs its body to the end before join returns")
    func thread() {
        let mailbox = Mailbox<Int>(capacity: 1)
        let thread = OSThread.start("123456789012345") { _ = mailbox.offer(7) }
        thread.join()
        #expect(mailbox.take(waiting: .zero) == [7])
    }
}
