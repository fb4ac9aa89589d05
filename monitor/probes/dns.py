"""Whether a name has the records that it should."""

from __future__ import annotations

import ipaddress
from time import perf_counter
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from monitor.model import Failure, Reason
from monitor.network import RecordType
from monitor.probes.base import Check, MeasureSpec, Run
from monitor.probes.pattern import Pattern
from monitor.units import Unit


def _name_server(text: str) -> str:
    host, colon, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "")
    try:
        ipaddress.ip_address(host.strip("[]"))
        if colon and not 1 <= int(port) <= 65_535:  # noqa: PLR2004 - the ports there are
            raise ValueError  # noqa: TRY301 - the same message for every fault
    except ValueError:
        raise ValueError(f"{text!r} is not a numeric address such as 192.0.2.1 or 192.0.2.1:5353") from None
    return text


NameServer = Annotated[str, AfterValidator(_name_server)]


class DnsCheck(Check):
    """Asks for the records of a name; optionally expects some of them."""

    kind: str = "dns"
    name: str = Field(min_length=1, max_length=253)
    """The name to ask for, in full: no search domain is added, and the hosts file is not looked at."""
    type: RecordType = "A"
    """The type of record to ask for."""
    expect: Pattern | list[Pattern] = Field(default_factory=list)
    """What must be among the records, each as a value, a glob such as `*.example.com`, or `/an expression/`.

    Names are written without the last dot, an MX as `10 mail.example.com`. Only an expression tells capitals apart.
    """
    nameservers: list[NameServer] = Field(default_factory=list)
    """Numeric addresses of the name servers to ask, with a port where it is not 53; default: those of the system."""

    measures: ClassVar = (
        MeasureSpec("duration", Unit.SECONDS, "the whole run, if it succeeded"),
        MeasureSpec("records", Unit.NUMBER, "how many records of the type the name has"),
    )
    reasons: ClassVar = frozenset({Reason.TIMEOUT, Reason.DNS, Reason.BODY, Reason.UNKNOWN})

    @property
    def host(self) -> str:
        """Return the first name server if there are some, else the name."""
        return self.nameservers[0] if self.nameservers else self.name

    async def probe(self, run: Run) -> None:
        """Ask once; the records must hold everything that is expected, and may hold more."""
        started = perf_counter()
        resolver = run.resources.resolver
        asked = resolver.at(self.nameservers) if self.nameservers else resolver
        found = await asked.records(self.name, self.type, run.timeout)
        run.note("records", len(found))
        for pattern in self._expected:
            if not any(pattern.fits(record) for record in found):
                raise Failure(
                    Reason.BODY, f"expected {self.name} to have {self.type} {pattern}, got {', '.join(found)}"
                )
        run.note("duration", perf_counter() - started)

    @property
    def _expected(self) -> list[Pattern]:
        return self.expect if isinstance(self.expect, list) else [self.expect]
