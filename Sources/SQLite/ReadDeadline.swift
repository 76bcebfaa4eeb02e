internal import Base
internal import CSQLite

/// Ends a read that lasts too long: an open read keeps the WAL from being reset. SQLite asks every few thousand
/// steps; confined with its connection.
final class ReadDeadline {
    private static let stepsBetweenLooks: Int32 = 10_000
    private let nanoseconds = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)

    init() { nanoseconds.initialize(to: .max) }

    deinit { nanoseconds.deallocate() }

    func attach(to handle: OpaquePointer) {
        sqlite3_progress_handler(
            handle, Self.stepsBetweenLooks,
            { context in
                guard let deadline = context?.assumingMemoryBound(to: UInt64.self).pointee, deadline != .max
                else { return 0 }
                return MonotonicInstant.now().nanoseconds > deadline ? 1 : 0
            }, nanoseconds)
    }

    func detach(from handle: OpaquePointer) { sqlite3_progress_handler(handle, 0, nil, nil) }

    func set(_ instant: MonotonicInstant) { nanoseconds.pointee = instant.nanoseconds }

    func clear() { nanoseconds.pointee = .max }
}
