/// Picks each setting's value from its sources and collects what is wrong. Lives for one load.
struct SettingResolver {
    let document: TOMLDocument?
    let flags: [String: String]
    let environment: [String: String]
    private(set) var problems: [SettingsProblem] = []
    private(set) var origins: [String: Origin] = [:]
    var warnings: [String] = []
    /// The setting that each variable sets, for every setting there is.
    private(set) var variables: [String: String] = [:]
    private(set) var knownFlags: Set<String> = []

    init(document: TOMLDocument?, flags: [String: String], environment: [String: String]) {
        self.document = document
        self.flags = flags
        self.environment = environment
    }

    /// - Parameters:
    ///   - name: what `*` in the settings' paths stands for.
    ///   - skipping: keys that another one takes the place of.
    mutating func resolve<Root>(
        _ settings: [Setting<Root>], name: String?, skipping: Set<String> = [], into root: inout Root
    ) {
        for setting in settings {
            let path = setting.path(for: name)
            register(setting, name, path)
            guard !skipping.contains(setting.key), let (value, origin) = source(setting, name) else {
                origins[tomlPath(path)] = .default
                continue
            }
            origins[tomlPath(path)] = origin
            do {
                try setting.assign(value, context(for: origin), &root)
            } catch {
                report(path, error.message)
            }
        }
    }

    /// The value that counts, and where it stands: flag, environment, file, then the variables of other tools.
    func source<Root>(_ setting: Setting<Root>, _ name: String?, conventional: Bool = true) -> (RawValue, Origin)? {
        if let flag = setting.flag, let text = flags[flag] { return (.word(text), .flag(flag)) }
        let variable = setting.variable(for: name)
        if let text = environment[variable] { return (.word(text), .environment(variable)) }
        let path = setting.path(for: name)
        if let document, let value = document.value(at: path) { return (value, document.origin(of: path)) }
        guard conventional else { return nil }
        for variable in setting.conventionalVariables(name) {
            guard let text = environment[variable], !text.isEmpty else { continue }
            return (setting.isSecret ? .string("env:\(variable)") : .word(text), .environment(variable))
        }
        return nil
    }

    /// Adds a problem with a setting, at the place its value came from.
    mutating func report(_ path: [String], _ message: String) {
        let known = origins[tomlPath(path)]
        let origin = known == nil || known == .default ? document?.origin(of: path) : known
        problems.append(SettingsProblem(origin: origin, path: tomlPath(path), message: message))
    }

    /// Adds a problem with a flag or variable.
    mutating func report(_ origin: Origin, _ message: String) {
        problems.append(SettingsProblem(origin: origin, path: "", message: message))
    }

    mutating func setOrigin(_ path: [String], _ origin: Origin) { origins[tomlPath(path)] = origin }

    private mutating func register<Root>(_ setting: Setting<Root>, _ name: String?, _ path: [String]) {
        if let flag = setting.flag { knownFlags.insert(flag) }
        let variable = setting.variable(for: name)
        if let other = variables.updateValue(tomlPath(path), forKey: variable), environment[variable] != nil {
            report(.environment(variable), "could mean \(other) or \(tomlPath(path)); set it in the file instead")
        }
    }

    private func context(for origin: Origin) -> ValueContext {
        let refusal: String? =
            switch origin {
            case .file(let file, _): document.flatMap { literalRefusal(file, $0.mode) }
            case .flag: #"others may read a command line: use "env:NAME" or "file:PATH""#
            case .environment, .default: nil
            }
        return ValueContext(environment: environment, literalSecretsRefused: refusal)
    }

    private func literalRefusal(_ file: String, _ mode: UInt32) -> String? {
        guard mode & 0o077 != 0 else { return nil }
        return #"a secret cannot stand in a file that others may read (mode \#(modeText(mode))): use "env:NAME" or "#
            + #""file:PATH", or run chmod 600 \#(file)"#
    }
}
