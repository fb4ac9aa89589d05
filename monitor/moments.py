"""Moments as people name them: for so long, or until a time of day somewhere. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.units import parse_duration

LONGEST = timedelta(days=400)


def ending(now: datetime, lasting: str = "", until: str = "", zone: str = "") -> datetime | None:
    """Return when something ends that lasts so long, or until then; None if neither is said.

    `until` is a date and a time, such as `2026-11-22 18:00`, with its own offset from UTC or in `zone` (default: UTC).
    A time that a clock shows twice is the later of both. Raises ValueError in a sentence for what makes no sense.
    """
    if lasting and until:
        raise ValueError("say for how long, or until when, and not both")
    if not lasting and not until:
        return None
    try:
        end = now + parse_duration(lasting) if lasting else _moment(until, zone)
    except OverflowError:
        raise ValueError(f"{until!r} is beyond all calendars") from None
    if end <= now:
        raise ValueError(f"{lasting or until!r} ends before it begins: it is {now:%Y-%m-%d %H:%M:%S} UTC")
    if end - now > LONGEST:
        raise ValueError(f"{lasting or until!r} is longer than {LONGEST.days} days")
    return end


def _moment(text: str, zone: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date and a time, such as 2026-11-22 18:00") from None
    if moment.tzinfo is not None:
        if zone:
            raise ValueError(f"{text!r} says its own offset, so it needs no zone")
        return moment.astimezone(UTC)
    found = moment.replace(tzinfo=_zone(zone), fold=1).astimezone(UTC)
    if found.astimezone(_zone(zone)).replace(tzinfo=None) != moment:
        raise ValueError(f"{text!r} is skipped in {zone}: clocks are put forward")
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{name!r} is not a time zone such as Europe/Berlin") from None
