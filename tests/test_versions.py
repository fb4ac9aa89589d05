"""When another version is believed. Pure."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Deploy
from monitor.rollback import verdict
from monitor.versions import Known, Noticed, Step, Versions
from tests.examples import SECOND
from tests.fakes import START

if TYPE_CHECKING:
    from datetime import datetime

MINUTE = 60 * SECOND


def seen(versions: Versions, *shown: str, part: str = "") -> list[Noticed | None]:
    """Return what is noticed when `part` shows these versions, one a second."""
    return [versions.see(part, version, START + number * SECOND) for number, version in enumerate(shown)]


def test_the_first_version_of_all_is_no_deploy() -> None:
    assert seen(Versions(3), "1", "1", "1", "1") == [None] * 4


def test_another_version_counts_when_it_was_seen_often_enough_and_from_its_first_sight() -> None:
    assert seen(Versions(3), "1", "2", "2", "2", "2") == [
        None,
        None,
        None,
        Noticed(Step("", "1", "2"), START + SECOND),
        None,
    ]


def test_instances_that_take_turns_are_no_deploy_until_one_version_is_left() -> None:
    found = seen(Versions(3), "1", "2", "1", "2", "2", "1", "2", "3", "2", "2", "2")
    assert [one for one in found if one] == [Noticed(Step("", "1", "2"), START + 8 * SECOND)]


def test_parts_are_told_apart() -> None:
    versions = Versions(1)
    assert seen(versions, "1", "2", part="api")[-1] == Noticed(Step("api", "1", "2"), START + SECOND)
    assert seen(versions, "1", part="worker") == [None]


def test_what_is_remembered_is_what_was_believed() -> None:
    versions = Versions(2)
    seen(versions, "1", "2", "2", "3")
    again = Versions(2, versions.body)
    assert again.known() == {"": Known("2", START + SECOND, "1")}
    assert seen(again, "3", "3")[-1] == Noticed(Step("", "2", "3"), START)


@pytest.mark.parametrize("body", ["", "[", "[]", '{"a": 1}', '{"a": ["1", "yesterday", ""]}', '"x"'])
def test_what_is_not_understood_is_forgotten(body: str) -> None:
    assert Versions(3, body).known() == {}


@given(shown=st.lists(st.sampled_from("abc"), max_size=40), settled=st.integers(1, 4))
def test_each_deploy_leads_from_the_version_before_it(shown: list[str], settled: int) -> None:
    """A chain without a gap, and each link was shown that often in a row."""
    found = [one for one in seen(Versions(settled), *shown) if one]
    for one, following in itertools.pairwise(found):
        assert one.step.now == following.step.before
    for one in found:
        first = (one.at - START) // SECOND
        assert shown[first : first + settled] == [one.step.now] * settled
        assert one.step.before != one.step.now


@pytest.mark.parametrize(
    ("schemas", "said"),
    [
        ([], "unknown: no check sees which migrations are applied"),
        ([Known("004")], "safe: the schema has not changed since"),
        ([Known("004", START - 61 * MINUTE, "003")], "safe: the schema has not changed since"),
        ([Known("005", START - 2 * MINUTE, "004")], "unsafe: this deploy moved the schema from 004 to 005"),
        (
            [Known("9"), Known("005", START + MINUTE, "004")],
            "unsafe: this deploy moved the schema from 004 to 005",
        ),
        ([Known("004", None, "", "005", 1, START)], "unknown: the schema seems to change just now"),
    ],
)
def test_the_verdict_on_going_back(schemas: list[Known], said: str) -> None:
    assert verdict(Deploy("shop", START, START), schemas, START + SECOND) == said


@pytest.mark.parametrize("looked", [None, START - SECOND])
def test_what_nobody_has_looked_at_since_is_unknown_unless_it_moved(looked: datetime | None) -> None:
    """A database that cannot be reached is not safe to go back on."""
    deploy = Deploy("shop", START, START)
    assert verdict(deploy, [Known("004")], looked) == "unknown: nobody has seen since which migrations are applied"
    assert verdict(deploy, [Known("005", START - MINUTE, "004")], looked).startswith("unsafe")
