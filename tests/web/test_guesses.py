from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.web.guesses import MINUTE, ZERO, Allowance, Guesses
from tests.fakes import START

SECOND = timedelta(seconds=1)
FEW = Allowance(each=3, together=6, clients=4)
CLIENTS = st.sampled_from("abcdefgh")


def test_a_client_has_so_many_guesses_a_minute() -> None:
    """The last one closes the door until the minute is over that began with the first."""
    guesses = Guesses(FEW)
    for after in range(3):
        assert guesses.wait("a", START + after * SECOND) == ZERO
        guesses.wrong("a", START + after * SECOND)
    assert guesses.wait("a", START + 3 * SECOND) == MINUTE - 3 * SECOND
    assert guesses.wait("b", START + 3 * SECOND) == ZERO
    assert guesses.wait("a", START + MINUTE - SECOND) == SECOND
    assert guesses.wait("a", START + MINUTE) == ZERO
    guesses.wrong("a", START + MINUTE)
    assert guesses.wait("a", START + MINUTE) == ZERO


def test_when_all_together_had_too_many_each_is_left_one() -> None:
    """Many addresses do not buy an attacker many guesses; who has not guessed is let to the door."""
    guesses = Guesses(FEW)
    for client in "aabbc":
        guesses.wrong(client, START)
    assert guesses.wait("a", START) == ZERO
    guesses.wrong("c", START)
    assert [guesses.wait(client, START) for client in "abc"] == [MINUTE] * 3
    assert guesses.wait("d", START) == ZERO
    guesses.wrong("d", START)
    assert guesses.wait("d", START) == MINUTE
    assert guesses.wait("a", START + MINUTE) == ZERO


def test_the_client_whose_minute_began_first_is_forgotten_first() -> None:
    guesses = Guesses(Allowance(each=1, together=100, clients=2))
    guesses.wrong("a", START)
    guesses.wrong("b", START + SECOND)
    guesses.wrong("a", START + MINUTE)  # a new minute: now b's is the oldest
    guesses.wrong("c", START + MINUTE)
    assert len(guesses) == 2
    assert guesses.wait("b", START + MINUTE) == ZERO
    assert guesses.wait("a", START + MINUTE) == MINUTE


@given(st.lists(st.tuples(CLIENTS, st.integers(0, 40)), max_size=60), st.sampled_from("xyz"))
def test_memory_and_waits_are_bounded_and_others_never_shut_the_door(steps: list[tuple[str, int]], me: str) -> None:
    """Whatever others do: few are remembered, nobody waits longer than a minute, and I am let to the door."""
    guesses, now = Guesses(FEW), START
    for client, seconds in steps:
        now += seconds * SECOND
        assert ZERO <= guesses.wait(client, now) <= MINUTE
        if not guesses.wait(client, now):
            guesses.wrong(client, now)
        assert len(guesses) <= FEW.clients
        assert guesses.wait(me, now) == ZERO


@given(st.lists(st.integers(0, 20), max_size=80))
def test_no_minute_that_is_counted_holds_more_than_allowed(gaps: list[int]) -> None:
    """One client alone, at any pace, is never let guess more often than twice the allowance in any minute."""
    guesses, now, made = Guesses(FEW), START, []
    for gap in gaps:
        now += gap * SECOND
        if not guesses.wait("a", now):
            guesses.wrong("a", now)
            made.append(now)
    for moment in made:
        assert sum(moment <= other < moment + MINUTE for other in made) <= 2 * FEW.each
