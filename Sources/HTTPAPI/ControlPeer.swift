import Base
internal import CLinux
import Gateway
import Glibc
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// Who is at the other end of the control socket: only this user and root may be.
enum ControlPeer {
    static func isAllowed(_ channel: any Channel) -> Bool {
        do {
            let peer = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable {
                (descriptor: NIOBSDSocket.Handle) in weir_peer_uid(descriptor)
            }
            return peer == 0 || peer == Int64(geteuid())
        } catch {
            return false
        }
    }
}
