"""What the hostile server does with a TCP connection: one function for each way to be wrong."""

import struct

from fakes.hostile_datagrams import FALSE_ADDRESS, HOSTILE_TEXT, false_success, flipped, success
from fakes.stunwire import BINDING_ERROR, BINDING_INDICATION, BINDING_SUCCESS, SOFTWARE, attribute, error_code, message

TABLE = {}


def behaviour(row, name):
    def register(run):
        TABLE[name] = (row, run)
        return run

    return register


def reply(row, name):
    """Registers a behaviour that reads the request, sends what a function of (txid, remote) gives, and waits."""

    def register(make):
        def run(connection):
            _, transaction = connection.read_request()
            connection.send(make(transaction, connection.remote))
            connection.stall()

        TABLE[name] = (row, run)
        return make

    return register


def banner(name, row, text, after_request):
    def run(connection):
        if after_request:
            connection.read_request()
        connection.send(text)
        connection.stall()

    TABLE[name] = (row, run)


@reply("S00", "tcp-good")
def tcp_good(transaction, remote):
    return success(transaction, remote, attribute(SOFTWARE, b"honest 1.0"))


@behaviour("S01", "tcp-silent")
def tcp_silent(connection):
    connection.stall()


banner("tcp-ssh", "S02", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", after_request=False)
banner("tcp-smtp", "S02", b"220 mail.example ESMTP Postfix\r\n", after_request=False)
banner("tcp-http", "S02", b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", after_request=True)
banner("tcp-tls-alert", "S02", bytes.fromhex("15030100020246"), after_request=True)
banner("tcp-hostile-banner", "O01", HOSTILE_TEXT * 4, after_request=False)


@behaviour("S03", "tcp-half-then-close")
def tcp_half_then_close(connection):
    _, transaction = connection.read_request()
    connection.send(success(transaction, connection.remote)[:25])


@reply("S03", "tcp-half-then-stall")
def tcp_half_then_stall(transaction, remote):
    return success(transaction, remote)[:25]


@reply("S03", "tcp-header-cut-then-stall")
def tcp_header_cut_then_stall(transaction, remote):
    return success(transaction, remote)[:7]


@reply("S03", "tcp-length-fffc-then-stall")
def tcp_length_fffc_then_stall(transaction, remote):
    return struct.pack("!HHI", BINDING_SUCCESS, 0xFFFC, 0x2112A442) + transaction + b"\x80\x22\xff\xf0" + b"x" * 100


@behaviour("S03", "tcp-one-byte-a-second")
def tcp_one_byte_a_second(connection):
    _, transaction = connection.read_request()
    for byte in success(transaction, connection.remote):
        connection.send(bytes([byte]))
        if connection.server.stopping.wait(1):
            return


@behaviour("S04", "tcp-byte-a-segment")
def tcp_byte_a_segment(connection):
    _, transaction = connection.read_request()
    for byte in success(transaction, connection.remote):
        connection.send(bytes([byte]))
        connection.server.stopping.wait(0.002)
    connection.stall()


@reply("S04", "tcp-several-in-a-segment")
def tcp_several_in_a_segment(transaction, remote):
    indication = message(BINDING_INDICATION, flipped(transaction))
    return indication + false_success(flipped(transaction)) + success(transaction, remote) + indication


@reply("S04", "tcp-channel-data-first")
def tcp_channel_data_first(transaction, remote):
    return struct.pack("!HH", 0x4001, 5) + b"hello\0\0\0" + success(transaction, remote)


@behaviour("S05", "tcp-endless-zeros")
def tcp_endless_zeros(connection):
    while not connection.server.stopping.is_set():
        connection.send(bytes(65536))


@behaviour("S05", "tcp-endless-garbage")
def tcp_endless_garbage(connection):
    while not connection.server.stopping.is_set():
        connection.send(b"\xff" * 65536)


@behaviour("S05", "tcp-endless-foreign-answers")
def tcp_endless_foreign_answers(connection):
    _, transaction = connection.read_request()
    while not connection.server.stopping.is_set():
        connection.send(false_success(flipped(transaction)) * 500)


@behaviour("S06", "tcp-reset-at-connect")
def tcp_reset_at_connect(connection):
    connection.reset()


@behaviour("S06", "tcp-reset-after-request")
def tcp_reset_after_request(connection):
    connection.read_request()
    connection.reset()


@behaviour("S06", "tcp-reset-mid-message")
def tcp_reset_mid_message(connection):
    _, transaction = connection.read_request()
    connection.send(success(transaction, connection.remote)[:25])
    connection.server.stopping.wait(0.1)
    connection.reset()


@behaviour("S06", "tcp-fin-at-once")
def tcp_fin_at_once(connection):
    connection.socket.shutdown(1)
    connection.stall()


@behaviour("S06", "tcp-fin-after-request")
def tcp_fin_after_request(connection):
    connection.read_request()


@reply("D02", "tcp-wrong-transaction-id")
def tcp_wrong_transaction_id(transaction, remote):
    return false_success(flipped(transaction))


@behaviour("D14", "tcp-echo")
def tcp_echo(connection):
    request, _ = connection.read_request()
    connection.send(request)
    connection.stall()


@reply("D15", "tcp-zero-address")
def tcp_zero_address(transaction, remote):
    return success(transaction, ("0.0.0.0", 0))


@reply("D17", "tcp-error-500")
def tcp_error_500(transaction, remote):
    return message(BINDING_ERROR, transaction, error_code(500, b"Server Error"))


@reply("D13", "tcp-unknown-required-attribute")
def tcp_unknown_required_attribute(transaction, remote):
    return success(transaction, FALSE_ADDRESS, attribute(0x7ABC, b"must"))
