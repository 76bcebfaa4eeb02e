import Base
internal import CLinux
import Glibc

/// An eventfd: wakes a thread that sleeps in `epoll_wait`.
struct WakeUp: Sendable {
    let descriptor: Int32

    init() {
        descriptor = weir_eventfd()
        precondition(descriptor >= 0, "no eventfd: \(errorText(errno))")
    }

    func signal() {
        var one: UInt64 = 1
        _ = retryingInterrupts { write(descriptor, &one, 8) }
    }

    func clear() {
        var count: UInt64 = 0
        _ = retryingInterrupts { read(descriptor, &count, 8) }
    }
}

/// Which sockets curl wants watched, kept in an epoll set. A socket that goes idle stays registered until it makes
/// itself heard or is closed, so that the next request on a kept connection costs no system call here.
final class Poller {
    struct Event {
        var descriptor: Int32
        var isReadable: Bool
        var isWritable: Bool
        var isBroken: Bool
    }

    private struct Watch {
        var registered: UInt32 = 0
        var wanted: UInt32 = 0
        /// See `expectSilence`.
        var isSilent = false
    }

    private let epoll: Int32
    private var watches: [Watch] = []
    private var events: [weir_event]

    init() {
        epoll = weir_epoll_create()
        precondition(epoll >= 0, "no epoll: \(errorText(errno))")
        events = Array(repeating: weir_event(), count: 64)
    }

    deinit { close(epoll) }

    func watch(_ descriptor: Int32, readable: Bool, writable: Bool) {
        precondition(descriptor >= 0)
        let index = Int(descriptor)
        while watches.count <= index { watches.append(Watch()) }
        let wanted = (readable ? UInt32(WEIR_READABLE) : 0) | (writable ? UInt32(WEIR_WRITABLE) : 0)
        watches[index].wanted = wanted
        if wanted != 0 { watches[index].isSilent = false }
        guard wanted != 0, watches[index].registered != wanted else { return }
        let result = weir_epoll_set(epoll, descriptor, wanted, watches[index].registered != 0 ? 1 : 0)
        precondition(result == 0, "cannot watch a socket: \(errorText(errno))")
        watches[index].registered = wanted
    }

    /// A kept connection that carries one request at a time: until the next one is sent, nothing may come. What does
    /// come would be taken for the answer to that request, so it ends the connection.
    func expectSilence(_ descriptor: Int32) {
        guard watches.indices.contains(Int(descriptor)) else { return }
        watches[Int(descriptor)].isSilent = true
    }

    /// A request goes out over the connection with this local port. Two connections to different hosts may have the
    /// same one: then both may speak, for one that could not would be cut in the middle of its answer.
    func endSilence(localPort: UInt16, likely: Int32) {
        if watches.indices.contains(Int(likely)), watches[Int(likely)].isSilent, Self.localPort(likely) == localPort {
            watches[Int(likely)].isSilent = false
            return
        }
        for index in watches.indices where watches[index].isSilent && Self.localPort(Int32(index)) == localPort {
            watches[index].isSilent = false
        }
    }

    private static func localPort(_ descriptor: Int32) -> UInt16? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                guard getsockname(descriptor, general, &size) == 0 else { return nil }
                // The port stands at the same place in an IPv4 and an IPv6 address.
                return general.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    UInt16(bigEndian: $0.pointee.sin_port)
                }
            }
        }
    }

    /// Cuts a connection that speaks out of turn and drops what it said: libcurl then finds it at its end and takes
    /// another.
    private func cutIfSpeaking(_ descriptor: Int32) {
        var dropped = [UInt8](repeating: 0, count: 16 << 10)
        for turn in 0..<256 {
            guard recv(descriptor, &dropped, dropped.count, Int32(MSG_DONTWAIT)) > 0 else { return }
            if turn == 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    /// The socket is about to be closed: the kernel forgets it by itself.
    func forget(_ descriptor: Int32) {
        guard watches.indices.contains(Int(descriptor)) else { return }
        watches[Int(descriptor)] = Watch()
    }

    /// Waits and calls `handle` for each event; those nobody wants end their registration.
    func wait(milliseconds: Int32) -> [Event] {
        let count = weir_epoll_wait(epoll, &events, Int32(events.count), milliseconds)
        guard count > 0 else {
            precondition(count == 0 || errno == EINTR, "epoll_wait fails: \(errorText(errno))")
            return []
        }
        var wanted: [Event] = []
        wanted.reserveCapacity(Int(count))
        for event in events[..<Int(count)] {
            let index = Int(event.descriptor)
            guard watches[index].wanted != 0 else {
                if watches[index].isSilent { cutIfSpeaking(event.descriptor) }
                _ = weir_epoll_set(epoll, event.descriptor, 0, 1)
                watches[index].registered = 0
                continue
            }
            wanted.append(
                Event(
                    descriptor: event.descriptor, isReadable: event.events & UInt32(WEIR_READABLE) != 0,
                    isWritable: event.events & UInt32(WEIR_WRITABLE) != 0,
                    isBroken: event.events & UInt32(WEIR_ERROR) != 0))
        }
        return wanted
    }
}
