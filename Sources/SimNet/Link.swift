/// The way between a host and the next router, the same in both directions.
package struct Link: Hashable, Sendable {
    /// One way.
    package var delay: Duration
    /// Added to the delay of each packet, from zero to this.
    package var jitter: Duration
    /// The chance that a packet is lost, each way.
    package var loss: Double
    /// The chance that a packet comes twice.
    package var duplication: Double
    /// The chance that a packet is held back for another delay, so that later ones pass it.
    package var reordering: Double

    package init(
        delay: Duration = .milliseconds(1), jitter: Duration = .zero, loss: Double = 0, duplication: Double = 0,
        reordering: Double = 0
    ) {
        self.delay = delay
        self.jitter = jitter
        self.loss = loss
        self.duplication = duplication
        self.reordering = reordering
    }

    /// How long one packet takes.
    func passage(_ random: inout SeededGenerator) -> Duration {
        delay + random.duration(upTo: jitter) + (random.happens(reordering) ? delay : .zero)
    }
}
