/// Follows the trees to every page in use and holds each to what LMDB assumes unasked: it lies in the file, is used
/// once, is of its kind, and its entries lie inside it. A file that passes cannot lead LMDB out of its map; wrong
/// bytes in keys and values it does not find. Plain trees only, without duplicate keys, as this module makes them.
struct TreeWalk {
    typealias Damage = DataFile.Damage

    private enum Kind { case free, main, named }

    private struct Counts: Equatable {
        var branches: UInt64 = 0, leaves: UInt64 = 0, overflows: UInt64 = 0, entries: UInt64 = 0
    }

    private let file: UnsafeRawBufferPointer
    private let head: DataFile.Head
    /// One bit a page: found in a tree or in the free list.
    private var seen: [UInt64]
    private var lastFreed: UInt64 = 0

    init(_ file: UnsafeRawBufferPointer, _ head: DataFile.Head) {
        self.file = file
        self.head = head
        seen = Array(repeating: 0, count: head.pageCount / 64 + 1)
    }

    mutating func run() throws(Damage) {
        try tree(at: head.freeRecord, .free)
        try tree(at: head.mainRecord, .main)
    }

    /// A tree's record: u32 pad, u16 flags, u16 depth, u64 branch, leaf and overflow pages, entries, root.
    private mutating func tree(at record: Int, _ kind: Kind) throws(Damage) {
        try need(kind == .free || file.u16(record + 4) == 0, "a tree has unknown flags")
        let depth = Int(file.u16(record + 6)), root = file.u64(record + 40)
        let claimed = Counts(
            branches: file.u64(record + 8), leaves: file.u64(record + 16), overflows: file.u64(record + 24),
            entries: file.u64(record + 32))
        var found = Counts()
        if root == .max {
            try need(depth == 0, "an empty tree has a depth")
        } else {
            try need((1...32).contains(depth), "a tree has no possible depth")
            try page(root, level: depth, kind, &found)
        }
        try need(found == claimed, "a tree's counts are wrong")
    }

    /// - Parameter level: 1 for a leaf.
    private mutating func page(_ number: UInt64, level: Int, _ kind: Kind, _ found: inout Counts) throws(Damage) {
        try claim(number, 1)
        let base = Int(number) * head.pageSize
        let lower = Int(file.u16(base + 12)), upper = Int(file.u16(base + 14))
        try need(file.u64(base) == number && file.u16(base + 10) == (level == 1 ? 2 : 1), "a page is not its kind")
        try need(
            lower > 16 && lower % 2 == 0 && lower <= upper && upper <= head.pageSize, "a page has impossible bounds")
        let count = (lower - 16) / 2
        try need(level == 1 || kind == .free || count > 1, "a branch leads one way only")
        var room = head.pageSize - upper
        for index in 0..<count {
            let offset = Int(file.u16(base + 16 + 2 * index))
            let node = base + offset, end = base + head.pageSize
            try need(offset >= upper && offset % 2 == 0 && node + 8 <= end, "an entry lies outside its page")
            let keySize = Int(file.u16(node + 6))
            try need(keySize <= 511 && (keySize > 0 || level > 1), "a key has an impossible size")
            let size = 8 + keySize + (level == 1 ? try valueSize(node, kind) : 0)
            try need(node + size <= end, "an entry lies outside its page")
            room -= (size + 1) & ~1
            if level == 1 {
                try leaf(node, keySize, kind, &found)
            } else {
                let child = file.u64(node) & 0xFFFF_FFFF_FFFF
                try page(child, level: level - 1, kind, &found)
            }
        }
        try need(room >= 0, "entries lie upon each other")
        if level == 1 { found.leaves += 1 } else { found.branches += 1 }
    }

    /// What a leaf's entry takes in its page for the value: u32 value size, u16 flags, u16 key size come first.
    private func valueSize(_ node: Int, _ kind: Kind) throws(Damage) -> Int {
        let size = Int(file.u32(node)), flags = file.u16(node + 4)
        switch flags {
        case 0: return size
        case 1: return 8
        case 2 where kind == .main && size == 48: return size
        default: throw Damage(what: "an entry has unknown flags")
        }
    }

    private mutating func leaf(_ node: Int, _ keySize: Int, _ kind: Kind, _ found: inout Counts) throws(Damage) {
        found.entries += 1
        let size = Int(file.u32(node)), flags = file.u16(node + 4)
        var value = node + 8 + keySize
        if flags == 1 { value = try overflow(file.u64(value), size, &found) }
        if flags == 2 { try tree(at: value, .named) }
        guard kind == .free else { return }
        try need(keySize == 8 && file.u64(node + 8) > lastFreed, "the free list is out of order")
        lastFreed = file.u64(node + 8)
        try need(lastFreed <= head.transaction, "the free list comes from the future")
        try freed(value, size)
    }

    /// A value too large for its leaf: pages in a row with one header, whose u32 at 12 says how many.
    private mutating func overflow(_ number: UInt64, _ size: Int, _ found: inout Counts) throws(Damage) -> Int {
        try claim(number, 1)
        let base = Int(number) * head.pageSize
        let pages = Int(file.u32(base + 12))
        try need(file.u64(base) == number && file.u16(base + 10) == 4, "a page is not its kind")
        try need(pages >= (15 + size) / head.pageSize + 1, "a value is longer than its pages")
        if pages > 1 { try claim(number + 1, pages - 1) }
        found.overflows += UInt64(pages)
        return base + 16
    }

    /// A list of free pages: u64 count, then numbers, falling. The file may end before a free page.
    private mutating func freed(_ list: Int, _ size: Int) throws(Damage) {
        try need(size >= 8 && file.u64(list) <= UInt64(size / 8 - 1), "the free list is longer than its record")
        var above = UInt64.max
        for index in 0..<Int(file.u64(list)) {
            let number = file.u64(list + 8 + 8 * index)
            try need(number < above, "the free list is out of order")
            try claim(number, 1, inFile: false)
            above = number
        }
    }

    private mutating func claim(_ number: UInt64, _ count: Int, inFile: Bool = true) throws(Damage) {
        try need(number >= 2 && number < UInt64(head.pageCount), "a page lies outside the file")
        let end = Int(number) + count
        try need(
            end <= head.pageCount && (!inFile || end * head.pageSize <= file.count), "a page lies outside the file")
        for page in Int(number)..<end {
            let bit: UInt64 = 1 << UInt64(page % 64)
            try need(seen[page / 64] & bit == 0, "a page is used twice")
            seen[page / 64] |= bit
        }
    }

    private func need(_ holds: Bool, _ otherwise: StaticString) throws(Damage) {
        if !holds { throw Damage(what: "\(otherwise)") }
    }
}
