import ArgumentParser

/// What is found out about the NAT only where it is asked for.
struct NATArguments: ParsableArguments {
    @Flag(
        help: """
            Find out whether the NAT turns back what is sent to its own outside. Some firewalls take that for an attack.
            """)
    var hairpin = false
}
