import CSystem
import Glibc
import NetTypes

/// What a channel of bytes leads to: another program, or a person.
package enum ChannelEnds: Hashable, Sendable {
    /// Standard input and output.
    case standardStreams
    /// The standard streams of `sh -c` with this command.
    case command(String)
    /// Files or FIFOs. The one that is received from may appear later, and is read again whenever it changes.
    case files(send: String, receive: String)

    /// Whether both ends are there at the same time: the end of the one is seen by the other.
    package var isLive: Bool { if case .files = self { false } else { true } }
}

/// A channel of bytes with what waits to be sent.
final class Channel {
    let path: PathID
    let ends: ChannelEnds
    /// -1 where there is none, or it is closed.
    private(set) var input: Int32 = -1
    private(set) var output: Int32 = -1
    var inputToken: UInt64?
    var outputToken: UInt64?
    var unsent: [UInt8] = []
    /// Whether standard input is a terminal, which gives what is typed at once.
    private var isTerminal = false
    private var child: Child?
    private var file = ReceivedFile()
    private var hasWrittenFile = false
    private var isEnded = false

    private struct Child {
        var process: Int32
        var isGroup: Bool
        var status: Int32?
    }

    private struct ReceivedFile {
        var seen = csys_file()
        var hasBytes = false
    }

    /// More than this of one file is no signaling.
    static let mostOfAFile = 1 << 20
    /// As much as a pipe takes without waiting once it says that it takes anything (PIPE_BUF).
    private static let mostAtOnce = 4096

    init(path: PathID, _ ends: ChannelEnds) throws(SystemError) {
        self.path = path
        self.ends = ends
        switch ends {
        case .standardStreams:
            input = 0
            output = 1
            isTerminal = csys_is_terminal(0)
            if isTerminal { _ = csys_terminal_take_long_lines(0) }
        case .command(let command):
            var started = csys_child()
            let sharesTerminal = csys_is_terminal(0)
            _ = try SystemError.check(csys_start_shell(command, sharesTerminal ? 1 : 0, &started), "start sh")
            child = Child(process: started.process, isGroup: !sharesTerminal)
            input = started.output
            output = started.input
        case .files(let send, _):
            // What an earlier run has left there is not this one's.
            var state = csys_file()
            if csys_file_state(send, &state) == 0, state.is_fifo == 0 { _ = csys_remove_file(send) }
        }
    }

    // MARK: Reading

    /// What has come, and whether it has ended.
    func read(into buffer: ReceiveBuffer) -> [StreamEvent.Kind] {
        guard input >= 0, !isEnded else { return [] }
        let count = csys_read_file(input, buffer.bytes.baseAddress, buffer.bytes.count)
        if count == -Int64(EAGAIN) { return [] }
        // A terminal that is gone gives EIO.
        guard count > 0 else { return end() }
        let bytes = buffer.prefix(Int(count))
        // Without canonical mode the end of transmission (Ctrl-D) is a byte like others.
        guard isTerminal, let place = bytes.firstIndex(of: 0x04) else { return [.bytes(bytes)] }
        return [.bytes(Array(bytes[..<place]))] + end()
    }

    private func end() -> [StreamEvent.Kind] {
        isEnded = true
        return [.ended]
    }

    /// Looks at the file or FIFO to receive from.
    func look(into buffer: ReceiveBuffer) throws(SystemError) -> [StreamEvent.Kind] {
        guard case .files(_, let name) = ends else { return [] }
        var state = csys_file()
        let result = csys_file_state(name, &state)
        if result == -ENOENT { return [] }
        _ = try SystemError.check(result, "read the file to receive from")
        if state.is_directory != 0 { throw SystemError("read the file to receive from", errno: EISDIR) }
        return state.is_fifo != 0 ? try readFIFO(name, buffer) : try readFile(name, state)
    }

    private func readFIFO(_ name: String, _ buffer: ReceiveBuffer) throws(SystemError) -> [StreamEvent.Kind] {
        if input < 0 { input = try SystemError.check(csys_open_fifo(name, 0), "open the FIFO to receive from") }
        var kinds: [StreamEvent.Kind] = []
        for _ in 0..<16 {
            let count = csys_read_file(input, buffer.bytes.baseAddress, buffer.bytes.count)
            if count > 0 {
                kinds.append(.bytes(buffer.prefix(Int(count))))
                file.hasBytes = true
            } else {
                // Nobody writes, which is an end where somebody has.
                if count == 0, file.hasBytes { kinds.append(.ended) }
                if count == 0 { file.hasBytes = false }
                break
            }
        }
        return kinds
    }

    private func readFile(_ name: String, _ state: csys_file) throws(SystemError) -> [StreamEvent.Kind] {
        let seen = file.seen
        let isSeen =
            state.inode == seen.inode && state.device == seen.device && state.size == seen.size
            && state.modified == seen.modified
        guard !isSeen, state.size > 0 else { return [] }
        file.seen = state
        do {
            return [.bytes(try InputFile.read(name, limit: Self.mostOfAFile)), .ended]
        } catch {
            guard case .failed(let reason) = error else {
                throw SystemError("read the file to receive from", errno: EFBIG)
            }
            throw reason
        }
    }

    // MARK: Writing

    /// Sends what waits, as far as it is taken at once.
    func flush() throws(SystemError) {
        if case .files(let name, _) = ends { return try flushFile(name) }
        while !unsent.isEmpty, output >= 0, csys_can_write(output) != 0 {
            try writeSome()
        }
    }

    private func writeSome() throws(SystemError) {
        let count = unsent.prefix(Self.mostAtOnce).withUnsafeBytes {
            csys_write_some(output, $0.baseAddress, $0.count)
        }
        if count == -Int64(EAGAIN) { return }
        unsent.removeFirst(Int(try SystemError.check(count, "write to the other side")))
    }

    private func flushFile(_ name: String) throws(SystemError) {
        guard !unsent.isEmpty else { return }
        var state = csys_file()
        if csys_file_state(name, &state) == 0, state.is_fifo != 0 { return try flushFIFO(name) }
        let interim = "\(name).\(getpid()).part"
        do {
            let file = try Descriptor(csys_create_private_file(interim), "create '\(interim)'")
            let result = unsent.withUnsafeBytes { csys_write_all(file.number, $0.baseAddress, $0.count) }
            _ = try SystemError.check(result, "write '\(interim)'")
        } catch {
            _ = csys_remove_file(interim)
            throw error
        }
        _ = try SystemError.check(csys_rename(interim, name), "rename '\(interim)' to '\(name)'")
        hasWrittenFile = true
        unsent = []
    }

    private func flushFIFO(_ name: String) throws(SystemError) {
        if output < 0 {
            let opened = csys_open_fifo(name, 1)
            // Nobody reads yet.
            if opened == -ENXIO { return }
            output = try SystemError.check(opened, "open the FIFO to send to")
        }
        for _ in 0..<64 where !unsent.isEmpty {
            let before = unsent.count
            try writeSome()
            if unsent.count == before { return }
        }
        // Its reader sees the end of what there is to say.
        if unsent.isEmpty { closeOutput() }
    }

    // MARK: The end

    /// Closes what this side writes to: the other side sees the end.
    func closeOutput() {
        if output > 2 { csys_close(output) }
        output = -1
    }

    func closeInput() {
        if input > 2 { csys_close(input) }
        input = -1
    }

    /// Closes everything, and waits for a command to end, which is made to after `grace`.
    ///
    /// - Returns: the command's exit status, 128 + N after signal N.
    @discardableResult
    func end(grace: Duration) -> Int32? {
        closeOutput()
        closeInput()
        if isTerminal { csys_terminal_restore() }
        if hasWrittenFile, case .files(let send, _) = ends { _ = csys_remove_file(send) }
        hasWrittenFile = false
        guard var ending = child else { return nil }
        if let status = ending.status { return status }
        var status: Int32 = 0
        let group: Int32 = ending.isGroup ? 1 : 0
        let patience = Int32(clamping: grace.nanoseconds / 1_000_000)
        if csys_child_wait(ending.process, patience, &status) == 0 {
            csys_child_signal(ending.process, SIGTERM, group)
            if csys_child_wait(ending.process, 150, &status) == 0 {
                csys_child_signal(ending.process, SIGKILL, group)
                _ = csys_child_wait(ending.process, 100, &status)
            }
        }
        ending.status = status
        child = ending
        return status
    }
}
