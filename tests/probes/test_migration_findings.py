"""How what stands in a migration tool's table is judged, without a database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.model import Reason
from monitor.probes.migrations import MigrationsCheck
from monitor.probes.migrations.findings import HANGS, Expected, Finding, findings, held_since, measured
from monitor.probes.migrations.tools import TOOLS, Found, golang_locks

DSN = "postgresql://monitor:hunter2@db.test/shop"
KNOWN = ("001", "002", "003", "004", "005")
LONG = HANGS.total_seconds() + 1


def made(tool: str, **fields: object) -> MigrationsCheck:
    return MigrationsCheck.model_validate({"dsn": DSN, "tool": tool, **fields})


def judged(tool: str, expected: Expected, found: Found, held: float = 0.0) -> dict[str, Finding]:
    return {finding.measure: finding for finding in findings(TOOLS[tool], expected, found, held)}


@pytest.mark.parametrize(
    ("expected", "found", "known", "said", "behind"),
    [
        (("005",), ("005",), KNOWN, "", 0),
        (("005",), ("005",), (), "", None),
        (("005",), ("003",), KNOWN, "behind by 2: expected 005, found 003", 2),
        (
            ("003",),
            ("004",),
            KNOWN,
            "ahead by 1: expected 003, found 004; older code is deployed, or this file is old",
            0,
        ),
        (("005",), ("0a7",), KNOWN, "unknown revision: expected 005, found 0a7", None),
        (("005",), ("003",), (), "expected 005, found 003", None),
        (("005",), ("004", "005"), KNOWN, "several heads: expected 005, found 004, 005", None),
        (
            ("005",),
            (),
            KNOWN,
            "expected 005, found none: no migration was applied, or all were taken back",
            None,
        ),
        (("a", "b"), ("b", "a"), (), "", None),
        (("a", "b"), ("a",), (), "expected a, b, found a", None),
        (("a", "b"), ("a", "c"), ("a", "b"), "unknown revision: expected a, b, found a, c", None),
        (("a", "b"), ("a",), ("a", "b"), "expected a, b, found a", None),
    ],
)
def test_each_drift_of_alembic_has_its_own_text(
    expected: tuple[str, ...], found: tuple[str, ...], known: tuple[str, ...], said: str, behind: int | None
) -> None:
    result = judged("alembic", Expected(expected, known), Found(found))
    reason = None if not said else Reason.BODY if found else Reason.MISSING
    assert result.pop("drift") == Finding("drift", bool(said), said, reason)
    assert result == ({} if behind is None else {"behind": Finding("behind", behind, said)})


@pytest.mark.parametrize(
    ("found", "held", "dirty", "said"),
    [
        (Found(("42",)), 0, 0, ""),
        (
            Found(("42",), dirty=True),
            0,
            1,
            "version 42 is dirty: its migration failed half-way, and none will run until that is repaired",
        ),
        (Found(("42",), dirty=True, locked=True), 60, 0, "a migration to version 42 is running"),
        (
            Found(("42",), dirty=True, locked=True),
            LONG,
            1,
            "version 42 is dirty: its migration failed half-way, and none will run until that is repaired",
        ),
        (Found(("42",), locked=True), LONG, 0, ""),
    ],
)
def test_a_version_of_golang_migrate_is_dirty_when_nobody_is_at_work_on_it(
    found: Found, held: float, dirty: float, said: str
) -> None:
    """It is marked before its migration begins; a lock that is held for ever excuses nothing."""
    result = judged("golang-migrate", Expected(), found, held)
    assert result.keys() == {"dirty", "locked"}
    assert result["dirty"] == Finding("dirty", dirty, said, Reason.BODY if dirty else None)
    assert result["locked"].value == held


def test_dirty_and_another_version_are_two_findings() -> None:
    result = judged("golang-migrate", Expected(("41",)), Found(("42",), dirty=True))
    assert [result[name].value for name in ("dirty", "drift")] == [1, 1]
    assert result["drift"].text == "expected 41, found 42"
    result = judged("golang-migrate", Expected(("41",)), Found(("41", "42")))
    assert result["drift"].text == "several versions: expected 41, found 41, 42"


def test_a_lock_that_is_held_is_told_with_the_version_that_waits_for_it() -> None:
    text = judged("golang-migrate", Expected(), Found(("42",), dirty=True, locked=True), 720)["locked"].text
    assert text == "the lock of the migrations has been held for 12 min, as far as was seen, at version 42"
    text = judged("prisma", Expected(), Found(locked=True), 720)["locked"].text
    assert text.endswith("as far as was seen")
    assert not judged("prisma", Expected(), Found())["locked"].text


@pytest.mark.parametrize(
    ("unfinished", "locked", "value", "said", "fault"),
    [
        ((), False, 0, "", False),
        (
            (("20260101_a", 30),),
            True,
            30,
            "20260101_a began 30 s ago and is not finished: it still runs, or its",
            False,
        ),
        ((("20260101_a", LONG),), True, LONG, "20260101_a began 10 min 1 s ago and is not finished: it still", True),
        (
            (("20260101_a", 7200), ("20260102_b", 60)),
            False,
            7200,
            "20260101_a began 2 h ago and is not finished (and 1 more): its lock is not held, so it failed",
            True,
        ),
    ],
)
def test_a_migration_of_prisma_that_is_not_finished_is_a_fault_by_its_age(
    unfinished: tuple[tuple[str, float], ...], *, locked: bool, value: float, said: str, fault: bool
) -> None:
    finding = judged("prisma", Expected(), Found(unfinished=unfinished, locked=locked))["unfinished"]
    assert finding.value == value
    assert finding.text.startswith(said)
    assert bool(finding.text) == bool(said)
    assert (finding.reason is Reason.BODY) == fault


def test_expected_migrations_that_are_not_applied_are_named() -> None:
    expected = tuple(f"app.{number:04}" for number in range(8))
    result = judged("django", Expected(expected), Found(expected[:1], applied=40))
    said = "not applied: app.0001, app.0002, app.0003, app.0004, app.0005 and 2 more (7 of 8 expected)"
    assert result["drift"] == Finding("drift", 1, said, Reason.MISSING)
    assert result["behind"].value == 7
    assert result["applied"].value == 40
    result = judged("django", Expected(expected[:1]), Found(expected[:1], applied=40))
    assert result["drift"] == Finding("drift", 0, "", None)


@pytest.mark.parametrize(
    ("seen", "at", "since"),
    [
        (None, 100, 100),
        ((40, 70), 100, 40),
        ((40, 70), 1000, 1000),  # nobody looked for too long
        ((40, 70), 30, 30),  # the clock of another server
    ],
)
def test_a_lock_is_the_same_while_it_is_seen_again_and_again(
    seen: tuple[float, float] | None, at: float, since: float
) -> None:
    assert held_since(seen, at, gap=90) == since


TEXTS = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True, max_size=4).map(tuple)


@given(
    st.sampled_from(sorted(TOOLS)),
    TEXTS,
    TEXTS,
    TEXTS,
    st.booleans(),
    st.lists(st.tuples(st.just("m"), st.floats(0, 1e9)), max_size=2),
    st.floats(0, 1e9),
)
def test_whatever_is_found_has_a_value_for_what_is_declared(
    tool: str,
    expected: tuple[str, ...],
    found: tuple[str, ...],
    known: tuple[str, ...],
    flag: bool,
    unfinished: list[tuple[str, float]],
    held: float,
) -> None:
    """Drift is told exactly when something differs; every fault has a text, and every measure is declared."""
    stands = Found(found, 3, dirty=flag, unfinished=tuple(unfinished), locked=held > 0)
    result = judged(tool, Expected(expected, known), stands, held)
    assert measured(TOOLS[tool], Expected(expected, known)) - {"behind"} == result.keys() - {"behind"}
    assert all(finding.text for finding in result.values() if finding.reason)
    if expected:
        same = set(expected) <= set(found) if TOOLS[tool].lists else set(expected) == set(found)
        assert (result["drift"].value == 0) == same
        assert (result["drift"].reason is None) == same


def test_the_lock_of_golang_migrate_has_the_number_that_it_gives_itself() -> None:
    """Figures of golang-migrate's own test of GenerateAdvisoryLockId, whose names are joined by NUL."""
    assert golang_locks(("database_name", "schema_name_1"))[0] == 3_244_152_297
    assert golang_locks(("database_name", "schema_name_2"))[0] == 810_103_531


@pytest.mark.parametrize(
    ("tool", "fields", "fault"),
    [
        ("alembic", {}, "expected is needed"),
        ("alembic", {"expected": ""}, "expected is needed"),
        ("alembic", {"expected": 5}, "5 is not the name of a revision; quote it"),
        ("alembic", {"expected": ["a", ""]}, "is not the name of a revision"),
        ("alembic", {"expected": "c", "revisions": ["a", "b"]}, "not among the revisions"),
        ("golang-migrate", {"expected": "v5"}, "'v5' is not a version of golang-migrate"),
        ("golang-migrate", {"expected": True}, "True is not a version"),
        ("golang-migrate", {"expected": 5.5}, "5.5 is not a version"),
        ("golang-migrate", {"expected": [4, 5]}, "golang-migrate has one version"),
        ("prisma", {"revisions": ["a"]}, "prisma has no order of revisions"),
        ("django", {"expected": "0001_initial"}, "is written app.name"),
        ("rails", {}, "Input should be 'alembic'"),
        ("alembic", {"expected": "a", "table": "a.b.c"}, "should match pattern"),
    ],
)
def test_what_makes_no_sense_is_refused_when_the_file_is_read(tool: str, fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError) as caught:
        made(tool, **fields)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("tool", "fields", "expected", "names"),
    [
        ("alembic", {"expected": "005_a"}, ("005_a",), ["drift"]),
        ("alembic", {"expected": ["a", "b"]}, ("a", "b"), ["drift"]),
        ("alembic", {"revisions": ["a", "b"]}, ("b",), ["drift", "behind"]),
        ("golang-migrate", {}, (), ["dirty", "locked"]),
        ("golang-migrate", {"expected": ""}, (), ["dirty", "locked"]),
        ("golang-migrate", {"expected": "0042"}, ("42",), ["drift", "dirty", "locked"]),
        ("golang-migrate", {"expected": 42, "revisions": [41, "42"]}, ("42",), ["drift", "behind", "dirty", "locked"]),
        ("prisma", {}, (), ["unfinished", "applied", "locked"]),
        ("prisma", {"expected": "2026_a"}, ("2026_a",), ["drift", "behind", "unfinished", "applied", "locked"]),
        ("django", {}, (), ["applied"]),
        ("django", {"expected": ["auth.0001"]}, ("auth.0001",), ["drift", "behind", "applied"]),
    ],
)
def test_a_tool_has_the_measures_that_it_can_have(
    tool: str, fields: dict[str, Any], expected: tuple[str, ...], names: list[str]
) -> None:
    check = made(tool, **fields)
    assert check._expected.revisions == expected
    assert [spec.name for spec in check.declared()] == ["duration", "phase", *names]
    assert [fields.watch for fields in check.implied()] == (["locked"] if "locked" in names else [])
