"""The ways in which `hostile_turn` is wrong, but for those of streams: each breaks one thing of `Honest`."""

import struct

from harness.addresses import STRANGER

from fakes.hostile_datagrams import HOSTILE_TEXT, flipped
from fakes.stunwire import address_value, attribute, message, xor_address_value
from fakes.turnserver import Honest, channel_data, data_indication
from fakes.turnwire import (
    ALLOCATE,
    ALTERNATE_DOMAIN,
    ALTERNATE_SERVER,
    CHANNEL_BIND,
    CREATE_PERMISSION,
    ERROR,
    MD5,
    NONCE_VALUE,
    PASSWORD_ALGORITHMS,
    REALM_VALUE,
    REFRESH,
    SHA256,
    SUCCESS,
    UNKNOWN_ATTRIBUTES,
    XOR_RELAYED_ADDRESS,
    algorithms,
    key_of,
    method_of,
    nonce_cookie,
    signed,
)  # fmt: skip

BOTH, UDP, TCP = ("udp", "tcp"), ("udp",), ("tcp",)
# Bits of the nonce's cookie.
HAS_ALGORITHMS, HAS_USERHASH = 1, 2
# A number that IANA has not given away.
UNKNOWN_ALGORITHM = 0x7FFE

SCENARIOS, FINDINGS, TRANSPORTS, PUBLIC, MADE = {}, {}, {}, {}, {}


def scenario(row, name, kind=None, code=None, finding=None, transports=BOTH, public=None):
    """Registers a class, or what a function of no arguments gives."""

    def register(made):
        assert name not in SCENARIOS, name
        SCENARIOS[name], TRANSPORTS[name], MADE[name] = (row, kind, code), transports, made
        if finding:
            FINDINGS[name] = finding
        if public:
            PUBLIC[name] = public
        return made

    return register


def honest(**overridden):
    """An honest server but for these attributes and methods."""
    return type("Scenario", (Honest,), overridden)


scenario("T00", "good")(Honest)

# A: authentication


@scenario("A01", "401-for-ever", "credentials-refused", finding="turn-credentials-refused")
class RefusesAll(Honest):
    def is_authentic(self, *_):
        return False


class StaleForEver(Honest):
    signs = True

    def fresh(self, flow):
        self.nonce = b"nonce-%d" % len(flow.asked)

    def answer(self, flow, request, data, was_signed):
        if not was_signed:
            return self.challenge(flow, request)
        self.fresh(flow)
        return self.error(flow, request, 438, *self.challenge_attributes(flow), sign=self.signs)


scenario("A02", "438-for-ever", "nonce-never-accepted", finding="turn-nonce-never-accepted")(StaleForEver)
scenario("A07", "unsigned-438-for-ever", "nonce-never-accepted", finding="turn-nonce-never-accepted")(
    type("Scenario", (StaleForEver,), {"signs": False})
)


@scenario("A02", "438-to-the-unsigned-too", "nonce-never-accepted", finding="turn-nonce-never-accepted")
class StaleFromTheStart(StaleForEver):
    def answer(self, flow, request, data, was_signed):
        self.fresh(flow)
        return self.error(flow, request, 438, *self.challenge_attributes(flow), sign=False)


@scenario("A02", "438-once")
class StaleOnce(Honest):
    def answer(self, flow, request, data, was_signed):
        if was_signed and flow.count(ALLOCATE, was_signed=True) == 1 and method_of(request.kind) == ALLOCATE:
            self.nonce = b"a newer nonce"
            return self.error(flow, request, 438, *self.challenge_attributes(flow), sign=False)
        return super().answer(flow, request, data, was_signed)


@scenario("A03", "realm-changes-each-time", "realm-keeps-changing")
class ChangesRealm(Honest):
    def answer(self, flow, request, data, was_signed):
        self.realm = b"realm-%d.example.test" % len(flow.asked)
        return self.challenge(flow, request)


@scenario("A03", "realm-changes-once")
class ChangesRealmOnce(Honest):
    realm = b"first.example.test"

    def refuse_credentials(self, flow, request):
        self.realm = b"second.example.test"
        return self.challenge(flow, request)

    def answer(self, flow, request, data, was_signed):
        if was_signed and self.realm == b"first.example.test":
            return self.refuse_credentials(flow, request)
        return super().answer(flow, request, data, was_signed)


def challenges_with(realm, nonce):
    parts = [(REALM_VALUE, realm), (NONCE_VALUE, nonce)]
    given = [attribute(number, value) for number, value in parts if value is not None]
    return honest(challenge_attributes=lambda self, flow: given)


GOOD_REALM, GOOD_NONCE = Honest.realm, Honest.nonce
for row, name, realm, nonce in (
    ("A04", "401-without-realm", None, GOOD_NONCE),
    ("A04", "401-without-nonce", GOOD_REALM, None),
    ("A04", "401-with-neither", None, None),
    ("A04", "401-empty-nonce", GOOD_REALM, b""),
    ("A04", "401-empty-realm", b"", GOOD_NONCE),
    ("A05", "huge-realm", b"r" * 40_000, GOOD_NONCE),
    ("A05", "huge-nonce", GOOD_REALM, b"n" * 40_000),
    ("A05", "realm-of-764-bytes", b"r" * 764, GOOD_NONCE),
    ("A05", "nonce-of-764-bytes", GOOD_REALM, b"n" * 764),
):
    scenario(row, name, "broken-challenge", finding="turn-challenge-broken")(challenges_with(realm, nonce))
scenario("A05", "nonce-of-763-bytes")(honest(nonce=b"n" * 763))


# A06: the client waits to its deadline for a true one.
@scenario("A06", "success-unsigned", "not-authenticated", finding="turn-answer-not-authenticated")
class UnsignedSuccess(Honest):
    def sign(self, flow, plain):
        return plain


@scenario("A06", "success-wrongly-signed", "not-authenticated", finding="turn-answer-not-authenticated")
class WronglySigned(Honest):
    def sign(self, flow, plain):
        right = super().sign(flow, plain)
        return right[:-1] + bytes([right[-1] ^ 1])


@scenario("A06", "success-signed-with-another-key", "not-authenticated", finding="turn-answer-not-authenticated")
class SignedByAnother(Honest):
    def sign(self, flow, plain):
        return signed(plain, key_of("mallory", self.realm, "guess"))


@scenario("A06", "permission-unsigned", "not-authenticated", finding="turn-answer-not-authenticated")
class UnsignedPermission(Honest):
    """Only the allocation is signed: the success of a permission says nothing either, without integrity."""

    def sign(self, flow, plain):
        kind = struct.unpack("!H", plain[:2])[0]
        return plain if method_of(kind) in (CREATE_PERMISSION, CHANNEL_BIND) else super().sign(flow, plain)


def answers_signed_allocate_with(code, sign):
    def allocate(self, flow, request):
        return self.error(flow, request, code, *errors_own(code), sign=sign)

    return honest(allocate=allocate)


def errors_own(code):
    return [attribute(UNKNOWN_ATTRIBUTES, struct.pack("!HH", 0x0017, 0x0018))] if code == 420 else []


for code in (400, 437, 441):
    scenario("A07", f"unsigned-{code}", "error-response", code)(answers_signed_allocate_with(code, False))


@scenario("A07", "forged-400-before-the-success", transports=UDP)
class ForgedError(Honest):
    """Somebody on the way answers first, and cannot sign."""

    def allocate(self, flow, request):
        return [self.error(flow, request, 400, sign=False), *self.as_list(super().allocate(flow, request))]


# A08, A09: RFC 8489 s9.2


class Weakens(Honest):
    """Says more of its security at first than later."""

    offered = (MD5, SHA256)
    nonce = nonce_cookie(HAS_ALGORITHMS)

    def allocate(self, flow, request):
        weaker = [attribute(REALM_VALUE, self.realm), attribute(NONCE_VALUE, self.weak_nonce), *self.weak_offer]
        return self.error(flow, request, 438, *weaker, sign=False)


DOWNGRADE = dict(kind="possible-downgrade", finding="turn-possible-downgrade")
ONLY_MD5 = [algorithms(PASSWORD_ALGORITHMS, MD5)]
ALL_ALGORITHMS = [algorithms(PASSWORD_ALGORITHMS, MD5, SHA256)]

scenario("A08", "algorithms-promised-and-missing", **DOWNGRADE)(honest(nonce=nonce_cookie(HAS_ALGORITHMS)))
scenario("A08", "algorithms-weakened-later", **DOWNGRADE)(
    type("Scenario", (Weakens,), {"weak_nonce": nonce_cookie(HAS_ALGORITHMS, b"later"), "weak_offer": ONLY_MD5})
)
scenario("A08", "algorithms-gone-later", **DOWNGRADE)(
    type("Scenario", (Weakens,), {"weak_nonce": b"a nonce without promises", "weak_offer": []})
)
scenario("A08", "userhash-gone-later", **DOWNGRADE)(
    type(
        "Scenario",
        (Weakens,),
        {
            "takes_userhash": True,
            "nonce": nonce_cookie(HAS_ALGORITHMS | HAS_USERHASH),
            "weak_nonce": nonce_cookie(HAS_ALGORITHMS, b"later"),
            "weak_offer": ALL_ALGORITHMS,
        },
    )
)
scenario("A09", "md5-only")(honest(offered=(MD5,), nonce=nonce_cookie(HAS_ALGORITHMS)))
scenario("A09", "sha256-only")(honest(offered=(SHA256,), nonce=nonce_cookie(HAS_ALGORITHMS)))
scenario("A09", "strongest-wanted")(honest(offered=(MD5, SHA256), nonce=nonce_cookie(HAS_ALGORITHMS)))
scenario("A09", "userhash")(
    honest(offered=(MD5, SHA256), nonce=nonce_cookie(HAS_ALGORITHMS | HAS_USERHASH), takes_userhash=True)
)
scenario("A09", "unknown-algorithm", "no-common-algorithm")(
    honest(offered=(UNKNOWN_ALGORITHM,), nonce=nonce_cookie(HAS_ALGORITHMS))
)


@scenario("A13", "old-answers-again")
class Replays(Honest):
    """Before each answer its last one, and each twice."""

    def answer(self, flow, request, data, was_signed):
        new = self.as_list(super().answer(flow, request, data, was_signed))
        old, self.last = getattr(self, "last", []), new
        return [*old, *new, *new]


@scenario("A13", "old-answer-under-a-new-id", "not-authenticated", finding="turn-answer-not-authenticated")
class ReplaysUnderNewID(Honest):
    """What was said to another transaction, signed, with this one's id written over it."""

    def success(self, flow, request, *attributes):
        other = message(method_of(request.kind) | SUCCESS, flipped(request.transaction), *attributes)
        right = self.sign(flow, other)
        return right[:8] + request.transaction + right[20:]


# R: redirects


class Redirects(Honest):
    """Sends on whoever is signed; `target` gives address and port, or None for no ALTERNATE-SERVER."""

    def target(self, flow):
        return None

    def more(self):
        return []

    def allocate(self, flow, request):
        where = self.target(flow)
        named = [] if where is None else [attribute(ALTERNATE_SERVER, address_value(*where))]
        return self.error(flow, request, 300, *named, *self.more())


def redirects(target, **more):
    return type("Scenario", (Redirects,), {"target": lambda self, flow: target, **more})


REDIRECTED = dict(kind="redirected", finding="turn-redirected")


@scenario("R01", "redirect-to-itself", **REDIRECTED)
class ToItself(Redirects):
    def target(self, flow):
        return self.server.places[flow.place]


@scenario("R01", "redirect-in-a-circle", **REDIRECTED)
class InACircle(Redirects):
    places = 2

    def target(self, flow):
        return self.server.places[1 - flow.place]


@scenario("R01", "redirect-chain-of-20", **REDIRECTED)
class Chain(Redirects):
    places = 21

    def allocate(self, flow, request):
        last = flow.place + 1 == self.places
        return Honest.allocate(self, flow, request) if last else super().allocate(flow, request)

    def target(self, flow):
        return self.server.places[flow.place + 1]


@scenario("R04", "redirect-once")
class Once(Chain):
    places = 2


@scenario("R04", "redirect-before-credentials")
class OnceUnsigned(Once):
    """As coturn does: the first server asks for no credentials."""

    def answer(self, flow, request, data, was_signed):
        if flow.place == 0 and method_of(request.kind) == ALLOCATE:
            named = attribute(ALTERNATE_SERVER, address_value(*self.target(flow)))
            return self.error(flow, request, 300, named, sign=False)
        return super().answer(flow, request, data, was_signed)


@scenario("O01", "redirect-with-hostile-domain", **REDIRECTED)
class HostileDomain(ToItself):
    def more(self):
        return [attribute(ALTERNATE_DOMAIN, HOSTILE_TEXT)]


# The first five lead nowhere whoever sends them. The others are no way from a public server to a private place.
for name, target, public in (
    ("redirect-nowhere", None, None),
    ("redirect-to-multicast", ("224.0.0.251", 3478), None),
    ("redirect-to-zero", ("0.0.0.0", 3478), None),
    ("redirect-to-broadcast", ("255.255.255.255", 3478), None),
    ("redirect-to-port-zero", ("127.0.0.1", 0), None),
    ("redirect-to-the-other-family", ("::1", 3478), None),
    ("redirect-to-loopback", ("127.0.0.1", 3478), 4),
    ("redirect-to-link-local", ("169.254.7.7", 3478), 4),
    ("redirect-to-metadata", ("169.254.169.254", 80), 4),
    ("redirect-to-private-10", ("10.0.0.1", 3478), 4),
    ("redirect-to-private-172", ("172.16.0.1", 3478), 4),
    ("redirect-to-private-192", ("192.168.0.1", 3478), 4),
    ("redirect-to-carrier", ("100.64.0.1", 3478), 4),
    ("redirect-to-mapped-loopback", ("::ffff:127.0.0.1", 3478), 4),
    ("redirect-to-mapped-private", ("::ffff:10.0.0.1", 3478), 4),
    ("redirect-to-nat64-loopback", ("64:ff9b::7f00:1", 3478), 6),
    ("redirect-to-6to4-private", ("2002:a00:1::1", 3478), 6),
    ("redirect-to-unspecified-6", ("::", 3478), 6),
):
    scenario("R02", name, public=public, **REDIRECTED)(redirects(target))


# R06: relayed addresses


def relays_at(address):
    return honest(relayed_address=lambda self, flow: address)


class NoRelayedAddress(Honest):
    def allocation(self, flow, request):
        return [self.mapped(flow, request), *self.granted(self.lifetime)]


class ShortRelayedAddress(Honest):
    def allocation(self, flow, request):
        return [attribute(XOR_RELAYED_ADDRESS, b"\0\1"), self.mapped(flow, request), *self.granted(self.lifetime)]


UNUSABLE = dict(kind="unusable-relayed-address", finding="turn-relayed-address-unusable")
scenario("R06", "relayed-missing", **UNUSABLE)(NoRelayedAddress)
scenario("R06", "relayed-short", **UNUSABLE)(ShortRelayedAddress)
scenario("R06", "relayed-zero", **UNUSABLE)(relays_at(("0.0.0.0", 50000)))
scenario("R06", "relayed-all-zero", **UNUSABLE)(relays_at(("0.0.0.0", 0)))
scenario("R06", "relayed-port-zero", **UNUSABLE)(relays_at(("127.0.0.1", 0)))
scenario("R06", "relayed-multicast", **UNUSABLE)(relays_at(("224.0.0.251", 5353)))
scenario("R06", "relayed-private", public=4, **UNUSABLE)(relays_at(("10.0.0.5", 50000)))
scenario("R06", "relayed-loopback", public=4, **UNUSABLE)(relays_at(("127.0.0.1", 50000)))
scenario("R06", "relayed-link-local", public=4, **UNUSABLE)(relays_at(("169.254.1.1", 50000)))

# T: TURN semantics

scenario("T01", "437-for-ever", "error-response", 437)(answers_signed_allocate_with(437, True))


@scenario("T01", "437-once")
class MismatchOnce(Honest):
    """A five-tuple that was in use before: another one is not."""

    def allocate(self, flow, request):
        self.refused = getattr(self, "refused", flow)
        return self.error(flow, request, 437) if self.refused is flow else super().allocate(flow, request)


ERRORS = {
    486: "turn-quota-reached", 508: "turn-capacity-reached", 403: "turn-forbidden", 440: "turn-family-unsupported",
    443: "turn-family-unsupported", 400: None, 420: None, 441: None, 442: None, 446: None, 447: None, 500: None,
}  # fmt: skip
for code, finding in ERRORS.items():
    scenario("T02", f"error-{code}", "error-response", code, finding)(answers_signed_allocate_with(code, True))


def refuses_permission(code):
    def refuse(self, flow, request):
        return self.error(flow, request, code)

    return honest(permit=refuse, bind=refuse)


scenario("T02", "permission-403", "error-response", 403, "turn-peer-forbidden")(refuses_permission(403))
scenario("T02", "permission-443", "error-response", 443, "turn-family-unsupported")(refuses_permission(443))
scenario("O01", "hostile-reason", "error-response", 486, "turn-quota-reached")(
    honest(allocate=lambda self, flow, request: self.error(flow, request, 486, reason=HOSTILE_TEXT))
)
scenario("O01", "hostile-realm", "credentials-refused|broken-challenge")(
    honest(realm=HOSTILE_TEXT, is_authentic=lambda self, *_: False)
)


class WithoutLifetime(Honest):
    @staticmethod
    def granted(seconds):
        return []


scenario("T03", "lifetime-zero")(honest(lifetime=0))
scenario("T03", "lifetime-missing")(WithoutLifetime)
scenario("T03", "lifetime-endless")(honest(lifetime=0xFFFFFFFF))
scenario("T03", "lifetime-one-second")(honest(lifetime=1))


def silent(self, *_):
    return None


scenario("T04", "permission-silent", "no-answer|no-data", finding="turn-relay-silent")(
    honest(permit=silent, bind=silent)
)
scenario("T04", "data-silent", "no-data", finding="turn-relay-silent")(honest(to_peer=silent, from_peer=silent))
scenario("T04", "data-silent-outwards", "no-data", finding="turn-relay-one-way|turn-relay-silent")(
    honest(to_peer=silent)
)
scenario("T04", "data-silent-inwards", "no-data", finding="turn-relay-silent|turn-relay-ports-blocked")(
    honest(from_peer=silent)
)



@scenario("T05", "foreign-data", transports=UDP)
class ForeignData(Honest):
    """Around each datagram of a peer's what nobody asked for."""

    def from_peer(self, flow, peer, data):
        flow.send(data_indication(STRANGER, data))
        for channel in (0x3FFF, 0x4ABC, 0x5000):
            flow.send(channel_data(channel, data, False))
        flow.send(struct.pack("!HH", 0x4000, 0xFFFF) + data)
        flow.send(struct.pack("!HH", 0x4000, 0xFFFD) + b"x" * 60_000)
        flow.send(channel_data(0x4000, data, False)[:2])
        super().from_peer(flow, peer, data)


@scenario("T05", "foreign-data-in-the-stream", transports=TCP)
class ForeignDataInTheStream(Honest):
    def from_peer(self, flow, peer, data):
        flow.send(data_indication(STRANGER, data) + channel_data(0x4ABC, data + b"odd", True))
        super().from_peer(flow, peer, data)


class RefreshStale(Honest):
    def refresh(self, flow, request):
        self.nonce = b"nonce-%d" % len(flow.asked)
        return self.error(flow, request, 438, *self.challenge_attributes(flow), sign=False)


# The relay works; what is not known is whether the allocation is gone.
scenario("T06", "refresh-silent")(honest(refresh=silent))
scenario("T06", "refresh-438-for-ever")(RefreshStale)


@scenario("T09", "data-altered", "altered", finding="turn-data-altered")
class Alters(Honest):
    def from_peer(self, flow, peer, data):
        super().from_peer(flow, peer, bytes(byte ^ 0x20 for byte in data))


@scenario("T09", "data-duplicated")
class Duplicates(Honest):
    def from_peer(self, flow, peer, data):
        super().from_peer(flow, peer, data)
        super().from_peer(flow, peer, data)


@scenario("D13", "unknown-required-attribute", "unknown-attributes|unknown-attribute")
class UnknownAttribute(Honest):
    def allocation(self, flow, request):
        return [*super().allocation(flow, request), attribute(0x7ABC, b"must")]


@scenario("D17", "error-without-code", "malformed")
class ErrorWithoutCode(Honest):
    def allocate(self, flow, request):
        return self.sign(flow, message(ALLOCATE | ERROR, request.transaction))


@scenario("D02", "false-answers-before-the-true")
class FalseFirst(Honest):
    """Of other transactions, of another method, and requests: nothing of them counts."""

    def answer(self, flow, request, data, was_signed):
        true = self.as_list(super().answer(flow, request, data, was_signed))
        false = xor_address_value(request.transaction, "198.51.100.1", 9)
        lie = attribute(XOR_RELAYED_ADDRESS, false)
        return [
            self.sign(flow, message(method_of(request.kind) | SUCCESS, flipped(request.transaction), lie)),
            self.sign(flow, message(REFRESH | SUCCESS if method_of(request.kind) == ALLOCATE else ALLOCATE | SUCCESS,
                                    request.transaction, lie)),
            data,
            *true,
        ]  # fmt: skip
