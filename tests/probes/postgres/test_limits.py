"""Which limit is nearest, who holds how many, and what the clients may open at the worst."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import load
from monitor.faults import ConfigError
from monitor.probes import load_kind
from monitor.probes.postgres.budget import Client, arithmetic, worst_case
from monitor.probes.postgres.limits import Held, Limit, holders, limits, tightest

if TYPE_CHECKING:
    from pathlib import Path

ONE = Held(1, here=True, role="app", role_limit=-1, superuser=False, application="api", hidden=False, ours=False)
OURS = ONE._replace(role="monitor", application="runbook-monitor", ours=True)
ROLES = ["app", "admin", "other"]
held = st.builds(
    lambda count, here, role, application: ONE._replace(
        sessions=count, here=here, role=role, superuser=role == "admin", role_limit=5, application=application
    ),
    st.integers(1, 9),
    st.booleans(),
    st.sampled_from(ROLES),
    st.sampled_from("abcdefghijklmnop"),
)


@given(
    crowd=st.lists(held), slots=st.integers(1, 50), database=st.integers(-1, 20), plan=st.none() | st.integers(1, 60)
)
def test_the_nearest_limit_is_the_one_of_which_most_is_used(
    crowd: list[Held], slots: int, database: int, plan: int | None
) -> None:
    """No limit is passed over that would refuse a client before it."""
    found = list(limits([OURS, *crowd], slots, database, plan))
    nearest = tightest(found)
    everybody = 1 + sum(each.sessions for each in crowd)
    assert nearest.share == max(limit.share for limit in found) >= everybody / slots
    assert nearest.used <= everybody
    assert {(limit.size, limit.of) for limit in found if not limit.of} == {(slots, "")} | (
        {(plan, "")} if plan else set()
    )
    roles = {each.role for each in crowd if each.here} - {"admin"}
    assert {limit.of for limit in found if "role" in limit.of} == {f"the role {role}" for role in roles}
    assert ("the database" in {limit.of for limit in found}) == (database >= 0)


@given(crowd=st.lists(held), most=st.integers(1, 12))
def test_everybody_is_counted_once_the_greatest_by_name(crowd: list[Held], most: int) -> None:
    found = holders(crowd, most)
    assert sum(found.values()) == sum(each.sessions for each in crowd)
    assert len(found) <= most + 1
    named = [count for name, count in found.items() if name != "other"]
    assert named == sorted(named, reverse=True)


def test_an_application_that_calls_itself_other_is_among_the_others() -> None:
    crowd = [ONE._replace(application=name, sessions=count) for name, count in [("other", 9), ("a", 3), ("b", 2)]]
    assert holders(crowd, 2) == {"other": 11, "a": 3}


def test_our_own_role_has_no_limit_while_nobody_else_is_in_it() -> None:
    """A role that may connect once is how a monitor's should be."""
    limited = OURS._replace(role_limit=1)
    assert [limit.of for limit in limits([limited, ONE], 10, -1, None)] == [""]
    beside = limited._replace(ours=False, application="psql")
    assert [limit.of for limit in limits([limited, beside], 10, -1, None)] == ["", "the role monitor"]


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (Limit(20, (ONE._replace(sessions=12), OURS)), "13 of 20 slots: api 12, runbook-monitor 1"),
        (Limit(3, (ONE,), "the role app"), "1 of 3 slots of the role app: api 1"),
        (
            Limit(90, tuple(ONE._replace(application=name, sessions=9) for name in "abcdefg")),
            "63 of 90 slots: a 9, b 9, c 9, d 9, e 9, other 18",
        ),
    ],
)
def test_a_limit_says_who_holds_it(limit: Limit, said: str) -> None:
    assert str(limit) == said


def test_a_database_that_takes_nobody_is_full() -> None:
    assert Limit(0, ()).share == 1


TERM = re.compile(r"\w+ (\d+)(?: × (?:\((\d+) \+ (\d+)\)|(\d+)))?")
clients = st.lists(
    st.builds(
        lambda name, pool, over, processes: Client(name=name, pool_size=pool, max_overflow=over, processes=processes),
        st.sampled_from(["api", "worker", "cron"]),
        st.integers(0, 99),
        st.integers(0, 99),
        st.integers(0, 9),
    )
)


@given(clients=clients, limit=st.integers(1, 500))
def test_the_arithmetic_adds_up(clients: list[Client], limit: int) -> None:
    """As whoever reads it would check it."""
    text = arithmetic(clients, limit)
    terms, _, rest = text.partition(" = ")
    total, _, shown = rest.partition(", limit ")
    assert (int(total), int(shown)) == (worst_case(clients), limit)
    found = [[int(figure) for figure in term if figure] for term in TERM.findall(terms)]
    assert len(found) == len(clients) + 1
    assert sum(first * (sum(pool) if pool else 1) for first, *pool in found) == int(total)


def test_the_arithmetic_reads_as_the_runbook_has_it() -> None:
    """ED-09."""
    api = Client(name="api", pool_size=20, max_overflow=10, processes=2)
    worker = Client(name="worker", pool_size=20, max_overflow=10)
    said = "api 2 × (20 + 10) + worker 1 × (20 + 10) + monitor 1 = 91, limit 25"
    assert arithmetic([api, worker], 25) == said
    assert arithmetic([Client(name="api", pool_size=5)], 97) == "api 1 × 5 + monitor 1 = 6, limit 97"


DSN = "postgresql://monitor:hunter2@db.test/shop"


def faults(folder: Path, fields: str) -> str:
    file = folder / "one.yaml"
    file.write_text(f"system: shop\nchecks:\n  db: {{kind: postgres, dsn: '{DSN}', {fields}}}\n")
    try:
        load(file, {})
    except ConfigError as error:
        return "; ".join(map(str, error.faults))
    return ""


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ("limit: 25, size_limit: 1GB, clients: [{name: api, pool_size: 20}], measure: [size, statements]", ""),
        ("thresholds: [{watch: budget_share, warning: '> 100%'}]", "give the clients that make it up"),
        ("thresholds: [{watch: 'max(size_share, 1h)', warning: '> 80%'}]", "give a size_limit that it is a share of"),
        ("thresholds: [{watch: size_share, warning: '> 80%'}], size_limit: 1000", "a size needs a unit"),
        ("thresholds: [{watch: connection_share, critical: '> 100%'}]", ""),
        ("thresholds: [{watch: buffer_hit_share, critical: '> 100%'}]", "can never be true"),
        ("thresholds: [{watch: 'dead_share(', critical: '> 20%'}]", "is no measure"),
        ("measure: [everything]", "'everything' is not allowed"),
        ("limit: 0", "must be greater than or equal to 1"),
        ("clients: [{name: api}]", "pool_size: is required"),
        ("clients: [{name: api, pool_size: -1}]", "must be greater than or equal to 0"),
    ],
)
def test_fields_that_make_no_sense_are_faults(fields: str, fault: str, tmp_path: Path) -> None:
    said = faults(tmp_path, fields)
    assert fault in said
    assert bool(said) is bool(fault)
    assert "hunter2" not in said


def implied(**fields: Any) -> set[str]:  # noqa: ANN401 - any fields
    check = load_kind("postgres").model_validate({"kind": "postgres", "dsn": DSN, **fields})
    return {threshold.watch for threshold in check.implied()}


def test_what_nobody_should_have_to_think_of_is_watched_anyway() -> None:
    always = {"hidden", "unmeasured", "wraparound_share"}
    assert implied() == always
    assert implied(clients=[{"name": "api", "pool_size": 1}]) == {*always, "budget_share"}
