internal import CLinux
import Glibc

/// A named system thread that runs one body to its end. For loops that block: they never sit on Swift's
/// cooperative pool, which has no more threads than the machine has cores.
package final class OSThread: @unchecked Sendable {  // `handle` is written once, before `start` returns
    private var handle = pthread_t()

    private final class Body {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    private init() {}

    /// - Parameter name: at most 15 characters, as `top -H` shows it.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> OSThread {
        precondition(name.utf8.count <= 15, "Linux keeps 15 characters of a thread's name")
        let thread = OSThread()
        let box = Unmanaged.passRetained(Body(name: name, run: body)).toOpaque()
        let result = pthread_create(
            &thread.handle, nil,
            { pointer in
                let body = Unmanaged<Body>.fromOpaque(pointer!).takeRetainedValue()
                weir_thread_name(body.name)
                body.run()
                return nil
            }, box)
        precondition(result == 0, "cannot start a thread: \(errorText(result))")
        return thread
    }

    /// Waits for the body to end. Call it once.
    package func join() { pthread_join(handle, nil) }
}

/// Rests the calling thread. For start and shutdown only, never on an event loop.
package func pauseThread(_ duration: Duration) { weir_pause(UInt64(max(0, duration.wholeNanoseconds))) }
