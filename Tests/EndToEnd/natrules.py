"""The nftables rules of the routers of `natlab`: what RFC 4787 calls mapping and filtering, made by a real kernel.

Conntrack alone is a NAT with address-and-port-dependent filtering, so that is what each starts from:

- Mapping is conntrack's `snat`. It keeps the port where the mapping is endpoint-independent. Where it depends on the
  destination, a table gives each port of the client and each destination an external port of its own, drawn from a
  shuffled pool, so that no two ever meet and nothing can be guessed from one to the next. What is not in the table
  (another port of the client, a relayed address) gets a port of the ranges above `FALLBACK`, which are the
  destination's own, or drawn at random for each flow.
- Filtering wider than conntrack's is done before conntrack and without state of it: whoever is in the set of those
  let in has address and port of the datagram rewritten, untracked. So an unsolicited datagram leaves no flow behind
  that would lend its mapping to the client's answer.
"""

import random

MAPPINGS = FILTERINGS = ("endpoint-independent", "address-dependent", "address-and-port-dependent")

# The client's own ports: few enough for a table of them.
CLIENT_PORTS = range(20000, 22000)
STUN_PORTS = (3478, 3479)
POOL = range(22000, 60000)
FALLBACK = 60000

KINDS = {4: ("ip", "ipv4_addr"), 6: ("ip6", "ipv6_addr")}


def translation(family, mapping, filtering, *, inside, outside, servers, lifetime, seed=1):
    """A NAT with this behaviour for one client: the rules of one table. Addresses as text, the lifetime in seconds."""
    ip, address = KINDS[family]
    timed = f"size 65535; flags dynamic,timeout; timeout {lifetime}s;"
    # Everything let in is looked up by the external port that it came to: a filter belongs to its mapping.
    admitted = {
        "endpoint-independent": "",
        "address-dependent": f"udp dport . {ip} saddr @contacted",
        "address-and-port-dependent": None,
    }[filtering]
    admit = "" if admitted is None else (
        f"{admitted} udp dport set udp dport map @inbound {ip} daddr set {inside} notrack accept"
    )
    ports, source = _source(family, mapping, outside, servers, seed)
    return f"""
table {ip} lab {{
    {ports}
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


def _source(family, mapping, outside, servers, seed):
    """The table of external ports, if the mapping needs one, and the rules that use it."""
    ip, address = KINDS[family]
    transports = "meta l4proto { tcp, udp }"
    target = f"snat to [{outside}]" if family == 6 else f"snat to {outside}"
    if mapping == "endpoint-independent":
        return "", f"{transports} {target}"
    if mapping == "address-dependent":
        destinations = list(servers)
        key, kind = f"{ip} daddr . th sport", f"{address} . inet_service"
        width = (65536 - FALLBACK) // len(servers)
        fallback = "\n".join(
            f"{ip} daddr {server} {transports} {target}:{FALLBACK + n * width}-{FALLBACK + (n + 1) * width - 1}"
            for n, server in enumerate(servers)
        )
    else:
        destinations = [f"{server} . {port}" for server in servers for port in STUN_PORTS]
        key, kind = f"{ip} daddr . th dport . th sport", f"{address} . inet_service . inet_service"
        fallback = f"{transports} {target}:{FALLBACK}-65535 fully-random"
    own = [f"{destination} . {port}" for destination in destinations for port in CLIENT_PORTS]
    external = random.Random(seed).sample(POOL, len(own))
    elements = ", ".join(f"{one} : {port}" for one, port in zip(own, external))
    table = f"map ports {{ type {kind} : inet_service; elements = {{ {elements} }}\n}}"
    return table, f"{transports} {target}:{key} map @ports\n{fallback}"


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


def forward(*rules):
    body = "\n".join(rules)
    return f"table inet lab {{ chain forward {{ type filter hook forward priority filter;\n{body}\n}}\n}}\n"
