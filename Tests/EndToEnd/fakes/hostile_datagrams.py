"""What the hostile server does with a datagram: one function, or one payload, for each way to be wrong."""

import struct

from harness.addresses import FALSE_ADDRESS

from fakes.stunwire import (
    ALLOCATE_SUCCESS,
    BINDING_ERROR,
    BINDING_INDICATION,
    BINDING_REQUEST,
    BINDING_SUCCESS,
    FINGERPRINT,
    MAPPED_ADDRESS,
    MESSAGE_INTEGRITY,
    OTHER_ADDRESS,
    SOFTWARE,
    XOR_MAPPED_ADDRESS,
    address_value,
    attribute,
    error_code,
    mapped,
    message,
    transaction_of,
    with_fingerprint,
    xor_address_value,
    xor_mapped,
)

TABLE = {}

# An address that no test's client has: it must never be reported.

# Every control character and trick of direction that a terminal, a log or a web page might obey.
HOSTILE_TEXT = (
    b"\x1b[31mred\x1b]0;title\x07\x08\r\nline\ttab\x00nul\x7f\xc2\x9b31m"
    b"\xe2\x80\xae rtl \xe2\x81\xa6iso\xe2\x81\xa9 \xe2\x80\x8bzero \xe2\x80\xa8sep \xef\xbb\xbfbom"
    b"\xff\xfe\xc0\xaf\xed\xa0\x80 <script>alert(1)</script> =cmd() | ]]> \"'\\"
)

ERROR_CODES = (300, 400, 401, 403, 420, 437, 438, 440, 486, 487, 500, 508, 600, 699)


def behaviour(row, name):
    def register(run):
        TABLE[name] = (row, run)
        return run

    return register


def payload(row, name):
    """Registers a behaviour that answers each request with the datagrams that a function of (txid, source) gives."""

    def register(make):
        def run(server, request, source):
            made = make(transaction_of(request), source)
            for data in [made] if isinstance(made, bytes) else made:
                server.send(data, source)

        TABLE[name] = (row, run)
        return make

    return register


def success(transaction, source, *attributes):
    return message(BINDING_SUCCESS, transaction, xor_mapped(transaction, source), *attributes)


def false_success(transaction):
    return success(transaction, FALSE_ADDRESS)


def flipped(transaction):
    return bytes(byte ^ 0xFF for byte in transaction)


@payload("D00", "good")
def good(transaction, source):
    return success(transaction, source, attribute(SOFTWARE, b"honest 1.0"))


@payload("D00", "good-with-fingerprint")
def good_with_fingerprint(transaction, source):
    return with_fingerprint(success(transaction, source))


@payload("D00", "mapped-address-only")
def mapped_address_only(transaction, source):
    return message(BINDING_SUCCESS, transaction, mapped(source))


@behaviour("D01", "silent")
def silent(server, request, source):
    pass


@payload("D02", "wrong-transaction-id")
def wrong_transaction_id(transaction, source):
    return false_success(flipped(transaction))


@payload("D02", "wrong-transaction-id-then-good")
def wrong_transaction_id_then_good(transaction, source):
    return [false_success(flipped(transaction)), success(transaction, source)]


@behaviour("D03", "wrong-source-port")
def wrong_source_port(server, request, source):
    server.send(false_success(transaction_of(request)), source, through=server.other_port)


@behaviour("D03", "wrong-source-address")
def wrong_source_address(server, request, source):
    server.send(false_success(transaction_of(request)), source, through=server.other_address)


@behaviour("D03", "wrong-source-then-good")
def wrong_source_then_good(server, request, source):
    server.send(false_success(transaction_of(request)), source, through=server.other_address)
    server.later(0.02, success(transaction_of(request), source), source)


@payload("D05", "empty-datagram")
def empty_datagram(transaction, source):
    return b""


@payload("D05", "shorter-than-a-header")
def shorter_than_a_header(transaction, source):
    return success(transaction, source)[:19]


@payload("D05", "cut-inside-an-attribute")
def cut_inside_an_attribute(transaction, source):
    return false_success(transaction)[:-3]


@payload("D05", "length-not-multiple-of-four")
def length_not_multiple_of_four(transaction, source):
    return message(BINDING_SUCCESS, transaction, xor_mapped(transaction, FALSE_ADDRESS), b"\0\0", length=14)


@payload("D05", "length-beyond-the-datagram")
def length_beyond_the_datagram(transaction, source):
    return message(BINDING_SUCCESS, transaction, xor_mapped(transaction, FALSE_ADDRESS), length=400)


@payload("D05", "trailing-bytes")
def trailing_bytes(transaction, source):
    return false_success(transaction) + b"\xde\xad\xbe\xef\xde\xad\xbe\xef"


@payload("D05", "top-bits-set")
def top_bits_set(transaction, source):
    return message(BINDING_SUCCESS | 0xC000, transaction, xor_mapped(transaction, FALSE_ADDRESS))


@payload("D05", "no-magic-cookie")
def no_magic_cookie(transaction, source):
    return message(BINDING_SUCCESS, transaction, mapped(FALSE_ADDRESS), cookie=0x12345678)


@payload("D06", "attribute-overrun")
def attribute_overrun(transaction, source):
    overrun = attribute(SOFTWARE, b"abcd", length=200)
    return message(BINDING_SUCCESS, transaction, xor_mapped(transaction, FALSE_ADDRESS), overrun)


@payload("D06", "attribute-header-cut")
def attribute_header_cut(transaction, source):
    return message(BINDING_SUCCESS, transaction, attribute(SOFTWARE, b"ab", length=1)[:8], b"\x80\x22\xff\xff")


@payload("D06", "padding-not-zero")
def padding_not_zero(transaction, source):
    return success(transaction, source, attribute(SOFTWARE, b"padme", padding=b"\xff"))


@payload("D06", "zero-length-software")
def zero_length_software(transaction, source):
    return success(transaction, source, attribute(SOFTWARE))


@payload("D07", "attribute-bomb")
def attribute_bomb(transaction, source):
    bomb = b"".join(attribute(0xC000 + index % 0x1000) for index in range(7000))
    return message(BINDING_SUCCESS, transaction, bomb, xor_mapped(transaction, source))


@payload("D08", "huge-software")
def huge_software(transaction, source):
    return success(transaction, source, attribute(SOFTWARE, b"S" * 65_400))


@payload("D09", "header-length-fffc")
def header_length_fffc(transaction, source):
    return message(BINDING_SUCCESS, transaction, xor_mapped(transaction, FALSE_ADDRESS), length=0xFFFC)


@payload("D09", "header-length-ffff")
def header_length_ffff(transaction, source):
    return message(BINDING_SUCCESS, transaction, xor_mapped(transaction, FALSE_ADDRESS), length=0xFFFF)


@payload("D09", "attribute-length-ffff")
def attribute_length_ffff(transaction, source):
    wrapped = attribute(SOFTWARE, b"abcd", length=0xFFFF)
    return message(BINDING_SUCCESS, transaction, xor_mapped(transaction, FALSE_ADDRESS), wrapped)


@payload("D09", "attribute-length-fffd-in-64k")
def attribute_length_fffd_in_64k(transaction, source):
    wrapped = attribute(SOFTWARE, b"a" * 65_400, length=0xFFFD)
    return message(BINDING_SUCCESS, transaction, xor_mapped(transaction, FALSE_ADDRESS), wrapped)


@payload("D09", "channel-data-length-ffff")
def channel_data_length_ffff(transaction, source):
    return struct.pack("!HH", 0x4000, 0xFFFF) + b"data"


@payload("D10", "two-addresses")
def two_addresses(transaction, source):
    return success(transaction, source, xor_mapped(transaction, FALSE_ADDRESS))


@payload("D10", "two-fingerprints")
def two_fingerprints(transaction, source):
    return with_fingerprint(with_fingerprint(success(transaction, source)))


@payload("D10", "two-integrities")
def two_integrities(transaction, source):
    return success(
        transaction, source, attribute(MESSAGE_INTEGRITY, b"i" * 20), attribute(MESSAGE_INTEGRITY, b"j" * 20)
    )


@payload("D11", "address-after-integrity")
def address_after_integrity(transaction, source):
    integrity = attribute(MESSAGE_INTEGRITY, b"i" * 20)
    return message(BINDING_SUCCESS, transaction, integrity, xor_mapped(transaction, FALSE_ADDRESS))


@payload("D11", "software-after-integrity")
def software_after_integrity(transaction, source):
    return success(transaction, source, attribute(MESSAGE_INTEGRITY, b"i" * 20), attribute(SOFTWARE, b"late"))


@payload("D11", "address-after-fingerprint")
def address_after_fingerprint(transaction, source):
    signed = with_fingerprint(message(BINDING_SUCCESS, transaction, attribute(SOFTWARE, b"early")))
    late = xor_mapped(transaction, FALSE_ADDRESS)
    kind, length = struct.unpack("!HH", signed[:4])
    return struct.pack("!HH", kind, length + len(late)) + signed[4:] + late


@payload("D12", "bad-fingerprint")
def bad_fingerprint(transaction, source):
    return with_fingerprint(false_success(transaction), xor=0x12345678)


@payload("D12", "bad-fingerprint-then-good")
def bad_fingerprint_then_good(transaction, source):
    return [bad_fingerprint(transaction, source), good_with_fingerprint(transaction, source)]


@payload("D12", "fingerprint-of-wrong-size")
def fingerprint_of_wrong_size(transaction, source):
    return success(transaction, FALSE_ADDRESS, attribute(FINGERPRINT, b"abcdef"))


@payload("D13", "unknown-required-attribute")
def unknown_required_attribute(transaction, source):
    return success(transaction, FALSE_ADDRESS, attribute(0x7ABC, b"must"))


@payload("D13", "unknown-optional-attribute")
def unknown_optional_attribute(transaction, source):
    return success(transaction, source, attribute(0xFABC, b"may"))


@behaviour("D14", "echo")
def echo(server, request, source):
    server.send(request, source)


@payload("D14", "indication")
def indication(transaction, source):
    return message(BINDING_INDICATION, transaction, xor_mapped(transaction, FALSE_ADDRESS))


@payload("D14", "request")
def request(transaction, source):
    return message(BINDING_REQUEST, transaction, attribute(SOFTWARE, b"your own server"))


@payload("D14", "other-method")
def other_method(transaction, source):
    return message(ALLOCATE_SUCCESS, transaction, xor_mapped(transaction, FALSE_ADDRESS))


@payload("D15", "no-address")
def no_address(transaction, source):
    return message(BINDING_SUCCESS, transaction, attribute(SOFTWARE, b"forgetful"))


@payload("D15", "zero-address")
def zero_address(transaction, source):
    return success(transaction, ("0.0.0.0", 0))


@payload("D15", "port-zero")
def port_zero(transaction, source):
    return success(transaction, (FALSE_ADDRESS[0], 0))


@payload("D15", "multicast-address")
def multicast_address(transaction, source):
    return success(transaction, ("224.0.0.251", 5353))


@payload("D15", "broadcast-address")
def broadcast_address(transaction, source):
    return success(transaction, ("255.255.255.255", 9))


@payload("D15", "family-three")
def family_three(transaction, source):
    value = xor_address_value(transaction, *FALSE_ADDRESS, family=3)
    return message(BINDING_SUCCESS, transaction, attribute(XOR_MAPPED_ADDRESS, value))


@payload("D15", "short-address")
def short_address(transaction, source):
    value = xor_address_value(transaction, *FALSE_ADDRESS)[:5]
    return message(BINDING_SUCCESS, transaction, attribute(XOR_MAPPED_ADDRESS, value))


@payload("D15", "zero-length-address")
def zero_length_address(transaction, source):
    return message(BINDING_SUCCESS, transaction, attribute(XOR_MAPPED_ADDRESS))


@payload("D15", "ipv6-family-with-ipv4-bytes")
def ipv6_family_with_ipv4_bytes(transaction, source):
    value = xor_address_value(transaction, *FALSE_ADDRESS, family=2)
    return message(BINDING_SUCCESS, transaction, attribute(XOR_MAPPED_ADDRESS, value))


@payload("D16", "mapped-differs")
def mapped_differs(transaction, source):
    return success(transaction, source, attribute(MAPPED_ADDRESS, address_value(*FALSE_ADDRESS)))


def register_error(name, *attributes):
    @payload("D17", name)
    def error(transaction, source):
        return message(BINDING_ERROR, transaction, *attributes)


for code in ERROR_CODES:
    register_error(f"error-{code}", error_code(code, b"Because"))
register_error("error-without-code")
register_error("error-class-zero", error_code(0, b"Class 0", number=1))
register_error("error-class-seven", error_code(700, b"Class 7"))
register_error("error-number-199", error_code(400, b"Number 199", number=199))
register_error("error-empty-reason", error_code(400))
register_error("error-long-reason", error_code(400, b"R" * 60_000))
register_error("error-trailing-nuls", error_code(400, b"Bad Request\0\0\0\0"))
register_error("error-invalid-utf8", error_code(400, b"Bad \xff\xfe\xc0\xaf Request"))
register_error("error-code-of-three-bytes", attribute(0x0009, b"\0\0\4"))
register_error("error-with-address", error_code(400, b"And yet"), attribute(MAPPED_ADDRESS, address_value(*FALSE_ADDRESS)))


@behaviour("D18", "junk-then-good")
def junk_then_good(server, request, source):
    if len(server.received) > 1:
        return
    # No faster than the client reads: what its receive buffer loses would be the kernel's doing.
    for index in range(1_000):
        server.send(server.random.randbytes(server.random.randrange(0, 200)), source)
        if index % 50 == 49:
            wait_until_read(server, source)
    server.send(success(transaction_of(request), source), source)


def wait_until_read(server, client):
    """Waits until nothing is left in the receive buffer of a client on this machine."""
    port = f"{client[1]:04X}"
    while not server.stopping.wait(0.0005):
        with open("/proc/thread-self/net/udp") as sockets:
            fields = [line.split() for line in sockets.readlines()[1:]]
        unread = [int(one[4].split(":")[1], 16) for one in fields if one[1].endswith(f":{port}")]
        if not any(unread):
            return


@behaviour("D18", "junk-for-ever")
def junk_for_ever(server, request, source):
    server.main.settimeout(None)
    while not server.stopping.is_set():
        for _ in range(200):
            server.send(server.random.randbytes(1200), source)
        server.stopping.wait(0.001)


@payload("D18", "five-hundred-copies")
def five_hundred_copies(transaction, source):
    return [success(transaction, source)] * 500


@behaviour("D19", "late-reply")
def late_reply(server, request, source):
    if len(server.received) == 1:
        server.later(0.7, success(transaction_of(request), source), source)


@behaviour("D19", "reply-after-the-deadline")
def reply_after_the_deadline(server, request, source):
    server.later(3.5, success(transaction_of(request), source), source)


@behaviour("D20", "loss-30")
def loss_30(server, request, source):
    if server.random.random() >= 0.3:
        server.send(success(transaction_of(request), source), source)


@behaviour("D20", "first-request-lost")
def first_request_lost(server, request, source):
    if len(server.received) > 1:
        server.send(success(transaction_of(request), source), source)


@behaviour("D20", "duplicated-and-reordered")
def duplicated_and_reordered(server, request, source):
    for delay in sorted((server.random.uniform(0, 0.3) for _ in range(5)), reverse=True):
        server.later(delay, success(transaction_of(request), source), source)
    server.later(0.01, false_success(flipped(transaction_of(request))), source)


@behaviour("D20", "corrupted-then-good")
def corrupted_then_good(server, request, source):
    whole = good_with_fingerprint(transaction_of(request), source)
    for _ in range(20):
        position = server.random.randrange(20, len(whole))
        bit = 1 << server.random.randrange(8)
        server.send(whole[:position] + bytes([whole[position] ^ bit]) + whole[position + 1 :], source)
    server.later(0.05, whole, source)


@payload("O01", "hostile-software")
def hostile_software(transaction, source):
    return success(transaction, source, attribute(SOFTWARE, HOSTILE_TEXT))


register_error("hostile-reason", error_code(400, HOSTILE_TEXT))
TABLE["hostile-reason"] = ("O01", TABLE["hostile-reason"][1])


@payload("O03", "software-for-formats")
def software_for_formats(transaction, source):
    text = b'=cmd()|\'/c calc\'!A1","x":1}\xe2\x80\xa8]]></x><!-- `rm -rf` $(id) %s%n \\u0000 \xed\xbf\xbf'
    return success(transaction, source, attribute(SOFTWARE, text))


@payload("R05", "other-address-elsewhere")
def other_address_elsewhere(transaction, source):
    return success(transaction, source, attribute(OTHER_ADDRESS, address_value(*FALSE_ADDRESS)))
