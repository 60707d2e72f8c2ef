import Glibc
import Synchronization
import Wire

/// A queue between threads, of which the taking ones sleep while it is empty.
package final class Mailbox<Element: Sendable>: Sendable {
    private let queue = Mutex(Queue<Element>())
    private let count: Semaphore

    package init() {
        count = Semaphore()
    }

    /// Adds to the end.
    package func put(_ element: consuming sending Element) {
        let element = consume element
        queue.withLock { $0.append(element) }
        count.signal()
    }

    /// Takes from the front, and waits as long as nothing is there; for threads of our own only, not Swift's.
    package func take() -> Element {
        count.wait()
        guard let element = queue.withLock({ $0.takeFirst() }) else {
            preconditionFailure("the semaphore counts the items")
        }
        return element
    }
}

/// A POSIX semaphore between the threads of this process.
///
/// `@unchecked`: `sem_post` and `sem_wait` may be called from any thread; the pointer never changes.
@safe
package final class Semaphore: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    package init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    package func signal() {
        unsafe sem_post(semaphore)
    }

    package func wait() {
        while unsafe sem_wait(semaphore) != 0 && errno == EINTR {}
    }
}
