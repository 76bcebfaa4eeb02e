import ResponseCache

/// S3-FIFO (Yang and others, SOSP 2023): a small queue of 10 %, a main queue of 90 %, a ghost queue as long as the main
/// one; two bits of frequency. Entries of one size.
struct S3FIFO: ReplayPolicy {
    private enum Queue: Int { case small, main, ghost }

    private var queues: NodeLists
    private var member: [Queue?]
    private var frequency: [Int]
    private var counts = [0, 0, 0]
    private let capacity: Int
    private let smallCapacity: Int

    init(capacity: Int, keys: Int) {
        self.capacity = capacity
        smallCapacity = max(1, capacity / 10)
        queues = keyLists(3, keys: keys)
        member = Array(repeating: nil, count: keys)
        frequency = Array(repeating: 0, count: keys)
    }

    mutating func access(_ key: Int, size: Int) -> Bool {
        if let queue = member[key], queue != .ghost {
            frequency[key] = min(3, frequency[key] + 1)
            return true
        }
        let wasGhost = member[key] == .ghost
        if wasGhost { put(key, nil) }
        while counts[0] + counts[1] >= capacity { evict() }
        frequency[key] = 0
        put(key, wasGhost ? .main : .small)
        return false
    }

    private mutating func evict() {
        guard counts[0] >= smallCapacity || counts[1] == 0 else { return evictFromMain() }
        while let oldest = queues.last(of: Queue.small.rawValue) {
            if frequency[oldest] > 1 {
                frequency[oldest] = 0
                put(oldest, .main)
                if counts[1] > capacity - smallCapacity { return evictFromMain() }
            } else {
                put(oldest, .ghost)
                if counts[2] > capacity - smallCapacity, let forgotten = queues.last(of: Queue.ghost.rawValue) {
                    put(forgotten, nil)
                }
                return
            }
        }
    }

    private mutating func evictFromMain() {
        while let oldest = queues.last(of: Queue.main.rawValue) {
            guard frequency[oldest] > 0 else { return put(oldest, nil) }
            frequency[oldest] -= 1
            put(oldest, .main)
        }
    }

    private mutating func put(_ key: Int, _ queue: Queue?) {
        if let old = member[key] {
            counts[old.rawValue] -= 1
            queues.unlink(key)
        }
        member[key] = queue
        guard let queue else { return }
        counts[queue.rawValue] += 1
        queues.addToFront(key, of: queue.rawValue)
    }
}
