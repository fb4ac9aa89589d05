"""How long an answer asks its client to wait, and when it was written; servers write it in many ways. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.answer import Answer

LONGEST = timedelta(days=1)
"""Whoever asks for more has written something else."""
EPOCHS_FROM = 1_000_000_000
"""A reset that is larger is a moment since 1970, a smaller one is seconds from now: vendors' documents confuse them."""
REMAINING = ("ratelimit-remaining", "x-ratelimit-remaining", "x-sentry-rate-limit-remaining")
RESET = ("ratelimit-reset", "x-ratelimit-reset", "x-sentry-rate-limit-reset")


def asked_pause(answer: Answer, now: datetime) -> timedelta | None:
    """Return how long `answer` asks us to wait; None if it does not say.

    Retry-After counts first (RFC 9110, 10.2.3: seconds or a moment, which is one of the server's own clock), then
    Ratelimit-Reset when Ratelimit-Remaining is used up.
    """
    if (text := answer.header("retry-after")) is not None:
        return _bounded(_seconds(text, _date(text), written(answer, now)))
    remaining = next((float_of(text) for name in REMAINING if (text := answer.header(name))), None)
    if remaining is None or remaining >= 1:
        return None
    reset = next((text for name in RESET if (text := answer.header(name))), "")
    return _bounded(_seconds(reset, _moment(reset), written(answer, now)))


def written(answer: Answer, now: datetime) -> datetime:
    """Return when `answer` was written by the clock of whoever wrote it; `now` where it does not say."""
    return _date(answer.header("date") or "") or now


def float_of(text: str) -> float | None:
    """Return the finite number that `text` is; None if it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds(text: str, moment: datetime | None, now: datetime) -> float | None:
    return (moment - now).total_seconds() if moment else float_of(text)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _moment(text: str) -> datetime | None:
    number = float_of(text)
    if number is None or number < EPOCHS_FROM:
        return None
    return datetime.fromtimestamp(min(number, 4 * EPOCHS_FROM), UTC)


def _bounded(seconds: float | None) -> timedelta | None:
    if seconds is None:
        return None
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST.total_seconds()))
