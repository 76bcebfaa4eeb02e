import Base
import ResponseCache

/// A cache in a simulation: keys are 0 ..< `keys`, and only hits and misses matter.
protocol ReplayPolicy {
    /// - Parameter capacity: entries, or bytes where sizes are given.
    init(capacity: Int, keys: Int)
    /// True for a hit; a miss brings the key in, if the policy wants it.
    mutating func access(_ key: Int, size: Int) -> Bool
}

extension ReplayPolicy {
    /// The hits of a replay.
    static func hits(_ trace: Trace, capacity: Int, sized: Bool = false) -> Int {
        var policy = Self(capacity: capacity, keys: trace.keyCount), hits = 0
        for key in trace.requests where policy.access(key, size: sized ? trace.sizes[key] : 1) { hits += 1 }
        return hits
    }
}

/// Lists whose nodes are a trace's keys.
func keyLists(_ lists: Int, keys: Int) -> NodeLists {
    var made = NodeLists(lists: lists)
    for _ in 0..<keys { made.addNode() }
    return made
}

/// First in, first out; bytes.
struct FIFO: ReplayPolicy {
    private var queue: NodeLists
    private var sizes: [Int]
    private var room: Int
    private let capacity: Int

    init(capacity: Int, keys: Int) {
        self.capacity = capacity
        room = capacity
        queue = keyLists(1, keys: keys)
        sizes = Array(repeating: 0, count: keys)
    }

    mutating func access(_ key: Int, size: Int) -> Bool { access(key, size: size, refreshes: false) }

    /// What is larger than the cache is not admitted and displaces nothing.
    mutating func access(_ key: Int, size: Int, refreshes: Bool) -> Bool {
        if queue.isLinked(key) {
            if refreshes {
                queue.unlink(key)
                queue.addToFront(key, of: 0)
            }
            return true
        }
        guard size <= capacity else { return false }
        while room < size, let victim = queue.last(of: 0) {
            queue.unlink(victim)
            room += sizes[victim]
        }
        queue.addToFront(key, of: 0)
        sizes[key] = size
        room -= size
        return false
    }
}

/// Least recently used; bytes.
struct LRU: ReplayPolicy {
    private var queue: FIFO

    init(capacity: Int, keys: Int) { queue = FIFO(capacity: capacity, keys: keys) }

    mutating func access(_ key: Int, size: Int) -> Bool { queue.access(key, size: size, refreshes: true) }
}

/// The production cache, one shard, every entry at the same cost.
struct WTinyLFU: ReplayPolicy {
    private(set) var cache: TinyLFU<Int>
    private let keys: [CacheKey]
    private let now = MonotonicInstant(nanoseconds: 1)

    init(capacity: Int, keys: Int) {
        cache = TinyLFU(budget: capacity, seed: 1)
        self.keys = (0..<keys).map { cacheKey($0) }
    }

    mutating func access(_ key: Int, size: Int) -> Bool {
        if cache.value(for: keys[key], now: now) != nil { return true }
        _ = cache.store(keys[key], key, weight: size, cost: 1, expires: .distantFuture, now: now)
        return false
    }
}

/// A key as good as a digest.
func cacheKey(_ number: Int) -> CacheKey {
    var random = SeededRandom(seed: UInt64(bitPattern: Int64(number)))
    return CacheKey(words: (random.next(), random.next(), random.next(), random.next()))
}
