from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.trial.series import Cursor, Series, Term, constant, parse_series
from tests.fakes import START

if TYPE_CHECKING:
    from collections.abc import Iterable

MINUTE = timedelta(minutes=1)


def found(text: str, runs: Iterable[int]) -> list[str]:
    """Return what runs find that many minutes after the start."""
    cursor = Cursor(parse_series(text, str), START)
    return [cursor.step(START + minute * MINUTE).value for minute in runs]


def test_a_term_holds_for_runs_or_for_a_time_and_the_last_one_for_ever() -> None:
    assert found("a b x2 c", range(6)) == ["a", "b", "b", "c", "c", "c"]
    assert found("a for 2m b for 1m c", range(6)) == ["a", "a", "b", "c", "c", "c"]


def test_a_time_that_no_run_falls_into_is_passed_over() -> None:
    assert found("a for 2m b for 1m c", [0, 5]) == ["a", "c"]


def test_runs_that_come_sooner_do_not_shorten_a_time() -> None:
    cursor = Cursor(parse_series("a for 1m b", str), START)
    assert [cursor.step(START + n * MINUTE / 6).value for n in range(8)] == ["a"] * 6 + ["b"] * 2


@pytest.mark.parametrize("text", ["a,b x2,c", "a, b x2, c", " a  bx2 c ", "a b×2, c"])
def test_terms_are_parted_by_spaces_and_commas(text: str) -> None:
    assert parse_series(text, str).terms == (Term("a"), Term("b", 2), Term("c"))


def test_a_ramp_goes_evenly_by_runs_and_by_time() -> None:
    for text, minutes in (("0..10 x5", range(5)), ("0..10 for 4m", range(5))):
        cursor = Cursor(parse_series(text, float, ramps=True), START)
        shares = []
        for minute in minutes:
            now = START + minute * MINUTE
            cursor.step(now)
            shares.append(cursor.share(now))
        assert shares == [0, 0.25, 0.5, 0.75, 1]


def test_a_ramp_of_one_run_is_at_its_end() -> None:
    cursor = Cursor(parse_series("0..10", float, ramps=True), START)
    cursor.step(START)
    assert cursor.share(START) == 1


@pytest.mark.parametrize("text", ["", "x2", "a x0", "a x100001", "a for 0s", "a for ever", "a for", ", a"])
def test_what_is_no_series_says_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"term|duration|runs|no time"):
        parse_series(text, _letter)


def _letter(word: str) -> str:
    if word != "a":
        raise ValueError(f"{word} is no term")
    return word


def test_a_constant_is_at_its_end_at_once() -> None:
    cursor = Cursor(constant("a"), START)
    assert cursor.ended(START)
    assert cursor.step(START).value == "a"
    assert cursor.ended(START)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(0, 30))
def test_every_run_is_counted_once(counts: list[int], extra: int) -> None:
    """A series of counted terms finds just so many of each, and then goes on with the last."""
    series = Series(tuple(Term(index, count) for index, count in enumerate(counts)))
    cursor = Cursor(series, START)
    seen = [cursor.step(START + n * MINUTE).value for n in range(sum(counts) + extra)]
    assert seen == [i for i, count in enumerate(counts) for _ in range(count)] + [len(counts) - 1] * extra
    assert cursor.ended(START)
