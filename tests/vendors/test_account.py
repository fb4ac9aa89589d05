from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.secrets import Secret
from monitor.vendors import SHARE, Access, Account, Accounts, Limit, Vendor
from tests.fakes import START

SECOND = timedelta(seconds=1)
LIMIT = Limit(100, 10 * SECOND)


def gone_by(account: Account, now: datetime) -> datetime:
    """Return when the account takes the next request."""
    return now + account.wait(now)


def test_a_share_of_the_limit_may_go_at_once_and_the_rest_must_wait() -> None:
    account = Account(LIMIT)
    for number in range(10):
        assert not account.wait(START + number * SECOND / 10)
        account.spend(START + number * SECOND / 10)
    assert account.wait(START + SECOND) == 9 * SECOND
    assert not account.wait(START + 10 * SECOND)


def test_a_limit_whose_share_is_less_than_one_request_is_spread_over_longer() -> None:
    """Of five a minute one goes every two minutes."""
    account = Account(Limit(5, timedelta(minutes=1)))
    assert not account.wait(START)
    account.spend(START)
    assert account.wait(START) == timedelta(minutes=2)


def test_a_request_that_cost_more_than_the_whole_share_waits_only_for_itself() -> None:
    account = Account(LIMIT)
    account.spend(START, 500)
    assert account.wait(START) == 10 * SECOND


@given(
    st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from([1.0, 3.0, 9.5])), max_size=60),
    st.sampled_from([Limit(100, 10 * SECOND), Limit(25, SECOND), Limit(7, timedelta(minutes=1))]),
)
def test_no_window_ever_holds_more_than_our_share(steps: list[tuple[int, float]], limit: Limit) -> None:
    """Whoever waits as told stays within it, but for one request that turned out to cost more."""
    account, now = Account(limit), START
    spent: list[tuple[datetime, float]] = []
    for pause, cost in steps:
        now = gone_by(account, now + timedelta(milliseconds=pause))
        assert not account.wait(now)
        within = sum(each for at, each in spent if at > now - limit.per)
        assert within + 1 <= max(limit.most * SHARE, 1.0) + 1e-9
        account.spend(now, cost)
        spent.append((now, cost))


def test_a_429_without_a_word_means_a_pause_that_doubles_until_an_answer() -> None:
    account, now, pauses = Account(LIMIT), START, []
    for _ in range(7):
        account.answered(now, 429)
        pauses.append(account.pause(now) // SECOND)
        now += account.pause(now)
        assert not account.pause(now)
    assert pauses == [30, 60, 120, 240, 480, 900, 900]
    account.answered(now, 200)
    account.answered(now, 429)
    assert account.pause(now) == 30 * SECOND


@pytest.mark.parametrize("status", [429, 503, 200])
def test_a_pause_that_is_asked_for_is_kept(status: int) -> None:
    account = Account(LIMIT)
    account.answered(START, status, 7 * SECOND)
    assert account.pause(START + 3 * SECOND) == 4 * SECOND
    assert not account.pause(START + 7 * SECOND)


def test_a_refusal_in_the_body_is_one() -> None:
    account = Account(LIMIT)
    account.answered(START, 200)
    account.throttled(START, 2 * SECOND)
    assert account.pause(START) == 2 * SECOND
    assert account.errors(START) == (0.1, "1 of our 1 requests in the last hour, as a share of 10: 1 × 429")
    account.throttled(START, None)
    assert account.pause(START) == 2 * SECOND
    account.throttled(START, 5 * SECOND)
    assert account.pause(START) == 5 * SECOND
    assert account.errors(START)[0] == pytest.approx(0.1)


def test_a_refusal_before_any_answer_is_one_too() -> None:
    account = Account(LIMIT)
    account.throttled(START, 2 * SECOND)
    assert account.pause(START) == 2 * SECOND


@given(st.lists(st.sampled_from([200, 404, 429, 500, 503]), max_size=60))
def test_the_share_of_errors_is_one_of_ten_at_least(statuses: list[int]) -> None:
    account = Account(LIMIT)
    for status in statuses:
        account.answered(START, status)
    failed = sum(status == 429 or status >= 500 for status in statuses)
    assert account.errors(START)[0] == pytest.approx(failed / max(len(statuses), 10))
    assert account.errors(START + timedelta(hours=1))[0] == 0


def test_each_key_has_an_account_that_does_not_tell_it() -> None:
    vendor = Vendor("Example", LIMIT, keys=re.compile("x"))
    accounts = Accounts()
    one, other = (Access(vendor, "https://api.example.com", Secret(key), ()) for key in ("hunter2-a", "hunter2-b"))
    assert accounts.of(one) is accounts.of(Access(vendor, "https://api.example.com", Secret("hunter2-a"), ()))
    assert accounts.of(one) is not accounts.of(other)
    assert "hunter2" not in repr(accounts.__dict__) + one.name + repr(one)


def test_keys_of_one_limit_share_what_they_may_use_and_nothing_else() -> None:
    """What one has spent the other has not left; its answers and its refusals are its own."""
    vendor = Vendor("Example", LIMIT, keys=re.compile("x"), share=0.05, together=True)
    accounts = Accounts()
    here = [Access(vendor, "https://api.example.com", Secret(key), ()) for key in ("a", "b")]
    one, other = map(accounts.of, here)
    elsewhere = accounts.of(Access(vendor, "https://eu.example.com", Secret("a"), ()))
    for account in (one, other, one, other, one):
        assert not account.wait(START)
        account.spend(START)
    assert one.wait(START) == other.wait(START) == 10 * SECOND
    assert not elsewhere.wait(START)
    one.answered(START, 429, SECOND)
    assert not other.pause(START)
    assert one.kept is not other.kept


def test_a_limit_of_each_key_is_its_own() -> None:
    vendor = Vendor("Example", LIMIT, keys=re.compile("x"))
    one, other = (Access(vendor, "https://api.example.com", Secret(key), ()) for key in ("a", "b"))
    assert one.purse != other.purse


def test_an_answer_is_kept_for_a_day() -> None:
    """Each has a number, by which whoever had it knows it again."""
    account = Account(LIMIT)
    assert [account.keep("a", 1, START), account.keep("a", 2, START), account.keep("b", 3, START)] == [0, 1, 0]
    account.keep("c", 4, START + timedelta(hours=23))
    assert account.kept.keys() == {"a", "b", "c"}
    account.keep("d", 5, START + timedelta(days=1))
    assert account.kept.keys() == {"c", "d"}
