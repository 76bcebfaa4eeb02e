import Base
import Glibc
import Settings

/// A folder under /tmp that is gone when the test is done with it.
final class TemporaryFolder {
    let path: String

    init() {
        path = "/tmp/weir-settings-test-" + hexadecimal(secureRandomBytes(8))
        precondition(mkdir(path, 0o700) == 0, "cannot create \(path)")
    }

    deinit {
        if let folder = opendir(path) {
            while let entry = readdir(folder) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                unlink("\(path)/\(name)")
            }
            closedir(folder)
        }
        rmdir(path)
    }

    /// Writes a file and gives its path.
    func write(_ name: String, _ bytes: some Sequence<UInt8>, mode: mode_t = 0o644) -> String {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode)
        precondition(descriptor >= 0, "cannot create \(file)")
        defer { close(descriptor) }
        let content = Array(bytes)
        precondition(Glibc.write(descriptor, content, content.count) == content.count, "cannot write \(file)")
        fchmod(descriptor, mode)
        return file
    }
}

/// Loads settings from the text of a file. In problems and origins the file is called `appliance.conf`.
func load(
    _ text: String? = nil, mode: mode_t = 0o644, environment: [String: String] = [:], flags: [String: String] = [:]
) throws -> LoadedSettings {
    try load(bytes: text.map { Array($0.utf8) }, mode: mode, environment: environment, flags: flags)
}

func load(
    bytes: [UInt8]?, mode: mode_t = 0o644, environment: [String: String] = [:], flags: [String: String] = [:]
) throws -> LoadedSettings {
    let folder = TemporaryFolder()
    let file = bytes.map { folder.write("appliance.conf", $0, mode: mode) }
    return try SettingsLoader.load(file: file, flags: flags, environment: environment)
}

/// The problems that loading ends with, one text each, without the folder in front of the file's name.
func problems(
    _ text: String?, mode: mode_t = 0o644, environment: [String: String] = [:], flags: [String: String] = [:]
) -> [String] {
    problems(bytes: text.map { Array($0.utf8) }, mode: mode, environment: environment, flags: flags)
}

func problems(
    bytes: [UInt8]?, mode: mode_t = 0o644, environment: [String: String] = [:], flags: [String: String] = [:]
) -> [String] {
    let folder = TemporaryFolder()
    let file = bytes.map { folder.write("appliance.conf", $0, mode: mode) }
    do {
        _ = try SettingsLoader.load(file: file, flags: flags, environment: environment)
        return []
    } catch {
        return error.problems.map { $0.description.replacing("\(folder.path)/", with: "") }
    }
}
