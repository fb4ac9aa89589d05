"""What a client accepts, by its `Accept` and `Accept-Encoding` headers (RFC 9110, section 12.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENMETRICS_VERSIONS = frozenset({"", "1.0.0", "0.0.1"})


def wants_openmetrics(accept: str) -> bool:
    """Return whether OpenMetrics 1.0 is accepted, and no less welcome than plain text."""
    openmetrics = plain = 0.0
    for name, parameters, weight in _offers(accept):
        if name == "application/openmetrics-text" and parameters.get("version", "") in OPENMETRICS_VERSIONS:
            openmetrics = max(openmetrics, weight)
        elif name == "text/plain":
            plain = max(plain, weight)
    return 0 < openmetrics >= plain


def takes_gzip(accept_encoding: str) -> bool:
    """Return whether gzip is accepted."""
    weights = {name: weight for name, _, weight in _offers(accept_encoding)}
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _offers(header: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield the name, the parameters and the weight of each offer in `header`."""
    for offer in header.split(","):
        name, *rest = (part.strip().lower() for part in offer.split(";"))
        pairs = (part.partition("=") for part in rest)
        parameters = {key.strip(): value.strip().strip('"') for key, _, value in pairs}
        yield name, parameters, _weight(parameters.pop("q", "1"))


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
