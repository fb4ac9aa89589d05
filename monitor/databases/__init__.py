"""PostgreSQL databases as probes see them: their addresses, one kept connection to each, and what their errors mean."""

from monitor.databases.address import KNOWN, Address, AddressError, is_postgres, parse
from monitor.databases.apart import apart
from monitor.databases.connections import Databases
from monitor.databases.line import Connection
from monitor.databases.refusal import Full, failure_of, failure_of_code
from monitor.databases.rights import Rights, read_rights

__all__ = [
    "KNOWN",
    "Address",
    "AddressError",
    "Connection",
    "Databases",
    "Full",
    "Rights",
    "apart",
    "failure_of",
    "failure_of_code",
    "is_postgres",
    "parse",
    "read_rights",
]
