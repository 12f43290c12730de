"""The networks that there are: what each is, and what is true of it in the terms of RFC 4787."""

from dataclasses import dataclass

from labs.natrules import FILTERINGS, MAPPINGS


@dataclass(frozen=True)
class Behaviour:
    """In the terms of RFC 4787, and "none" where nothing is translated or filtered."""

    mapping: str
    filtering: str


OPEN = Behaviour("none", "none")
FIREWALL = Behaviour("none", "address-and-port-dependent")
MASQUERADE = Behaviour("endpoint-independent", "address-and-port-dependent")
RANDOM = Behaviour("address-and-port-dependent", "address-and-port-dependent")


@dataclass(frozen=True)
class Label:
    """One network: what it is, and what is true of it over UDP. `None` for a family that the client does not have."""

    words: str
    ipv4: Behaviour | None
    ipv6: Behaviour | None
    nat: str = "none"  # "none", "table", "masquerade" or "double"
    flags: str = ""
    firewall: bool = False
    udp: str = "passes"  # or "dropped", "rejected"
    loss: int = 0  # percent each way

    def behaviour(self, family):
        return self.ipv4 if family == 4 else self.ipv6

    def translates(self, family):
        return self.nat != "none" and (family == 4 or self.nat != "double")

    @property
    def is_double(self):
        return self.nat == "double"

    @property
    def families(self):
        return [family for family in (4, 6) if self.behaviour(family)]


def _both(words, behaviour, **more):
    return Label(words, behaviour, behaviour, **more)


_SHORT = dict(zip(MAPPINGS, ("ei", "ad", "apd")))

LABELS = {
    "no-nat": _both("public addresses, everything passes", OPEN),
    "firewall": _both("public addresses, a stateful firewall", FIREWALL, firewall=True),
    **{
        f"nat-{_SHORT[mapping]}m-{_SHORT[filtering]}f": _both(
            f"{mapping} mapping, {filtering} filtering", Behaviour(mapping, filtering), nat="table"
        )
        for mapping in MAPPINGS
        for filtering in FILTERINGS
    },
    "masquerade": _both("masquerade as most home routers do it", MASQUERADE, nat="masquerade"),
    # Either flag makes the kernel choose a port for each flow, without a look at the mappings that the socket has.
    "masquerade-random": _both("masquerade random", RANDOM, nat="masquerade", flags="random"),
    "masquerade-fully-random": _both("masquerade fully-random", RANDOM, nat="masquerade", flags="fully-random"),
    "double-nat": Label(
        "IPv4 behind a home router and a carrier's NAT, IPv6 behind the home router's firewall",
        MASQUERADE,
        FIREWALL,
        nat="double",
    ),
    "udp-dropped": _both("masquerade, and all UDP is dropped", MASQUERADE, nat="masquerade", udp="dropped"),
    "udp-rejected": _both("masquerade, and all UDP is rejected", MASQUERADE, nat="masquerade", udp="rejected"),
    "ipv6-only": Label("a public IPv6 address, no IPv4", None, OPEN),
    "loss-20": _both("masquerade, a fifth lost each way", MASQUERADE, nat="masquerade", loss=20),
}

# Those whose UDP comes through.
PASSING = [name for name, label in LABELS.items() if label.udp == "passes"]
DEPENDENT = ("address-dependent", "address-and-port-dependent")
