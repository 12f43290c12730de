"""A TURN server that is wrong in a named way, one scenario for each way in each row of the fault catalogue.

As a library: `with serve("401-for-ever") as server: ... server.uri("udp")`. By hand: `python3 -m
fakes.hostile_turn NAME [PORT]` in Tests/EndToEnd, and without a name the list of them.

`SCENARIOS` says for each its row, what icecheck must conclude (`error.kind` of the JSON report, several joined by "|"
where the catalogue leaves the word open, None where all is well in spite of it) and `error.code`, None for no matter.
`FINDINGS` has the first finding of those that have one, `TRANSPORTS` over what they are, `PUBLIC` those that need a
server with a global address, and of which family.
"""

import sys

from fakes import hostile, turn_streams
from fakes.turn_scenarios import FINDINGS, MADE, PUBLIC, SCENARIOS, TRANSPORTS
from fakes.turnserver import TURNServer

# Whoever imports the tables gets the streams in them too.
__all__ = ["FINDINGS", "PUBLIC", "SCENARIOS", "TRANSPORTS", "serve", "turn_streams", "uri"]


class ScriptedStream(hostile.StreamServer):
    """For what is no TURN at all."""

    made, deleted = (), ()

    def left(self):
        return []


def uri(server, transport="udp"):
    host = getattr(server, "address", "127.0.0.1")
    return f"turn:{f'[{host}]' if ':' in host else host}:{server.port}?transport={transport}"


def serve(name, *, address="127.0.0.1", port=0, seed=1):
    """A server to enter with `with`. It has `port`, `received`, `left()`. What it relays goes through sockets of the
    network namespace in which it is entered."""
    made = MADE[name]
    if isinstance(made, type):
        return TURNServer(made, address, port, seed)
    row = SCENARIOS[name][0]
    return ScriptedStream(hostile.Behaviour(name, row, "tcp", made), address, port, seed)


def main(arguments):
    if not arguments or arguments[0] not in SCENARIOS:
        for name, (row, kind, code) in SCENARIOS.items():
            print(f"{row}  {'/'.join(TRANSPORTS[name]):<8} {name:<36} {kind or 'ok'} {code or ''}".rstrip())
        return 64 if arguments else 0
    with serve(arguments[0], port=int(arguments[1]) if len(arguments) > 1 else 0) as server:
        print(f"{arguments[0]} on {uri(server, TRANSPORTS[arguments[0]][0])}", flush=True)
        try:
            server.thread.join()
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
