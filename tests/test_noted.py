"""What ended an alert the last times is known to the next page, also after a restart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.model import AlertKey, CheckId, Keepsake
from monitor.noted import Noted
from tests.fakes import START

KEY, OTHER = AlertKey(CheckId("shop", "site"), "down"), AlertKey(CheckId("shop", "site"), "slow")
DAY = timedelta(days=1)


def test_the_last_three_are_told_newest_first() -> None:
    noted = Noted()
    for day, text in enumerate(("slept", "restarted the worker", "rolled back", "restarted it again")):
        noted.add(KEY, text, "ana", START + day * DAY)
    assert noted.of(KEY, START) == (
        "restarted it again (ana, 8 Jan)",
        "rolled back (ana, 7 Jan)",
        "restarted the worker (ana, 6 Jan)",
    )
    assert noted.of(OTHER, START) == ()


def test_a_note_of_another_year_says_so_and_one_of_nobody_names_nobody() -> None:
    noted = Noted()
    noted.add(KEY, "it went away", "", START)
    assert noted.of(KEY, START + 365 * DAY) == ("it went away (5 Jan 2026)",)


def test_the_same_note_counts_once() -> None:
    """A button that was pressed twice."""
    noted = Noted()
    assert noted.add(KEY, "rolled back", "ana", START) == noted.add(KEY, "rolled back", "ana", START)
    assert len(noted.of(KEY, START)) == 1


def test_hostile_notes_are_cleaned() -> None:
    noted = Noted()
    noted.add(KEY, "a\r\nb\x1b[31m\u202e" + "c" * 1_000, "ana\n" * 100, START)
    (text,) = noted.of(KEY, START)
    assert text.startswith("a bccc")
    assert len(text) < 300


def test_a_restart_forgets_nothing() -> None:
    noted, again = Noted(), Noted()
    noted.add(KEY, "slept", "ana", START)
    kept = noted.add(KEY, "rolled back", "bo", START + DAY)
    assert again.restore(kept) == kept
    assert again.of(KEY, START) == noted.of(KEY, START)


def test_what_was_noted_before_the_store_could_be_read_is_joined_with_it() -> None:
    """And given back, to be written: the store may hold less."""
    past, present = Noted(), Noted()
    kept = past.add(KEY, "slept", "ana", START)
    present.add(KEY, "rolled back", "bo", START + DAY)
    joined = present.restore(kept)
    assert joined not in (kept, None)
    assert present.of(KEY, START) == ("rolled back (bo, 6 Jan)", "slept (ana, 5 Jan)")


@pytest.mark.parametrize("body", ["", "{", "null", "[1]", '[["a", "b"]]', '[["a", "b", "c"]]', '[["a", "b", 5]]'])
def test_what_cannot_be_read_is_passed_over(body: str) -> None:
    noted = Noted()
    assert noted.restore(Keepsake(KEY.check, f"noted {KEY.fingerprint}", body)) is not None
    assert noted.of(KEY, START) == ()


def test_what_is_none_of_ours_is_left_to_others() -> None:
    assert Noted().restore(Keepsake(KEY.check, "leftovers", "[]")) is None
