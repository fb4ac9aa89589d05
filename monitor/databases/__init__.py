"""PostgreSQL databases as probes see them: their addresses, one kept connection to each, and what their errors mean."""

from monitor.databases.address import KNOWN, Address, AddressError, is_postgres, parse
from monitor.databases.connections import Databases
from monitor.databases.line import Connection
from monitor.databases.refusal import failure_of, failure_of_code

__all__ = [
    "KNOWN",
    "Address",
    "AddressError",
    "Connection",
    "Databases",
    "failure_of",
    "failure_of_code",
    "is_postgres",
    "parse",
]
