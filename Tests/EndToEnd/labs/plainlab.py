"""One router between a client and a server, with both families, and whatever rules a test puts into it.

    client 10.77.1.2 --- 10.77.1.1 router 10.77.2.1 --- 10.77.2.2 server
      fd77:1::2             fd77:1::1      fd77:2::1        fd77:2::2
"""

from labs import natrules
from labs.lab import INSIDE, OUTSIDE, Lab

NETWORKS = {INSIDE: {4: "10.77.1.", 6: "fd77:1::"}, OUTSIDE: {4: "10.77.2.", 6: "fd77:2::"}}


class PlainLab(Lab):
    client_address, client_address6 = (NETWORKS[INSIDE][family] + "2" for family in (4, 6))
    server_address, server_address6 = (NETWORKS[OUTSIDE][family] + "2" for family in (4, 6))
    router_inside, router_inside6 = (NETWORKS[INSIDE][family] + "1" for family in (4, 6))
    router_outside = NETWORKS[OUTSIDE][4] + "1"

    def __init__(self):
        super().__init__(["client", "router", "server"], routers=["router"])
        self.client, self.router, self.server = self.namespaces.values()

    def wire(self, wires):
        for end, interface in (("client", INSIDE), ("server", OUTSIDE)):
            wires.cable(end, "eth0", "router", interface)
            for family, network in NETWORKS[interface].items():
                wires.address(end, "eth0", family, network + "2")
                wires.address("router", interface, family, network + "1")
                wires.default(end, family, via=network + "1")

    def forward(self, *rules):
        """Rules in the router's forward chain."""
        self.router.nft(natrules.chain("forward", rules))

    def translate(self):
        """Makes the router a NAT for the client's IPv4."""
        self.router.nft(natrules.masquerade(4))
