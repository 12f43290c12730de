"""The nftables rules of the routers of `natlab` and `icelab`: what RFC 4787 calls mapping and filtering, made by a
real kernel.

Conntrack alone is a NAT with address-and-port-dependent filtering, so that is what each starts from:

- Mapping is conntrack's `snat`. It keeps the port where the mapping is endpoint-independent. Where it depends on the
  destination's address, a table gives each port of the clients and each destination an external port of its own; where
  it depends on the destination's port, too, each flow takes the next port of a pool. Both are shuffled, so that no two
  ever meet and nothing can be guessed from one to the next.
- Filtering wider than conntrack's is done before conntrack and without state of it: whoever is in the set of those
  let in has address and port of the datagram rewritten, untracked. So an unsolicited datagram leaves no flow behind
  that would lend its mapping to the client's answer.
"""

from harness.seeds import seeded

MAPPINGS = FILTERINGS = ("endpoint-independent", "address-dependent", "address-and-port-dependent")

# The clients' own ports: few enough for a table of them. Those of two clients of one router must not overlap.
CLIENT_PORTS = range(20000, 22000)
STUN_PORTS = (3478, 3479)
# The external ports of mappings that depend on the destination, and how many of them are used for flows.
POOL, FLOWS = range(22000, 65536), 4096

# Of a mapping that is not used, in seconds, unless a lab wants another.
LIFETIME = 120

KINDS = {4: ("ip", "ipv4_addr"), 6: ("ip6", "ipv6_addr")}


def router(label, *, outside, destinations, lifetime=LIFETIME, families=(4, 6), **more):
    """All rules of a label's router; `outside` and `destinations` are addresses by family, see `translation`."""
    rules = ["flush ruleset\n"]
    for family in families:
        if family not in label.families or not label.translates(family):
            continue
        if label.nat == "table":
            kind = label.behaviour(family)
            rules.append(translation(
                family, kind.mapping, kind.filtering, outside=outside[family], destinations=destinations[family],
                lifetime=lifetime, **more,
            ))  # fmt: skip
        else:
            rules.append(masquerade(family, label.flags))
    if label.firewall:
        rules.append(firewall())
    if label.udp == "dropped":
        rules.append(forward("meta l4proto udp drop"))
    elif label.udp == "rejected":
        rules.append(forward("meta l4proto udp reject with icmpx type admin-prohibited"))
    if label.loss:
        rules.append(forward(f"meta l4proto {{ tcp, udp }} numgen random mod 100 < {label.loss} drop"))
    return "\n".join(rules)


def home():
    """The rules of the router in front of a carrier's NAT."""
    return "flush ruleset\n" + masquerade(4) + firewall()


def translation(
    family, mapping, filtering, *, outside, destinations, lifetime, client_ports=CLIENT_PORTS, seed=1
):  # fmt: skip
    """A NAT with this behaviour: the rules of one table. Addresses as text, the lifetime in seconds.

    `destinations` are the addresses that an address-dependent mapping knows apart: all that anyone sends to.
    """
    ip, address = KINDS[family]
    timed = f"size 65535; flags dynamic,timeout; timeout {lifetime}s;"
    # Everything let in is looked up by the external port that it came to: a filter belongs to its mapping.
    admitted = {
        "endpoint-independent": "",
        "address-dependent": f"udp dport . {ip} saddr @contacted",
        "address-and-port-dependent": None,
    }[filtering]
    admit = "" if admitted is None else (
        f"{admitted} {ip} daddr set udp dport map @hosts udp dport set udp dport map @inbound notrack accept"
    )
    ports, source = _source(family, mapping, outside, destinations, client_ports, seeded(seed))
    return f"""
table {ip} lab {{
    {ports}
    map hosts {{ type inet_service : {address}; {timed} }}
    map inbound {{ type inet_service : inet_service; {timed} }}
    set contacted {{ type inet_service . {address}; {timed} }}
    set flows {{ type inet_service . {address} . inet_service; {timed} }}
    chain source {{ type nat hook postrouting priority srcnat;
        oifname != outside return
        {source}
        masquerade
    }}
    chain learn {{ type filter hook postrouting priority srcnat + 10;
        oifname != outside return
        meta l4proto != udp return
        update @hosts {{ udp sport : ct original {ip} saddr }}
        update @inbound {{ udp sport : ct original proto-src }}
        update @contacted {{ udp sport . {ip} daddr }}
        update @flows {{ udp sport . {ip} daddr . udp dport }}
    }}
    chain admit {{ type filter hook prerouting priority raw;
        iifname != outside return
        meta l4proto != udp return
        udp dport . {ip} saddr . udp sport @flows return
        {admit}
    }}
}}
{closed()}"""


def _source(family, mapping, outside, destinations, client_ports, shuffled):
    """The table of external ports, if the mapping needs one, and the rule that chooses one."""
    ip, address = KINDS[family]
    target = f"meta l4proto {{ tcp, udp }} snat to {f'[{outside}]' if family == 6 else outside}"
    if mapping == "endpoint-independent":
        return "", target
    if mapping == "address-and-port-dependent":
        elements = ", ".join(f"{place} : {port}" for place, port in enumerate(shuffled.sample(POOL, FLOWS)))
        return "", f"{target}:numgen inc mod {FLOWS} map {{ {elements} }}"
    own = [f"{destination} . {port}" for destination in destinations for port in client_ports]
    elements = ", ".join(f"{one} : {port}" for one, port in zip(own, shuffled.sample(POOL, len(own))))
    table = f"map ports {{ type {address} . inet_service : inet_service; elements = {{ {elements} }}\n}}"
    return table, f"{target}:{ip} daddr . th sport map @ports"


def masquerade(family, flags=""):
    """What most home routers do, with the kernel's own choice of ports."""
    ip, _ = KINDS[family]
    hook = "type nat hook postrouting priority srcnat;"
    return f"table {ip} lab {{ chain source {{ {hook} oifname outside masquerade {flags}\n}}\n}}\n{closed()}"


def closed():
    """The router answers nothing from outside. An answer, even a refusal, would leave a flow in conntrack that takes
    the client's port from it when it sends to the same endpoint."""
    return """
table inet closed {
    chain input { type filter hook input priority filter;
        iifname outside meta l4proto { tcp, udp } ct state new drop
    }
}
"""


def firewall():
    """Stateful: what the inside began comes back, and nothing else comes in. No address is changed."""
    return forward("iifname outside ct state new drop")


def chain(hook, rules):
    """A chain of a test's own, beside those of the lab."""
    body = "\n".join(rules)
    return f"table inet test {{ chain {hook} {{ type filter hook {hook} priority 0; policy accept;\n{body}\n}}\n}}\n"


def forward(*rules):
    body = "\n".join(rules)
    return f"table inet lab {{ chain forward {{ type filter hook forward priority filter;\n{body}\n}}\n}}\n"
