import Base
import Glibc
import Testing

@testable import Benchmark

@Suite("children")
struct ChildProcessTests {
    /// A pipe with a name: readable while a writer lives, hung up once the last one is gone.
    private struct Lifeline {
        let path: String
        let descriptor: Int32

        init(_ folder: TemporaryFolder) throws {
            path = folder.path + "/line"
            guard mkfifo(path, 0o600) == 0 else { throw SystemFailure("make a pipe", errorNumber: errno) }
            descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        }

        /// Waits for words, or for the end of the last writer.
        func wait(for event: Int32) -> Bool {
            var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&polled, 1, 10_000) == 1 else { return false }
            if event == POLLIN {
                var byte: UInt8 = 0
                return read(descriptor, &byte, 1) == 1
            }
            return Int32(polled.revents) & event != 0
        }

        /// A shell that holds the line with a child of its own, and says one byte when it does.
        func script(_ before: String = "") -> [String] {
            ["-c", "\(before) exec 3>'\(path)'; sleep 600 & printf r >&3; wait"]
        }
    }

    @Test("stopping a child ends its whole group")
    func stopsGroup() throws {
        let folder = try TemporaryFolder()
        let line = try Lifeline(folder)
        defer { close(line.descriptor) }
        let child = try ChildProcess("/bin/sh", line.script())
        try #require(line.wait(for: POLLIN))
        #expect(child.isRunning)
        #expect(child.stop() == 128 + SIGTERM)
        #expect(line.wait(for: POLLHUP))
        #expect(!child.isRunning && child.stop() == 128 + SIGTERM)
    }

    @Test("a child that does not listen is killed")
    func kills() throws {
        let folder = try TemporaryFolder()
        let line = try Lifeline(folder)
        defer { close(line.descriptor) }
        let child = try ChildProcess("/bin/sh", line.script("trap '' TERM;"))
        try #require(line.wait(for: POLLIN))
        #expect(child.stop(within: .milliseconds(30)) == 128 + SIGKILL)
        #expect(line.wait(for: POLLHUP))
    }

    @Test("a child ends with the last reference to it")
    func endsWithReference() throws {
        let folder = try TemporaryFolder()
        let line = try Lifeline(folder)
        defer { close(line.descriptor) }
        var child: ChildProcess? = try ChildProcess("/bin/sh", line.script())
        try #require(line.wait(for: POLLIN))
        #expect(child?.isRunning == true)
        child = nil
        #expect(line.wait(for: POLLHUP))
    }

    @Test("a child gets its arguments, the environment it was given and no other, and its words land in the file")
    func outputAndEnvironment() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/out"
        let child = try ChildProcess(
            "/bin/sh", ["-c", "echo \"$1:$A:${HOME-none}\"; echo problem >&2; exit 7", "sh", "two words"],
            environment: ["A": "b c"], output: .file(file))
        #expect(child.wait(atMost: .seconds(20)) == 7)
        #expect(try SmallFile.text(file) == "two words:b c:none\nproblem\n")
    }

    @Test("no key, proxy or setting of this process reaches a child")
    func plainEnvironment() {
        let allowed: Set = ["LANG", "LC_ALL", "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "MORE"]
        let environment = ChildProcess.plainEnvironment(adding: ["MORE": "1"])
        #expect(environment["MORE"] == "1")
        #expect(Set(environment.keys).isSubset(of: allowed))
    }

    @Test("a program that is not there is an error at once")
    func missingProgram() {
        #expect(throws: SystemFailure.self) { try ChildProcess("/no/such/program") }
        #expect(Tool.find("no-such-program-anywhere") == nil)
        #expect(Tool.find("sh")?.hasSuffix("/sh") == true)
    }
}
