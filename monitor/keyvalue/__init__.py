"""Redis and Valkey as probes see them: their addresses, a short conversation with one, and what their errors mean."""

from monitor.keyvalue.address import KNOWN, SCHEMES, Address, AddressError, parse
from monitor.keyvalue.info import Info, number
from monitor.keyvalue.refusal import failure_of
from monitor.keyvalue.talk import LONGEST_ANSWER, Command, Reply, Talk, talk

__all__ = [
    "KNOWN",
    "LONGEST_ANSWER",
    "SCHEMES",
    "Address",
    "AddressError",
    "Command",
    "Info",
    "Reply",
    "Talk",
    "failure_of",
    "number",
    "parse",
    "talk",
]
