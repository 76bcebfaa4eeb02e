import Base
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Synchronization
import Telemetry

/// Bounds of the HTTP side that no setting changes.
enum HTTPLimits {
    /// Request line and header fields together: eight times what the largest known client sends.
    static let headBytesMax = 64 << 10
    /// Body of a request to a route of our own.
    static let apiBodyBytesMax = 1 << 20
}

/// `req_` and 20 characters: a random start for each process, then counting, so that ids are unique, sortable within
/// a run and cost an atomic add.
final class RequestIDs: Sendable {
    private let prefix = "req_" + hexadecimal(secureRandomBytes(5))
    private let last = Atomic<UInt64>(0)

    func next() -> String {
        var number = last.add(1, ordering: .relaxed).newValue
        var digits = InlineArray<10, UInt8>(repeating: 48)
        for position in stride(from: 9, through: 0, by: -1) {
            digits[position] = 48 + UInt8(number % 10)
            number /= 10
        }
        return String(unsafeUninitializedCapacity: 24) { buffer in
            var count = 0
            for byte in prefix.utf8 {
                buffer[count] = byte
                count += 1
            }
            for position in 0..<10 {
                buffer[count] = digits[position]
                count += 1
            }
            return count
        }
    }
}
