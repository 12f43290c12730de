"""`--hairpin` behind routers of the kernel's, which turn nothing back unless they are told to."""

import json

import pytest
from labs.asking import ask, uri
from labs.natlab import ROUTER, NATLab
from labs.natrules import CLIENT_PORTS


def turns_back(lab):
    """Makes the lab's masquerading router send to its client what the client sends to the router's outside."""
    client, outside = lab.client_address(4), ROUTER[4]
    lab.router.nft(f"""
table ip hairpin {{
    chain in {{ type nat hook prerouting priority dstnat;
        iifname inside ip daddr {outside} udp dport {CLIENT_PORTS.start}-{CLIENT_PORTS.stop - 1} dnat to {client}
    }}
    chain out {{ type nat hook postrouting priority srcnat;
        oifname inside ip saddr {client} snat to {outside}
    }}
}}
""")


@pytest.mark.parametrize("command", ["nat", "check"])
@pytest.mark.parametrize("value", ["none", "external-source"])
def test_the_verdict_is_right(permitted, binary, command, value):
    with NATLab("masquerade") as lab:
        lab.start_coturn()
        if value != "none":
            turns_back(lab)
        outcome = ask(binary, lab, uri(lab, 4), "--hairpin", "--format", "json", command=command)
        nat = json.loads(outcome.text)["nat"][0]
        assert nat["hairpin"]["value"] == value, nat
        assert (nat["hairpin"]["confidence"] == 1) == (value != "none")
        assert nat["durationMs"] < 500 + outcome.stalled * 1000


def test_it_is_not_asked_unless_it_is_wanted(permitted, binary):
    with NATLab("masquerade") as lab:
        lab.start_coturn()
        nat = json.loads(ask(binary, lab, uri(lab, 4), "--format", "json").text)["nat"][0]
        assert nat["hairpin"] == {"value": "unknown", "confidence": 0, "reason": "not asked; --hairpin asks"}
        # coturn sends both attributes, and this router changes neither.
        assert nat["alg"] == {"value": False, "confidence": 1}
