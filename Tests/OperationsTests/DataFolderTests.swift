import Base
import Glibc
import Testing

@testable import Operations

struct DataFolderTests {
    /// A path of its own for one test; what is there at the end is removed.
    private final class Place {
        let path = "/tmp/weir-test-\(hexadecimal(secureRandomBytes(8)))"
        deinit {
            for part in ["/a/b/lock", "/a/b/control.sock", "/a/b/one.db", "/a/b/two.db", "/lock"] {
                unlink(path + part)
            }
            for part in ["/a/b/inner", "/a/b", "/a", ""] { rmdir(path + part) }
            unlink(path)
        }
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    private func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        writeText(text, to: descriptor)
        close(descriptor)
    }

    @Test("A missing folder is made with all above it, for this user only, and locked with the process id")
    func makes() throws {
        let place = Place()
        let folder = try DataFolder(place.path + "/a/b")
        for path in [place.path, place.path + "/a", place.path + "/a/b"] { #expect(mode(path) == 0o700) }
        #expect(mode(place.path + "/a/b/lock") == 0o600)
        #expect(try SmallFile.text(folder.path + "/lock") == "\(getpid())\n")
        #expect(DataFolder.holder(folder.path) == Int(getpid()))
        #expect(folder.controlSocketPath == place.path + "/a/b/control.sock")
    }

    @Test("A second process is refused and told who holds the folder")
    func locked() throws {
        let place = Place()
        let folder = try DataFolder(place.path)
        let refusal = #expect(throws: DataFolder.Locked.self) { _ = try DataFolder(place.path) }
        #expect(refusal?.holder == Int(getpid()) && refusal?.path == place.path)
        #expect(refusal?.exitCode == .dataFolderLocked && refusal?.code == "data_folder_locked")
        #expect(refusal?.message.contains("process \(getpid())") == true)
        #expect(try SmallFile.text(folder.path + "/lock") == "\(getpid())\n", "the refused one changed nothing")
    }

    @Test("A holder that wrote no id is still a holder")
    func silentHolder() throws {
        let place = Place()
        var folder: DataFolder? = try DataFolder(place.path)
        #expect(truncate(place.path + "/lock", 0) == 0)
        let refusal = #expect(throws: DataFolder.Locked.self) { _ = try DataFolder(place.path) }
        #expect(refusal?.holder == nil)
        #expect(refusal?.message.contains("another process") == true)
        folder = nil
        #expect(folder == nil)
    }

    @Test("The lock ends with its holder, and a stale longer id is overwritten whole")
    func relock() throws {
        let place = Place()
        do { _ = try DataFolder(place.path) }
        try write("99999999999999\n", to: place.path + "/lock")
        let folder = try DataFolder(place.path)
        #expect(try SmallFile.text(folder.path + "/lock") == "\(getpid())\n")
    }

    @Test("A file where the folder should be, or above it, is refused")
    func notAFolder() throws {
        let place = Place()
        try write("x", to: place.path)
        for path in [place.path, place.path + "/a"] {
            let refusal = #expect(throws: SystemFailure.self) { _ = try DataFolder(path) }
            #expect(refusal?.errorNumber == ENOTDIR && refusal?.exitCode == .dataFolderLocked)
        }
    }

    @Test("A lock that is a symbolic link is not followed")
    func linkedLock() throws {
        let place = Place()
        #expect(mkdir(place.path, 0o700) == 0)
        #expect(symlink("/tmp/weir-test-elsewhere", place.path + "/lock") == 0)
        let refusal = #expect(throws: SystemFailure.self) { _ = try DataFolder(place.path) }
        #expect(refusal?.errorNumber == ELOOP)
        #expect(access("/tmp/weir-test-elsewhere", F_OK) != 0)
    }

    @Test("Its size is that of its files, folders not counted")
    func size() throws {
        let place = Place()
        let folder = try DataFolder(place.path + "/a/b")
        let empty = folder.size.bytes
        try write(String(repeating: "x", count: 1_000), to: folder.path + "/one.db")
        try write(String(repeating: "x", count: 234), to: folder.path + "/two.db")
        #expect(mkdir(folder.path + "/inner", 0o700) == 0)
        #expect(folder.size.bytes - empty == 1_234)
    }
}
