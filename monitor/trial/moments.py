"""Moments of a test: its start, as people write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from monitor.trial.fields import START

_START = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?)(?:\s+(\S+)|Z)?")


def parse_start(text: str) -> datetime:
    """Return the moment that `text` such as `2026-01-05 02:00 Europe/Berlin` names, in UTC, its default zone.

    Raises ValueError in a sentence.
    """
    found = _START.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError  # noqa: TRY301 - one sentence for all that is wrong
        zone = ZoneInfo(found[2]) if found[2] else UTC
        return datetime.fromisoformat(found[1]).replace(tzinfo=zone).astimezone(UTC)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{text!r} is no moment such as 2026-01-05 02:00 Europe/Berlin") from None


DEFAULT_START = parse_start(START)
