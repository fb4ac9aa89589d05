"""What alerts have in common, where that may explain them: a host, a platform, a vendor, a reason. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from monitor.model import Reason
from monitor.plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOST = "host"
PLATFORM = "platform"
REGION = "region"
VENDOR = "vendor"
INCIDENT = "incident"
REASON = "reason"

WORDS: Mapping[str, str] = {
    HOST: "are at {}",
    PLATFORM: "are on {}",
    REGION: "are in {}",
    VENDOR: "are what {} tells",
    INCIDENT: "began while {} tells of an incident",
    REASON: "{}",
}
"""What is said of so many that share a value, the closest kinship first."""
LONGEST_VALUE = 80
HAPPENED: Mapping[str, str] = {
    Reason.TIMEOUT: "timed out",
    Reason.DNS: "do not resolve",
    Reason.REFUSED: "refuse connections",
    Reason.RESET: "break connections off",
    Reason.UNREACHABLE: "are unreachable",
    Reason.TLS_INVALID: "have no valid certificate",
    Reason.TLS_EXPIRED: "have an expired certificate",
    Reason.STATUS: "answer with the wrong status",
    Reason.BODY: "answer with the wrong content",
    Reason.HEADER: "answer with the wrong headers",
    Reason.SATURATED: "are saturated",
    Reason.STARTING: "are starting",
    Reason.AUTH: "refuse our login",
    Reason.RATE_LIMITED: "limit our rate",
    Reason.PROTOCOL: "answer with what cannot be read",
    Reason.MISSING: "lack what is looked for",
}
"""What each reason says of several; one that explains nothing is not named."""


def in_common(shares: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Return in a sentence what more than half of several alerts share; empty: nothing that would explain them.

    `shares` are those of each alert (`Page.shares`): `37 of 40 are on Render; 40 of 40 timed out.`
    """
    total = len(shares)
    counts = Counter(share for one in shares for share in set(one))
    best: dict[str, tuple[int, str]] = {}
    for (kind, value), count in counts.items():
        if count > max(1, total / 2) and (kind != REASON or value in HAPPENED):
            best[kind] = (count, value)
    said = [f"{best[kind][0]} of {total} {_said(kind, best[kind][1])}" for kind in WORDS if kind in best]
    return f"{'; '.join(said)}." if said else ""


def _said(kind: str, value: str) -> str:
    return WORDS[kind].format(HAPPENED[value] if kind == REASON else plain(value, LONGEST_VALUE))
