import ArgumentParser
import Base
import Glibc
import Logging
import Operations
import Settings
import Synchronization

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server in the foreground.",
        discussion: "SIGHUP reloads the settings, SIGTERM ends in order, a second SIGTERM at once.")

    @OptionGroup var place: PlaceOptions
    @Option(help: "HOST:PORT or unix:PATH, in place of server.listen.") var listen: String?

    func run() throws {
        Signals.block()
        ProcessLimits.raiseOpenFiles()
        let loaded = try place.load(listen: listen)
        let application = try Application(loaded, folder: place.dataFolder, source: place.settingsFile)
        let bound = try application.start()
        application.sayBanner(bound)
        SystemdNotifier.notify(.ready)
        while Signals.next() == .reload { reload(application) }
        stop(application)
    }

    /// A bad file changes nothing.
    private func reload(_ application: Application) {
        SystemdNotifier.notify(.reloading)
        defer { SystemdNotifier.notify(.ready) }
        do {
            application.reload(try place.load(listen: listen))
        } catch {
            application.logger.error("settings not reloaded, the old ones stay", metadata: ["problem": "\(error)"])
            SystemdNotifier.notify(.status("settings not reloaded"))
        }
    }

    private func stop(_ application: Application) {
        SystemdNotifier.notify(.stopping)
        // The second order ends the process at once, whatever still runs.
        _ = OSThread.start("weir-force-quit") {
            while Signals.next() != .stop {}
            _exit(ExitCode.forcedQuit.rawValue)
        }
        application.stop()
    }
}
