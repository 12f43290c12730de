import CSystem
import Glibc
package import NetTypes

/// Channels of bytes that are no connections: standard streams, a command's, files and FIFOs.
extension Driver {
    private static var lookInterval: Duration { .milliseconds(100) }

    /// Opens a channel under a number of the caller's choice, which no engine gives to a path of its own. What comes is
    /// told as ``StreamEvent``, and ``Output/write(_:_:)`` to it sends.
    ///
    /// A file's end is told each time that it was read, and it is read again when it has changed.
    package func adopt(_ path: PathID, _ ends: ChannelEnds) throws(SystemError) {
        let channel = try Channel(path: path, ends)
        channels[path] = channel
        guard channel.input >= 0 else {
            nextChannelLook = MonotonicClock.now
            return
        }
        let token = makeToken(for: .channelInput(path))
        do {
            try readiness.add(channel.input, token: token, .readable)
            channel.inputToken = token
        } catch {
            sources[token] = nil
            guard error.errno == EPERM else { throw error }
            // A regular file cannot be waited for, and has what it has.
            readWhole(channel)
        }
    }

    /// Closes a channel; a command has `grace` to end by itself.
    ///
    /// - Returns: its exit status, 128 + N after signal N; nil where it is no command.
    package func end(_ path: PathID, grace: Duration) -> Int32? {
        guard let channel = channels[path] else { return nil }
        closeChannel(path)
        return channel.end(grace: grace)
    }

    func readChannel(_ path: PathID) {
        guard let channel = channels[path] else { return }
        let kinds = channel.read(into: buffer)
        tell(kinds, of: channel)
        if kinds.contains(where: \.isEnd) { stopReading(channel) }
    }

    func flushChannel(_ path: PathID) {
        guard let channel = channels[path] else { return }
        do throws(SystemError) {
            try channel.flush()
        } catch {
            channel.unsent = []
            stopWriting(channel)
            return fail(channel, error)
        }
        if case .files = channel.ends {
            if !channel.unsent.isEmpty { nextChannelLook = MonotonicClock.now + Self.lookInterval }
            return
        }
        if channel.unsent.isEmpty {
            stopWriting(channel)
        } else if channel.outputToken == nil, channel.output >= 0 {
            let token = makeToken(for: .channelOutput(path))
            if (try? readiness.add(channel.output, token: token, .writable)) != nil {
                channel.outputToken = token
            } else {
                sources[token] = nil
            }
        }
    }

    /// Looks at the files that cannot be waited for, where it is time.
    func lookAtChannels() {
        guard let due = nextChannelLook, due <= MonotonicClock.now else { return }
        nextChannelLook = nil
        for channel in channels.values {
            guard case .files = channel.ends else { continue }
            nextChannelLook = MonotonicClock.now + Self.lookInterval
            flushChannel(channel.path)
            do throws(SystemError) {
                tell(try channel.look(into: buffer), of: channel)
            } catch {
                nextChannelLook = nil
                fail(channel, error)
            }
        }
    }

    func closeChannel(_ path: PathID) {
        guard let channel = channels[path] else { return }
        try? channel.flush()
        stopReading(channel)
        stopWriting(channel)
        channel.closeOutput()
        channel.closeInput()
        if case .files = channel.ends { nextChannelLook = nil }
    }

    // MARK: Parts

    private func readWhole(_ channel: Channel) {
        var count = 0
        while count < Channel.mostOfAFile {
            let kinds = channel.read(into: buffer)
            tell(kinds, of: channel)
            if kinds.isEmpty || kinds.contains(where: \.isEnd) { return }
            for case .bytes(let bytes) in kinds { count += bytes.count }
        }
    }

    private func tell(_ kinds: [StreamEvent.Kind], of channel: Channel) {
        for kind in kinds {
            pending.append(.stream(StreamEvent(path: channel.path, kind: kind, at: MonotonicClock.now)))
        }
    }

    private func fail(_ channel: Channel, _ error: SystemError) {
        pending.append(
            .pathError(
                PathError(
                    path: channel.path, kind: .system(errno: error.errno), origin: .local, errno: error.errno,
                    isFatal: true)))
    }

    private func stopReading(_ channel: Channel) {
        guard let token = channel.inputToken else { return }
        channel.inputToken = nil
        sources[token] = nil
        readiness.remove(channel.input)
    }

    private func stopWriting(_ channel: Channel) {
        guard let token = channel.outputToken else { return }
        channel.outputToken = nil
        sources[token] = nil
        readiness.remove(channel.output)
    }
}

extension StreamEvent.Kind {
    fileprivate var isEnd: Bool { if case .ended = self { true } else { false } }
}
