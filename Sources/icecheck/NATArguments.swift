import ArgumentParser

/// What is found out about the NAT only where it is asked for.
struct NATArguments: ParsableArguments {
    @Flag(help: "Test hairpinning. Some firewalls treat the test as an attack.")
    var hairpin = false
}
