import CPlatform
import Glibc
import SharedMemoryLink
import Testing

/// A message that is there.
private func receive(_ socket: CInt) throws -> SocketMessage? {
    switch try SocketMessage.receive(from: socket) {
    case .message(let message): return message
    case .nothing: return nil
    case .ended: return nil
    }
}

/// Closes it as well.
private func number(_ descriptor: consuming Descriptor?) -> CInt? { descriptor?.number }

private func isOpen(_ descriptor: CInt) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

private func status(_ descriptor: CInt) -> (device: dev_t, file: ino_t) {
    var status = stat()
    #expect(unsafe fstat(descriptor, &status) == 0)
    return (status.st_dev, status.st_ino)
}

@Suite("SocketMessage", .serialized)
struct SocketMessageTests {
    @Test("messages stay apart, and what was not there is not waited for")
    func apart() throws {
        let pair = try DescriptorPair.messageSockets()
        let far = pair.far.duplicate()
        defer { close(far) }
        let near = pair.takeNear()
        guard case .nothing = try SocketMessage.receive(from: near.number) else { throw SystemError("wait", errno: 0) }
        let long = (0..<SocketMessage.limit).map { UInt8(truncatingIfNeeded: $0) }
        for bytes in [[1], long, [2, 3]] { #expect(SocketMessage.send(bytes, to: far) == .sent) }
        for bytes in [[1], long, [2, 3]] {
            let message = try #require(try receive(near.number)?.bytes)
            #expect(message == bytes)
        }
    }

    @Test("open files come along in their order, close-on-exec; those that nobody takes are closed")
    func descriptors() throws {
        let pair = try DescriptorPair.messageSockets()
        let pipe = try DescriptorPair.pipe()
        let null = unsafe Descriptor(owning: open("/dev/null", O_RDONLY | O_CLOEXEC))
        #expect(
            SocketMessage.send([7], with: [pipe.far.number, null.number, null.number], to: pair.far.number) == .sent)
        let far = pair.far.duplicate()
        defer { close(far) }
        let near = pair.takeNear()
        guard var message = try receive(near.number) else { throw SystemError("receive", errno: EAGAIN) }
        let count = message.descriptorCount
        #expect(count == 3)
        let numbers = message.descriptorNumbers
        #expect(numbers.allSatisfy { fcntl($0, F_GETFD) & FD_CLOEXEC != 0 })
        #expect(status(numbers[0]) == status(pipe.far.number) && status(numbers[1]) == status(null.number))
        do {
            let (first, second) = (number(message.takeDescriptor()), number(message.takeDescriptor()))
            #expect(first == numbers[0] && second == numbers[1])
        }
        #expect(!isOpen(numbers[0]) && !isOpen(numbers[1]) && isOpen(numbers[2]))
        _ = consume message
        #expect(!isOpen(numbers[2]))
    }

    @Test(
        "a side that does not receive makes the other's messages refused, not wait; its end is told after what it said")
    func full() throws {
        let pair = try DescriptorPair.messageSockets()
        let far = Descriptor(owning: pair.far.duplicate())
        let near = pair.takeNear()
        var sent = 0
        while sent < 1_000_000, SocketMessage.send([UInt8](repeating: 1, count: 4000), to: far.number) == .sent {
            sent += 1
        }
        #expect(sent > 0 && sent < 1_000_000)
        #expect(SocketMessage.send([1], with: [far.number], to: far.number) == .full)
        _ = consume far
        var received = 0
        while try receive(near.number) != nil { received += 1 }
        #expect(received == sent)
        guard case .ended = try SocketMessage.receive(from: near.number) else { throw SystemError("end", errno: 0) }
        #expect(SocketMessage.send([1], to: near.number) == .ended)
    }

    @Test("what the other side left unread hides nothing of what it said before its end")
    func unread() throws {
        let pair = try DescriptorPair.messageSockets()
        let far = Descriptor(owning: pair.far.duplicate())
        let near = pair.takeNear()
        #expect(SocketMessage.send([1], to: near.number) == .sent)
        #expect(SocketMessage.send([2], to: far.number) == .sent)
        _ = consume far
        let message = try receive(near.number)?.bytes
        #expect(message == [2])
        guard case .ended = try SocketMessage.receive(from: near.number) else { throw SystemError("end", errno: 0) }
    }

    @Test("a message over the limit is an error, and what came with it is closed")
    func tooLong() throws {
        let pair = try DescriptorPair.messageSockets()
        let far = Descriptor(owning: pair.far.duplicate())
        let near = pair.takeNear()
        let long = [UInt8](repeating: 1, count: SocketMessage.limit + 1)
        #expect(unsafe Glibc.send(far.number, long, long.count, 0) == long.count)
        let error = #expect(throws: SystemError.self) { _ = try receive(near.number) }
        #expect(error?.errno == EMSGSIZE)
    }

    @Test("what is no eventfd, or no such socket, is told")
    func kinds() throws {
        let pair = try DescriptorPair.messageSockets()
        let stream = try DescriptorPair.sockets()
        let pipe = try DescriptorPair.pipe()
        let bell = Descriptor(owning: eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)))
        let waiting = Descriptor(owning: eventfd(0, CInt(EFD_CLOEXEC)))
        #expect(pair.far.isMessageSocket && !stream.far.isMessageSocket && !pipe.far.isMessageSocket)
        let kinds = [bell.isEvent, waiting.isEvent, pipe.far.isEvent, pair.far.isEvent]
        #expect(kinds == [true, false, false, false])
    }
}
