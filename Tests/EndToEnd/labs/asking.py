"""icecheck run by the client of a lab."""

from harness.running import Running, no_core_dumps


def ask(binary, lab, *arguments, command="nat"):
    return Running("ip", [*lab.client.prefix(), binary, command, *arguments], limits=no_core_dumps).wait()


def uri(lab, family, place=0):
    address = lab.server_addresses(family)[place]
    return f"stun:{address}" if family == 4 else f"stun:[{address}]"
