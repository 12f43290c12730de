"""What an operator gets wrong about a TURN server, planted one at a time in coturn's configuration or in its network.

`CAUSES` is the table: the planted cause, the id of the finding that must come first, the exit
status. `with cause.planted() as planted:` gives the server and the words of the command line that meet it.
"""

import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Callable

from labs.natlab import SERVERS, NATLab
from labs.natrules import chain

from fakes.certificates import made
from fakes.coturn import Coturn, PortBlock, long_term_key, rest_credential
from fakes.turnwire import PASSWORD, REALM, USER, Client

SECRET = "canary-secret-81c7e0aa"
OTHER_REALM = "old.example.test"
CANARIES = (PASSWORD, SECRET, "canary-wrong-55d0")
WITH_PASSWORD = ("--user", USER, "--password", PASSWORD)


@dataclass
class Planted:
    server: Coturn
    arguments: list
    # What stands before the command, to run it inside a namespace.
    prefix: list = field(default_factory=list)
    # Sessions of somebody else, that live on.
    wanted: list = field(default_factory=list)


@dataclass(frozen=True)
class Cause:
    words: str
    # The first finding's id; None where nothing is wrong.
    finding: str | None
    status: int
    plant: Callable
    needs_namespace: bool = False
    needs_tls: bool = False

    @contextmanager
    def planted(self):
        with ExitStack() as stack:
            yield self.plant(stack)


CAUSES = {}


def cause(name, words, finding, *, status=1, namespace=False, tls=False):
    def register(plant):
        CAUSES[name] = Cause(words, finding, status, plant, namespace, tls)
        return plant

    return register


def on_loopback(transport="udp", credentials=WITH_PASSWORD, more=(), **options):
    """A server here with these options, asked over this transport."""

    def plant(stack):
        server = stack.enter_context(Coturn(addresses=["127.0.0.1"], **options))
        return Planted(server, [server.uri(transport), *credentials, *more])

    return plant


# Nothing is wrong

TRANSPORTS = ("udp", "tcp", "tls", "dtls")


def works(transport, address):
    def plant(stack):
        secured = transport in ("tls", "dtls")
        server = stack.enter_context(Coturn(certificate=made()["good"].pair if secured else None))
        trust = ["--ca-file", str(made().root)] if secured else []
        return Planted(server, [server.uri(transport, address), *WITH_PASSWORD, *trust])

    return plant


for transport in TRANSPORTS:
    for family, address in ((4, "127.0.0.1"), (6, "::1")):
        cause(
            f"works-{transport}-{family}", f"none: {transport.upper()} over IPv{family}", None, status=0,
            tls=transport in ("tls", "dtls"),
        )(works(transport, address))  # fmt: skip

cause("rest-secret", "none: a REST credential of the shared secret", None, status=0)(
    on_loopback(secret=SECRET, credentials=("--user", USER, "--secret", SECRET))
)
# The data takes three seconds, so that the nonce that is a second old is refused, at the latest to the deletion.
cause("stale-nonce", "none: nonces that live one second", None, status=0)(
    on_loopback(stale_nonce=1, more=("--duration", "1.5"))
)

# Credentials

cause("wrong-password", "another password than the server's", "turn-credentials-refused")(
    on_loopback(credentials=("--user", USER, "--password", CANARIES[2]))
)
cause("unknown-user", "a user whom the server does not know", "turn-credentials-refused")(
    on_loopback(credentials=("--user", "nobody", "--password", PASSWORD))
)
cause("wrong-secret", "another shared secret than the server's", "turn-credentials-refused")(
    on_loopback(secret=SECRET, credentials=("--user", USER, "--secret", CANARIES[2]))
)
cause("no-credentials", "no credentials given", "turn-credentials-needed")(on_loopback(credentials=()))
cause("wrong-realm", "users made for another realm than the server's", "turn-realm-differs")(
    on_loopback(
        users={USER: long_term_key(USER, OTHER_REALM, PASSWORD)}, realm=REALM,
        credentials=(*WITH_PASSWORD, "--realm", OTHER_REALM),
    )
)  # fmt: skip


@cause("expired-credential", "a REST credential that expired ten minutes ago", "turn-credential-expired")
def expired_credential(stack):
    server = stack.enter_context(Coturn(addresses=["127.0.0.1"], secret=SECRET))
    user, password = rest_credential(SECRET, int(time.time()) - 600)
    return Planted(server, [server.uri(), "--user", user, "--password", password])


# Limits and rules


def holding_one(**options):
    """Somebody else has the one allocation there is."""

    def plant(stack):
        server = stack.enter_context(Coturn(addresses=["127.0.0.1"], **options))
        holder = stack.enter_context(Client(("127.0.0.1", server.port), USER, PASSWORD))
        holder.allocate()
        return Planted(server, [server.uri(), *WITH_PASSWORD], wanted=server.sessions_made())

    return plant


cause("user-quota", "the user's quota is reached (user-quota=1)", "turn-quota-reached")(holding_one(user_quota=1))
cause("total-quota", "the server's quota is reached (total-quota=1)", "turn-quota-reached")(holding_one(total_quota=1))
cause("relay-ports-used-up", "no relay port is free (min-port = max-port)", "turn-capacity-reached")(
    holding_one(relay_ports=1)
)
cause("denied-peer", "the peer's address is denied (denied-peer-ip)", "turn-peer-forbidden")(
    on_loopback(denied_peers=["127.0.0.0-127.255.255.255"])
)
# The relay itself does what was asked: what is planted concerns calls in which both sides have a relay alone.
cause("denied-relay", "the relay's own address is denied (denied-peer-ip)", "turn-relay-peer-refused", status=0)(
    on_loopback(relay_addresses=["127.0.0.2"], denied_peers=["127.0.0.2"])
)


@cause("redirect", "two servers send their clients to each other (alternate-server)", "turn-redirected")
def redirected_in_a_circle(stack):
    block = stack.enter_context(closing(PortBlock()))
    servers = []
    for first, other in ((block.first, block.first + 16), (block.first + 16, block.first)):
        servers.append(
            stack.enter_context(
                Coturn(
                    addresses=["127.0.0.1"], alternate_servers=[f"127.0.0.1:{other}"], ports=(first, first + 1),
                    relay_ports=(first + 4, first + 15),
                )
            )
        )  # fmt: skip
    return Planted(servers[0], [servers[0].uri(), *WITH_PASSWORD])


# Networks: client, router and server in namespaces, at addresses that look public

RELAY_PORTS = (50000, 50200)


def across(label="no-nat", transport="udp", rules=(), more=(), output=(), **options):
    """`rules` and `output` are those of the server's own firewall, for what comes and what goes."""

    def plant(stack):
        lab = stack.enter_context(NATLab(label))
        secured = transport in ("tls", "dtls")
        server = stack.enter_context(
            Coturn(
                addresses=[SERVERS[4][0]], prefix=["ip", *lab.server.prefix()], loopback_peers=False,
                ports=(3478, 5349), relay_ports=RELAY_PORTS,
                certificate=made()["good"].pair if secured else None, **options,
            )
        )  # fmt: skip
        if rules:
            lab.server.nft(chain("input", rules))
        if output:
            lab.server.nft(chain("output", output))
        trust = ["--ca-file", str(made().root)] if secured else []
        arguments = [server.uri(transport), *WITH_PASSWORD, *trust, *more]
        return Planted(server, arguments, prefix=lab.client.prefix())

    return plant


BLOCKED = [f"iifname eth0 udp dport {RELAY_PORTS[0]}-{RELAY_PORTS[1]} drop"]

for label, words in (("no-nat", "from a public address"), ("masquerade", "from behind a NAT")):
    cause(f"across-{label}", f"none: {words}", None, status=0, namespace=True)(across(label))
    cause(
        f"relay-ports-blocked-{label}", f"the relay's ports are closed at the server, {words}",
        "turn-relay-ports-blocked", namespace=True,
    )(across(label, rules=BLOCKED))  # fmt: skip
    # An address of the server's network that nobody has: public, and not the server's.
    cause(
        f"wrong-external-ip-{label}", f"external-ip names another address, {words}", "turn-external-ip-wrong",
        namespace=True,
    )(across(label, external_ip="11.0.0.99"))  # fmt: skip
cause(
    "hairpin-dropped", "a firewall drops what the server's relays send to each other", "turn-relay-hairpin-fails",
    status=0, namespace=True,
)(across(rules=[f"iifname lo udp dport {RELAY_PORTS[0]}-{RELAY_PORTS[1]} drop"]))  # fmt: skip
cause("private-external-ip", "external-ip names a private address", "turn-relayed-address-unusable", namespace=True)(
    across(external_ip="10.0.0.5")
)
cause("loss-20", "none: UDP with 20 % lost each way", None, status=0, namespace=True)(
    across("loss-20", more=("--timeout", "15"))
)
cause("dtls-loss-20", "none: DTLS with 20 % lost each way", None, status=0, namespace=True, tls=True)(
    across("loss-20", "dtls", more=("--timeout", "20"))
)

# Certificates

# Fragments of coturn's flight are 248 bytes, its HelloVerifyRequest is 48.
cause(
    "dtls-path-mtu", "larger datagrams of the DTLS server are dropped on the way", "dtls-flight-lost", namespace=True,
    tls=True,
)(across(transport="dtls", output=["oifname eth0 udp sport 5349 meta length > 200 drop"]))  # fmt: skip


def with_certificate(name, transport, trusted=True):
    def plant(stack):
        server = stack.enter_context(Coturn(addresses=["127.0.0.1"], certificate=made()[name].pair))
        trust = ["--ca-file", str(made().root)] if trusted else []
        return Planted(server, [server.uri(transport), *WITH_PASSWORD, *trust])

    return plant


CERTIFICATES = {
    "expired": "tls-certificate-expired",
    "not-yet-valid": "tls-certificate-not-yet-valid",
    "wrong-name": "tls-name-mismatch",
    "no-ip": "tls-name-mismatch",
    "incomplete-chain": "tls-chain-incomplete",
    "self-signed": "tls-self-signed",
    "unknown-root": "tls-unknown-authority",
}
for transport in ("tls", "dtls"):
    for name, finding in CERTIFICATES.items():
        cause(f"{name}-{transport}", f"the certificate is {name}, over {transport.upper()}", finding, tls=True)(
            with_certificate(name, transport)
        )
