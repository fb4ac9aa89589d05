from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from monitor.answer import Answer
from monitor.vendors.pause import asked_pause, written
from tests.fakes import START

SECOND = timedelta(seconds=1)
HTTP_DATE = format_datetime(START, usegmt=True)
IN_A_MINUTE = format_datetime(START + 60 * SECOND, usegmt=True)
SKEWED = format_datetime(START + 660 * SECOND, usegmt=True)
EPOCH = str(int(START.timestamp()) + 90)


def answer(**headers: str) -> Answer:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer(URL("https://api.example.com/"), 429, named, b"", truncated=False, took=SECOND)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "30"}, 30),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after": "0"}, 0),
        ({"retry_after": "-5"}, 0),
        ({"retry_after": "1e12"}, 86_400),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": ""}, None),
        ({"retry_after": IN_A_MINUTE}, 60),
        ({"retry_after": IN_A_MINUTE.replace("GMT", "-0000")}, 60),
        ({"retry_after": SKEWED, "date": format_datetime(START + 600 * SECOND, usegmt=True)}, 60),
        ({"retry_after": HTTP_DATE, "date": IN_A_MINUTE}, 0),
        ({"ratelimit_remaining": "0", "ratelimit_reset": "45"}, 45),
        ({"ratelimit_remaining": "0", "ratelimit_reset": EPOCH}, 90),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": EPOCH}, 90),
        ({"ratelimit_remaining": "1", "ratelimit_reset": "45"}, None),
        ({"ratelimit_remaining": "0"}, None),
        ({"ratelimit_remaining": "0", "ratelimit_reset": "later"}, None),
        ({"ratelimit_remaining": "few", "ratelimit_reset": "45"}, None),
        ({"ratelimit_remaining": "0", "ratelimit_reset": "1e300"}, 86_400),
        ({"retry_after": "5", "ratelimit_remaining": "0", "ratelimit_reset": "45"}, 5),
    ],
)
def test_how_long_an_answer_asks_us_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """A moment is one of the clock that wrote it."""
    expected = None if seconds is None else seconds * SECOND
    assert asked_pause(answer(**headers), START) == expected


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_text_breaks_it(retry: str, remaining: str, reset: str) -> None:
    found = asked_pause(answer(retry_after=retry, date=reset), START)
    assert found is None or timedelta() <= found <= timedelta(days=1)
    found = asked_pause(answer(ratelimit_remaining=remaining, ratelimit_reset=reset), START)
    assert found is None or timedelta() <= found <= timedelta(days=1)


@pytest.mark.parametrize("text", ["", "today", "Mon, 99 Jan 2026 12:00:00 GMT", "0"])
def test_without_a_date_it_was_written_now(text: str) -> None:
    assert written(answer(date=text), START) == START
    assert written(answer(), START) == START


def test_a_date_counts() -> None:
    assert written(answer(date=IN_A_MINUTE), START) == START + 60 * SECOND
