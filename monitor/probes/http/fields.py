"""What a file can say of an HTTP request beyond its address."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator
from yarl import URL

from monitor.expect import Header, Path
from monitor.fields import Fields, ShortForm, UnitWord
from monitor.probes.web import Method, address
from monitor.units import COUNTED, Unit, in_base

SIMPLE = frozenset({"GET", "HEAD", "POST"})
"""Methods that no preflight has to allow (Fetch Standard, CORS-safelisted methods)."""


def _origin(text: str) -> str:
    if text != "null" and str(URL(address(text)).origin()) != text:
        raise ValueError(f"{text!r} is not an origin such as https://app.example.com, in lower case and without a path")
    return text


class Number(ShortForm):
    """A number in the JSON that becomes a measure; a bare text is its path."""

    short: ClassVar[dict[type, str]] = {str: "path"}

    path: Path
    """The JMESPath that finds it."""
    unit: UnitWord = "number"
    """What the answer counts it in: `number`, `seconds`, `ms`, `bytes`, `MB`, `ratio`, `%`, `timestamp` …"""

    @property
    def base(self) -> Unit:
        """Return the base unit of the measure."""
        return COUNTED[self.unit][0]

    def measure(self, found: object) -> float | None:
        """Return what was found in the base unit, None if it is no number."""
        return in_base(found, self.unit)


class Cors(Fields):
    """Ask as a browser does before a script of another origin may call: a preflight (OPTIONS)."""

    origin: Annotated[str, AfterValidator(_origin)]
    """Where the script comes from: `https://app.example.com`."""
    method: Method = "GET"
    """What the script wants to do."""
    allowed: bool = True
    """Whether it must be allowed, by name and never by `*`, or must be refused."""

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the preflight."""
        return {"Origin": self.origin, "Access-Control-Request-Method": self.method}

    @property
    def expected(self) -> dict[str, Header]:
        """Return what the answer's headers must be like."""
        if not self.allowed:
            return {"Access-Control-Allow-Origin": Header(differs=(self.origin, "*"))}
        found = {"Access-Control-Allow-Origin": Header(equals=self.origin)}
        if self.method not in SIMPLE:
            found["Access-Control-Allow-Methods"] = Header(matches=rf"(?i)(^|[\s,])({self.method}|\*)($|[\s,])")
        return found
