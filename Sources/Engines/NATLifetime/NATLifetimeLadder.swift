/// The idle times that a search tries.
package enum NATLifetimeLadder {
    /// Longer than the five minutes that RFC 4787 REQ-5 recommends.
    package static let longest = Duration.seconds(360)
    /// What a run needs beside the longest idle time: the first answers, the openings and the last verdict, on a path
    /// that is slow and loses much.
    package static let margin = Duration.seconds(12)

    /// The same of a run that has a deadline: where that is near, less than half of the time goes to it.
    package static func margin(within timeout: Duration) -> Duration { min(margin, max(.seconds(2), timeout / 4)) }

    /// The part of an idle time that the next is longer by, and a second at least.
    package static let precisionPercent: Int64 = 5

    /// Whole seconds from 1 on, each the precision longer than the one before, up to `most`: 90 for 360 s.
    package static func idleTimes(upTo most: Duration) -> [Duration] {
        let end = min(most, longest).components.seconds
        guard end >= 1 else { return [] }
        var seconds: Int64 = 1
        var times = [seconds]
        while seconds < end {
            seconds = min(end, seconds + max(1, seconds * precisionPercent / 100))
            times.append(seconds)
        }
        return times.map { .seconds($0) }
    }
}
