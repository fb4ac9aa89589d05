"""Hours of the week on a zone's clocks, and the moments at which digests leave. Pure.

A stretch such as `22:00-06:00` goes on past midnight and belongs to the day on which it begins. What is meant is the
time that a clock on the wall shows, in summer and in winter.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EVERY_DAY = frozenset(range(7))
DAY = timedelta(days=1)
WEEK = 7

_STRETCH = re.compile(
    r"(?:(?P<days>[A-Za-z]{3}(?:-[A-Za-z]{3})?(?:,[A-Za-z]{3}(?:-[A-Za-z]{3})?)*) )?(?P<begin>\S+?)-(?P<end>\S+)"
)
_MOMENT = re.compile(r"(?:(?P<days>[A-Za-z,-]+) )?(?P<at>\d\d:\d\d)(?: (?P<zone>\S+))?")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")


class Stretch(NamedTuple):
    """Part of some days: from `begin` to `end`, both counted from midnight; `end` may lie in the next day."""

    days: frozenset[int]
    begin: timedelta
    end: timedelta


class Hours(NamedTuple):
    """Hours of the week in `zone`. Stretches that begin on one of the `holidays` are left out."""

    stretches: tuple[Stretch, ...]
    zone: str = "UTC"
    holidays: frozenset[date] = frozenset()
    text: str = ""

    def open_at(self, moment: datetime) -> bool:
        """Return whether `moment` lies within these hours."""
        return any(begin <= moment < end for begin, end in self.around(moment))

    def around(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the stretches, in UTC and in order, that are not over at `moment`, of the next eight days."""
        zone = ZoneInfo(self.zone)
        today = moment.astimezone(zone).date()
        days = (today + DAY * ahead for ahead in range(-1, WEEK + 1))
        found = [
            (_on(day, stretch.begin, zone), _on(day, stretch.end, zone))
            for day in days
            for stretch in self.stretches
            if day not in self.holidays and day.weekday() in stretch.days
        ]
        yield from sorted((begin, end) for begin, end in found if moment < end and begin < end)


class Digest(NamedTuple):
    """When what was collected leaves: `at` so long after midnight, on some days, by the clocks of `zone`."""

    days: frozenset[int]
    at: timedelta
    zone: str = "UTC"
    text: str = ""

    def after(self, moment: datetime) -> datetime:
        """Return the first such moment after `moment`, in UTC."""
        zone = ZoneInfo(self.zone)
        today = moment.astimezone(zone).date()
        days = (today + DAY * ahead for ahead in range(WEEK + 2))
        moments = (_on(day, self.at, zone) for day in days if day.weekday() in self.days)
        return next(one for one in moments if one > moment)


def parse_hours(text: str, zone: str = "UTC", holidays: frozenset[date] = frozenset()) -> Hours:
    """Return the hours that a text such as `Mon-Fri 09:00-18:00, Sat 10:00-14:00 Europe/Berlin` means.

    `zone` counts where the text names none. Raises ValueError in a sentence.
    """
    head, _, last = text.strip().rpartition(" ")
    named = bool(head) and not _STRETCH.fullmatch(last) and not _is_stretch(text)
    body, zone = (head, _zone(last)) if named else (text.strip(), zone)
    return Hours(tuple(_stretch(part.strip()) for part in re.split(r", +", body)), zone, holidays, text)


def parse_digest(text: str, zone: str = "UTC") -> Digest:
    """Return what a text such as `09:00 Europe/Berlin` or `Mon 09:00` means; raises ValueError in a sentence."""
    found = _MOMENT.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a time such as 09:00 Europe/Berlin or Mon 09:00")
    at = _clock(found["at"])
    if at >= DAY:
        raise ValueError(f"{text!r}: a day ends before 24:00")
    days = _days(found["days"]) if found["days"] else EVERY_DAY
    return Digest(days, at, _zone(found["zone"]) if found["zone"] else zone, text)


def _is_stretch(text: str) -> bool:
    return bool(_STRETCH.fullmatch(re.split(r", +", text.strip())[-1]))


def _stretch(text: str) -> Stretch:
    found = _STRETCH.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} are no hours such as Mon-Fri 09:00-18:00 Europe/Berlin")
    begin, end = _clock(found["begin"]), _clock(found["end"])
    if begin == end or begin >= DAY:
        raise ValueError(f"{text!r} begins when it ends; a whole day is 00:00-24:00")
    return Stretch(_days(found["days"]) if found["days"] else EVERY_DAY, begin, end if begin < end else end + DAY)


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = _day(first), _day(last or first)
        found.update((begin + ahead) % WEEK for ahead in range((end - begin) % WEEK + 1))
    return frozenset(found)


def _day(text: str) -> int:
    name = text.capitalize()
    if name not in DAYS:
        raise ValueError(f"{text!r} is not a day: there are {', '.join(DAYS)}")
    return DAYS.index(name)


def _clock(text: str) -> timedelta:
    found = _CLOCK.fullmatch(text)
    since = timedelta(hours=int(found[1]), minutes=int(found[2])) if found else None
    if since is None or since > DAY:
        raise ValueError(f"{text!r} is not a time such as 09:00")
    return since


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{text!r} is not a time zone such as Europe/Berlin") from None


def _on(day: date, since: timedelta, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which a clock in `zone` shows so much on that day."""
    shown = datetime.combine(day, time()) + since
    return shown.replace(tzinfo=zone).astimezone(UTC)
