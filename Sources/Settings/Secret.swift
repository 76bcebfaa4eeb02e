internal import Base

/// A value that is never printed: a provider's key, the admin key, a header's value. Every way to show one
/// (`print`, interpolation, `dump`, a crash report's mirror) gives `***`; only `reveal()` gives the value.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What stands for a secret wherever one is shown.
    package static let mask = "***"
    /// No provider issues keys near this length (JSON web tokens are the longest).
    package static let bytesMax = 8 << 10

    private let value: String

    /// Keeps `value` as it is.
    package init(_ value: String) { self.value = value }

    /// The value itself, for the moment it is put into a request.
    package func reveal() -> String { value }

    /// Always `***`.
    package var description: String { Self.mask }
    /// Always `***`.
    package var debugDescription: String { Self.mask }
    /// One child, `***`.
    package var customMirror: Mirror { Mirror(self, children: ["value": Self.mask]) }

    /// Takes a time that depends on the lengths alone.
    package static func == (a: Secret, b: Secret) -> Bool {
        constantTimeEqual(Array(a.value.utf8), Array(b.value.utf8))
    }
}
