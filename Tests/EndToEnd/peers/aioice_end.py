#!/usr/bin/env python3
"""One end of an ICE session by aioice: `aioice_end.py (--offer | --answer) [options]`, as `icecheck connect --stdio`.

It says one line on standard output and reads one on standard input, `{"type": "offer", "sdp": ...}` and
`{"type": "answer", "sdp": ...}`; of the peer it takes trickled candidates, too. When it is through, it writes what
became of it to `--output`, and exits with 0 where it is connected and 1 where it is not. There is no DTLS in aioice,
so its SDP has no fingerprint.

What aioice 0.13.0 does, as far as it is to be seen in a matrix:

- A check is sent 7 times from 0.5 s on, in doubled distances, so that a session that cannot be fails after 63.5 s
  (`stun.RETRY_RTO`, `stun.RETRY_MAX`). Here `--rto` and `--retransmissions` make it 3.1 s.
- It paces by 20 ms and nominates aggressively: the first check that succeeds is the pair.
- A pair's local candidate is a host's or a relay's; it never says that the way leads through a NAT. The peer's is
  host, srflx, prflx or relay.
- It asks STUN over IPv4 only, and TURN over whatever address it is given.
- Its checks have one priority, whatever they are sent from.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[3] / ".build/python"
sys.path.insert(0, str(PACKAGES))

FIRST_LINES = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0"]
SECTION = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=mid:0"]


def description(kind, connection):
    candidates = [f"a=candidate:{one.to_sdp()}" for one in connection.local_candidates]
    own = [f"a=ice-ufrag:{connection.local_username}", f"a=ice-pwd:{connection.local_password}"]
    lines = [*FIRST_LINES, *SECTION, *own, *candidates, "a=end-of-candidates"]
    return {"type": kind, "sdp": "".join(line + "\r\n" for line in lines)}


async def take(connection, lines):
    """The peer's description, and whatever candidates it sends after it."""
    from aioice import Candidate

    sdp = json.loads(await lines.get())["sdp"]
    attributes = [line[2:].partition(":") for line in sdp.splitlines() if line.startswith("a=")]
    for name, _, value in attributes:
        if name == "ice-ufrag":
            connection.remote_username = value
        elif name == "ice-pwd":
            connection.remote_password = value
        elif name == "ice-lite":
            connection.remote_is_lite = True
    candidates = [value for name, _, value in attributes if name == "candidate"]
    is_whole = any(name == "end-of-candidates" for name, _, _ in attributes)
    # A peer that trickles says so; one that does not has said all.
    trickles = any(name == "ice-options" and "trickle" in value.split() for name, _, value in attributes)

    async def add(value):
        try:
            candidate = Candidate.from_sdp(value)
        except ValueError:
            return
        # Over TCP, and of a second component, nothing can come of it.
        if candidate.transport.lower() == "udp" and candidate.component == 1:
            await connection.add_remote_candidate(candidate)

    async def rest():
        for value in candidates:
            await add(value)
        if trickles and not is_whole:
            while line := await lines.get():
                value = json.loads(line).get("candidate", "").removeprefix("candidate:")
                if not value:
                    break
                await add(value)
        await connection.add_remote_candidate(None)

    return asyncio.create_task(rest())


async def run(options):
    import aioice
    from aioice import stun

    stun.RETRY_RTO, stun.RETRY_MAX = options.rto, options.retransmissions
    turn = {}
    if options.turn:
        turn = {
            "turn_server": (options.turn, options.turn_port), "turn_transport": options.turn_transport,
            "turn_username": options.user, "turn_password": options.password,
        }  # fmt: skip
    connection = aioice.Connection(
        ice_controlling=options.offer,
        stun_server=(options.stun, 3478) if options.stun else None,
        use_ipv4=4 in options.families,
        use_ipv6=6 in options.families,
        transport_policy=aioice.TransportPolicy.RELAY if options.force_relay else aioice.TransportPolicy.ALL,
        **turn,
    )
    lines = asyncio.Queue()
    # Kept, or it would be collected.
    reading = asyncio.create_task(read_lines(lines))
    result = {"connected": False, "local": None, "remote": None}
    try:
        if options.offer:
            await gather_and_say("offer", connection)
            rest = await take(connection, lines)
        else:
            rest = await take(connection, lines)
            await gather_and_say("answer", connection)
        started = time.monotonic()
        try:
            await asyncio.wait_for(connection.connect(), options.timeout)
            result["connected"] = True
        except (ConnectionError, TimeoutError, asyncio.TimeoutError) as error:
            result["error"] = str(error) or type(error).__name__
        result["seconds"] = round(time.monotonic() - started, 3)
        if result["connected"]:
            # What it nominated is in no public attribute.
            pair = connection._nominated[1]
            result["local"], result["remote"] = pair.local_candidate.type, pair.remote_candidate.type
            result["localAddress"], result["remoteAddress"] = pair.local_addr, pair.remote_addr
            # The peer may still be waiting for the answer to its last check.
            await exchange(connection, result, options.linger)
        rest.cancel()
    finally:
        reading.cancel()
        if options.output:
            finished = options.output.with_suffix(".part")
            finished.write_text(json.dumps(result))
            finished.rename(options.output)
        await connection.close()
    return 0 if result["connected"] else 1


async def exchange(connection, result, seconds):
    """Data both ways over the pair, as long as it takes or `seconds` at most."""
    result["data"] = False
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            await connection.send(b"icecheck lab")
            heard = await asyncio.wait_for(connection.recv(), 0.1)
        except (asyncio.TimeoutError, TimeoutError):
            continue
        except ConnectionError:
            return
        if heard == b"icecheck lab":
            result["data"] = True
            # One more, for a peer that was not yet listening to the first.
            await connection.send(b"icecheck lab")
            await asyncio.sleep(min(0.1, seconds))
            return


async def gather_and_say(kind, connection):
    await connection.gather_candidates()
    print(json.dumps(description(kind, connection)), flush=True)


async def read_lines(lines):
    reader = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line.strip():
            lines.put_nowait(line.decode())
    lines.put_nowait("")


def parsed():
    parser = argparse.ArgumentParser(prog="aioice_end.py")
    role = parser.add_mutually_exclusive_group(required=True)
    role.add_argument("--offer", action="store_true")
    role.add_argument("--answer", action="store_true")
    parser.add_argument("--stun", help="address of the STUN server")
    parser.add_argument("--turn", help="address of the TURN server")
    parser.add_argument("--turn-port", type=int, default=3478)
    parser.add_argument("--turn-transport", choices=("udp", "tcp"), default="udp")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--families", type=lambda text: {int(one) for one in text}, default={4, 6})
    parser.add_argument("--force-relay", action="store_true")
    parser.add_argument("--rto", type=float, default=0.1, metavar="SECONDS")
    parser.add_argument("--retransmissions", type=int, default=4)
    parser.add_argument("--timeout", type=float, default=10, metavar="SECONDS")
    # For data, and for the peer's last checks.
    parser.add_argument("--linger", type=float, default=0.5, metavar="SECONDS")
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(parsed())))
