import Base
import Glibc
import Settings

extension PlaceOptions {
    /// The settings file by the rules of precedence; nil when there is none.
    var settingsFile: String? {
        if let config { return config }
        if let named = environmentVariable("WEIR_CONFIG"), !named.isEmpty { return named }
        return access("appliance.conf", R_OK) == 0 ? "appliance.conf" : nil
    }

    var dataFolder: String {
        if let data { return data }
        if let named = environmentVariable("WEIR_DATA"), !named.isEmpty { return named }
        return "data"
    }

    /// - Parameter listen: the value of `--listen`, if given.
    func load(listen: String? = nil) throws -> LoadedSettings {
        try SettingsLoader.load(
            file: settingsFile, flags: listen.map { ["listen": $0] } ?? [:], environment: environmentVariables())
    }
}
