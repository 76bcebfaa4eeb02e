internal import Base
import Glibc

/// LMDB 0.9 trusts its file: a page number out of place ends the process. So the file is read before LMDB opens it.
/// (Data format 1: a page begins with u64 number, u16 pad, u16 flags, u16 lower, u16 upper; pages 0 and 1 are two
/// versions of the head, the one with the higher transaction number holds.)
enum DataFile {
    /// - Parameters:
    ///   - everyPage: follow both trees of the head to every page they use; O(pages). Otherwise that happens only when
    ///     the file is shorter than its head says, which is in order as long as no page in use is missing.
    ///   - mapSizeMax: a head that claims more than this is damaged.
    static func check(_ path: String, everyPage: Bool, mapSizeMax: ByteCount) throws(LMDBFailure) {
        let descriptor = retryingInterrupts { open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw LMDBFailure(errno, path, "open the file") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw LMDBFailure(errno, path, "look at the file") }
        let size = Int(status.st_size)
        guard size > 0 else { throw LMDBFailure(.corrupt, path, "the file is empty") }
        let start = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let start, start != MAP_FAILED else { throw LMDBFailure(errno, path, "map the file") }
        defer { munmap(start, size) }
        do {
            let file = UnsafeRawBufferPointer(start: start, count: size)
            let head = try Head(file, mapSizeMax: mapSizeMax.bytes)
            guard everyPage || head.pageCount * head.pageSize > size else { return }
            var walk = TreeWalk(file, head)
            try walk.run()
        } catch {
            throw LMDBFailure(.corrupt, path, error.what)
        }
    }

    struct Damage: Error {
        let what: String
    }

    /// The head that LMDB will choose.
    struct Head {
        let pageSize: Int
        /// Pages the file may have: the last page's number and one.
        let pageCount: Int
        let transaction: UInt64
        /// Where the records of the two trees stand: the free list and the main tree.
        let freeRecord: Int
        let mainRecord: Int

        static let magic: UInt32 = 0xBEEF_C0DE

        init(_ file: UnsafeRawBufferPointer, mapSizeMax: Int) throws(Damage) {
            guard file.count >= 1_024 else { throw Damage(what: "the file is shorter than its head") }
            let pageSize = Int(file.u32(40))
            guard (512...32_768).contains(pageSize), pageSize.nonzeroBitCount == 1, file.count >= 2 * pageSize else {
                throw Damage(what: "the head names no page size")
            }
            var transactions: [UInt64] = []
            for start in [0, pageSize] {
                // Persistent flags: integer keys in the free list (8), one file instead of a folder (0x4000).
                guard file.u16(start + 10) == 8, file.u32(start + 16) == Self.magic, file.u32(start + 20) == 1,
                    file.u32(start + 40) == UInt32(pageSize), file.u16(start + 44) & ~0x4000 == 8
                else { throw Damage(what: "the head is no LMDB head") }
                transactions.append(file.u64(start + 144))
            }
            let slot = transactions[0] < transactions[1] ? 1 : 0
            // LMDB finds a head again by its transaction number's lowest bit.
            guard Int(transactions[slot] & 1) == slot else { throw Damage(what: "the head has another's number") }
            let start = slot * pageSize
            let last = file.u64(start + 136)
            guard last >= 1, last < UInt64(max(mapSizeMax, file.count) / pageSize) else {
                throw Damage(what: "the head claims more pages than the file may have")
            }
            self.pageSize = pageSize
            pageCount = Int(last) + 1
            transaction = transactions[slot]
            freeRecord = start + 40
            mainRecord = start + 88
        }
    }
}

extension UnsafeRawBufferPointer {
    func u16(_ offset: Int) -> UInt16 { loadUnaligned(fromByteOffset: offset, as: UInt16.self) }
    func u32(_ offset: Int) -> UInt32 { loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    func u64(_ offset: Int) -> UInt64 { loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
}
