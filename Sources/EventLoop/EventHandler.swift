import CLinux
import Glibc

/// What the kernel reports of a descriptor, or the events that a handler wants (epoll_ctl(2)).
package struct Readiness: OptionSet, Sendable {
    /// The event bits as epoll has them.
    package let rawValue: UInt32

    /// Whether one of these events has occurred. Unlike `isDisjoint(with:)` it needs no generic code.
    package func containsAny(_ events: Readiness, _ others: Readiness = Readiness(rawValue: 0)) -> Bool {
        rawValue & (events.rawValue | others.rawValue) != 0
    }

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Bytes, an end of file or a connection can be read or accepted (`EPOLLIN`).
    package static let readable = Readiness(rawValue: UInt32(EPOLLIN.rawValue))
    /// There is room to write (`EPOLLOUT`).
    package static let writable = Readiness(rawValue: UInt32(EPOLLOUT.rawValue))
    /// The peer will send no more (`EPOLLRDHUP`).
    package static let peerClosed = Readiness(rawValue: UInt32(EPOLLRDHUP.rawValue))
    /// Both directions are shut, as after a reset (`EPOLLHUP`).
    package static let hungUp = Readiness(rawValue: UInt32(EPOLLHUP.rawValue))
    /// The descriptor has an error pending (`EPOLLERR`).
    package static let failed = Readiness(rawValue: UInt32(EPOLLERR.rawValue))
    /// The connection has ended or is broken: ``failed`` or ``hungUp``.
    package static let ended = Readiness(rawValue: UInt32(EPOLLERR.rawValue) | UInt32(EPOLLHUP.rawValue))
    /// Report changes only, not states (`EPOLLET`).
    package static let edgeTriggered = Readiness(rawValue: UInt32(EPOLLET.rawValue))
}

/// Something that owns a descriptor watched by an ``EventLoop``.
package protocol EventHandler: AnyObject {
    /// Called on the loop's thread when the descriptor became ready.
    func ready(_ events: Readiness)
}
