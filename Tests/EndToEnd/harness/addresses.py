"""Addresses that mean something in these tests, each said once. Those of a lab's networks stand with the lab."""

# Of a server here that has two, and so can speak RFC 5780.
PRIMARY, ALTERNATE = "127.0.0.1", "127.0.0.2"
# What a server says that lies: nothing may believe it.
FALSE_ADDRESS = ("203.0.113.66", 666)
# What a resolver says that lies.
FALSE_NAME_ADDRESS = "10.66.6.6"
# A peer that nobody has permitted.
STRANGER = ("192.0.2.66", 6666)
