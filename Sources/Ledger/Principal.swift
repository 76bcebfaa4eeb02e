/// Who is calling. Made once a key, not once a request; handing it on costs one reference.
package final class Principal: Sendable {
    /// Nil for anonymous and local callers.
    package let keyID: String?
    package let name: String
    /// Whose data this caller sees.
    package let tenant: String
    package let scopes: ScopeSet

    package init(keyID: String?, name: String, tenant: String, scopes: ScopeSet) {
        self.keyID = keyID
        self.name = name
        self.tenant = tenant
        self.scopes = scopes
    }

    /// Whether this caller may do what `required` names.
    package func allows(_ required: Scope) -> Bool { scopes.allows(required) }

    /// A caller from loopback without a key that Weir knows.
    package static let anonymous = Principal(
        keyID: nil, name: "anonymous", tenant: "anonymous", scopes: ScopeSet([.ai]))

    /// The operator at the control socket.
    package static let localAdmin = Principal(keyID: nil, name: "local", tenant: "local", scopes: ScopeSet([.admin]))
}
