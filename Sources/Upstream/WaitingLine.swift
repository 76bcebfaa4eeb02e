import Base

/// Who may open a transfer to one provider now, and who waits: first come, first served, bounded in length and time.
/// A pure state machine; times are given.
struct WaitingLine<Element> {
    enum Admission { case start, wait, refuse }

    private let activeMax: Int
    private let waitingMax: Int
    private(set) var active = 0
    /// In order of arrival, so that the deadlines ascend too. Taken from `first` on; compacted now and then.
    private var line: [(element: Element, deadline: MonotonicInstant)?] = []
    private var first = 0
    private(set) var waiting = 0

    init(activeMax: Int, waitingMax: Int) {
        precondition(activeMax > 0 && waitingMax >= 0)
        self.activeMax = activeMax
        self.waitingMax = waitingMax
    }

    mutating func admit(_ element: Element, until deadline: MonotonicInstant) -> Admission {
        if active < activeMax {
            active += 1
            return .start
        }
        guard waiting < waitingMax else { return .refuse }
        line.append((element, deadline))
        waiting += 1
        return .wait
    }

    /// One transfer has ended: the next in line, which takes its place.
    mutating func finishOne() -> Element? {
        precondition(active > 0, "more transfers ended than began")
        if let next = popFirst() { return next }
        active -= 1
        return nil
    }

    /// Those whose time in the line is over.
    mutating func expire(now: MonotonicInstant) -> [Element] {
        var expired: [Element] = []
        while let index = firstWaiting(), let head = line[index], head.deadline <= now {
            expired.append(head.element)
            take(index)
        }
        return expired
    }

    /// Takes one that no longer wants to wait out of the line. O(n): clients seldom leave while waiting.
    mutating func remove(where matches: (Element) -> Bool) -> Bool {
        guard let index = line.indices.dropFirst(first).first(where: { line[$0].map { matches($0.element) } ?? false })
        else { return false }
        take(index)
        return true
    }

    var nextDeadline: MonotonicInstant? {
        line[first...].lazy.compactMap { $0?.deadline }.first
    }

    private mutating func popFirst() -> Element? {
        guard let index = firstWaiting(), let head = line[index] else { return nil }
        take(index)
        return head.element
    }

    private mutating func firstWaiting() -> Int? {
        while first < line.count && line[first] == nil { first += 1 }
        if first == line.count {
            line.removeAll(keepingCapacity: true)
            first = 0
            return nil
        }
        if first > 64 && first > line.count / 2 {
            line.removeFirst(first)
            first = 0
        }
        return first
    }

    private mutating func take(_ index: Int) {
        line[index] = nil
        waiting -= 1
    }
}
