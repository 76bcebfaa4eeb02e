import Base
import Settings

/// The server of the demonstration, which can be stopped and started again on the same data.
final class DemoServer {
    /// Known, because it opens nothing but this demonstration on loopback.
    static let adminKey = "demonstration-admin-key"

    private static let usualPort = 7_411

    /// The usual one, or any when that is taken; the same after a restart.
    private(set) var port = 0
    private let folder: TemporaryFolder
    private let settingsFile: String
    private var application: Application?

    init(in folder: TemporaryFolder, providerPort: Int) throws {
        self.folder = folder
        settingsFile = folder.path + "/appliance.conf"
        try folder.write(Self.settings(providerPort), to: settingsFile)
        do { try start(port: Self.usualPort) } catch is Application.CannotListen {
            stop()
            try start(port: 0)
        }
    }

    /// Ends in order, everything written, and begins again as `weir serve` does: nothing is left in memory.
    func restart() throws {
        stop()
        try start(port: port)
    }

    func stop() {
        application?.stop()
        application = nil
    }

    private func start(port: Int) throws {
        var environment = environmentVariables().filter { !$0.key.hasPrefix("WEIR_") }
        environment["WEIR_DEMO_KEY"] = Self.adminKey
        let loaded = try SettingsLoader.load(
            file: settingsFile, flags: ["listen": "127.0.0.1:\(port)"], environment: environment)
        let application = try Application(loaded, folder: folder.path + "/data", source: settingsFile)
        self.application = application
        if case .tcp(_, let bound) = try application.start() { self.port = bound }
    }

    private static func settings(_ providerPort: Int) -> String {
        """
        [auth]
        admin-key = "env:WEIR_DEMO_KEY"
        [log]
        level = "warning"
        requests = "none"
        [gateway]
        passthrough = "openai-like"
        [providers.openai-like]
        dialect = "openai"
        base-url = "http://127.0.0.1:\(providerPort)/v1"
        [providers.anthropic-like]
        dialect = "anthropic"
        base-url = "http://127.0.0.1:\(providerPort)"
        models = ["claude-*"]
        [models.fast]
        targets = [{provider = "openai-like", model = "gpt-4o-mini"}]
        """
    }
}
