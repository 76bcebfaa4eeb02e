package import Base

/// A key as it is listed; the secret is nowhere.
package struct StoredKey: Hashable, Sendable {
    /// `key_` and 16 hexadecimal digits.
    package let id: String
    package let name: String
    package let tenant: String
    package let scopes: ScopeSet
    package let created: UnixTime
    /// When it was revoked; a revoked key stays in the list and never works again.
    package var revoked: UnixTime?
}

/// Why a key cannot be made.
package enum KeyFailure: Failure, Equatable {
    case invalidName(String)
    case invalidTenant(String)
    case noScope
    case tooManyScopes(Int)
    case tooManyKeys
    case weakAdminKey
    case unreadable(id: String)

    package var code: String {
        switch self {
        case .invalidName: "invalid_key_name"
        case .invalidTenant: "invalid_tenant"
        case .noScope: "no_scope"
        case .tooManyScopes: "too_many_scopes"
        case .tooManyKeys: "too_many_keys"
        case .weakAdminKey: "weak_admin_key"
        case .unreadable: "key_unreadable"
        }
    }

    package var message: String {
        switch self {
        case .invalidName(let name): "\(shown(name)) is no name for a key; \(Self.nameRule)"
        case .invalidTenant(let name): "\(shown(name)) is no name for a tenant; \(Self.nameRule)"
        case .noScope: "a key without a scope can do nothing; give at least one, such as `ai`"
        case .tooManyScopes(let count):
            "a key has at most \(ScopeSet.countMax) scopes, not \(count); use names that end in `*`"
        case .tooManyKeys: "there are \(KeyStore.keysMax) keys already; that is all a data folder holds"
        case .weakAdminKey:
            "auth.admin-key must have \(KeyStore.adminSecretBytes.lowerBound) to "
                + "\(KeyStore.adminSecretBytes.upperBound) bytes; make one with `openssl rand -base64 32`"
        case .unreadable(let id): "the stored key \(id) cannot be read; run `weir doctor --deep`"
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .weakAdminKey: .badSettings
        case .unreadable: .dataCorrupt
        default: .usage
        }
    }

    private static let nameRule =
        "use 1 to \(Limits.nameLengthMax) of `A-Z a-z 0-9 . _ -`, beginning with a letter or digit"

    private func shown(_ name: String) -> String { JSONText.quote(String(name.prefix(40))) }
}
