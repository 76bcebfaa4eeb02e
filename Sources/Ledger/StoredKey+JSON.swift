package import Base

extension StoredKey {
    /// The key as `GET /keys` and `weir keys list` show it: everything but its secret, which nobody has.
    package var json: JSONValue {
        .object([
            ("id", .string(id)), ("name", .string(name)), ("tenant", .string(tenant)),
            ("scopes", .array(scopes.scopes.map { .string($0.description) })),
            ("created", .string(created.iso8601)), ("revoked", JSONValue(revoked?.iso8601)),
        ])
    }
}
