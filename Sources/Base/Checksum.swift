internal import CLinux

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4) of the bytes: finds flipped bits, proves nothing against an attacker.
/// O(n), several GB/s where the CPU has the instruction.
/// - Parameter seed: the checksum of what came before, to go on with.
package func checksum(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    weir_crc32c(seed, bytes.baseAddress, bytes.count)
}
