"""Which routes apply to an alert now, and on what terms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import OURS, Alert, AlertKey, CheckId, Severity
from monitor.routing import Escalation, Route, applying, parse_digest, parse_hours, terms, told_of
from tests.fakes import START

W, X, NOTE = Severity.WARNING, Severity.CRITICAL, Severity.INFO
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POOL = AlertKey(CheckId("shop", "database"), "connections", (("state", "idle"),))
OFFICE = parse_hours("Mon-Fri 09:00-18:00")
NIGHT = datetime(2026, 1, 6, 2, tzinfo=UTC)
SATURDAY = datetime(2026, 1, 10, 12, tzinfo=UTC)


def alert(key: AlertKey = POOL, title: str = "Shop: Database: connections") -> Alert:
    return Alert(key, title)


def hears(*routes: Route, severity: Severity = W, now: datetime = START) -> set[str]:
    return told_of(routes, alert(), severity, now)


@pytest.mark.parametrize(
    "route",
    [
        Route(("a",), severities=frozenset({W})),
        Route(("a",), systems=frozenset({"shop"})),
        Route(("a",), checks=("database",)),
        Route(("a",), checks=("nothing", "shop/data*")),
        Route(("a",), alert="Connect*"),
        Route(("a",), alert="*database: CONN*"),
        Route(("a",), labels=(("state", "idle"),)),
        Route(("a",), labels=(("state", "idle"), ("system", "shop"), ("check", "database"))),
    ],
)
def test_a_route_matches_by_whatever_it_names(route: Route) -> None:
    """Severity, system, check, text of the alert, labels."""
    assert hears(route) == {"a"}


@pytest.mark.parametrize(
    "route",
    [
        Route(("a",), severities=frozenset({X})),
        Route(("a",), systems=frozenset({"bank"})),
        Route(("a",), checks=("data",)),
        Route(("a",), checks=("bank/*",)),
        Route(("a",), alert="nect"),
        Route(("a",), labels=(("state", "busy"),)),
        Route(("a",), labels=(("state", "idle"), ("user", "x"))),
        Route(("a",), hours=parse_hours("Sat 09:00-18:00")),
    ],
)
def test_a_route_that_names_something_else_does_not_apply(route: Route) -> None:
    """To a warning, which may reach nobody."""
    assert hears(route) == set()


def test_routes_apply_until_one_says_stop() -> None:
    """All parts of that one apply; one that does not match, or is closed, stops nothing."""
    first = Route(("a",), stop=True, place=0)
    part = Route(("b",), stop=True, place=0)
    last = Route(("c",), place=1)
    assert hears(first, part, last) == {"a", "b"}
    closed = Route(("a",), stop=True, hours=parse_hours("Sat 09:00-18:00"))
    assert hears(closed, last) == {"c"}
    assert hears(Route(("a",), severities=frozenset({X}), stop=True), last) == {"c"}


def test_what_concerns_ourselves_passes_by_routes_of_one_check() -> None:
    """And is told by those of one system."""
    blind = alert(AlertKey(CheckId(OURS, "probes"), "blind"))
    routes = (Route(("a",), systems=frozenset({"bank"})), Route(("b",), checks=("database",)))
    assert told_of(routes, blind, W, START) == {"a"}


def test_business_hours_open_and_close_a_route() -> None:
    """CL-16: all to the mailing list in business hours; critical at any time to Slack."""
    routes = (Route(("slack",), place=0), Route(("list",), hours=OFFICE, place=1))
    assert hears(*routes) == {"slack", "list"}
    assert hears(*routes, now=NIGHT) == {"slack"}
    assert hears(*routes, severity=X, now=SATURDAY) == {"slack"}


def test_a_critical_that_only_closed_routes_take_is_told_all_the_same() -> None:
    """Better at night than not at all."""
    assert hears(Route(("list",), hours=OFFICE), severity=X, now=NIGHT) == {"list"}
    assert hears(Route(("list",), hours=OFFICE), severity=W, now=NIGHT) == set()


def test_a_critical_that_no_route_takes_goes_to_everybody() -> None:
    """To every channel that any route names."""
    routes = (Route(("a",), severities=frozenset({W})), Route(("b",), systems=frozenset({"bank"})))
    assert hears(*routes, severity=X) == {"a", "b"}
    assert applying((), alert(), X, START) == []


globs = st.sampled_from([(), ("database",), ("site",), ("bank/*",)])
all_routes = st.lists(
    st.builds(
        Route,
        notify=st.sampled_from([("a",), ("b",), ("a", "b")]),
        severities=st.frozensets(st.sampled_from(list(Severity))),
        systems=st.frozensets(st.sampled_from(["shop", "bank"])),
        checks=globs,
        stop=st.booleans(),
        within=st.sampled_from([timedelta(), HOUR]),
        digest=st.sampled_from([None, parse_digest("09:00")]),
        hours=st.sampled_from([None, OFFICE, parse_hours("Sat 00:00-24:00 Asia/Tokyo")]),
        escalate=st.sampled_from([(), (Escalation(MINUTE, ("boss",)),)]),
        place=st.integers(0, 3),
    ),
    min_size=1,
    max_size=6,
)


@given(routes=all_routes, minutes=st.integers(0, 8 * 24 * 60), waited=st.none() | st.just(HOUR))
def test_every_firing_critical_reaches_somebody_at_once(
    routes: list[Route], minutes: int, waited: timedelta | None
) -> None:
    """Whatever the routes, whenever it is."""
    told = terms(routes, alert(), X, START + minutes * MINUTE, waited=waited)
    assert set(told) & {"a", "b"}
    assert all(how.leaves is None and how.batch == "" for how in told.values())


@given(routes=all_routes, severity=st.sampled_from([NOTE, W]), minutes=st.integers(0, 8 * 24 * 60))
def test_what_waits_leaves_within_its_time(routes: list[Route], severity: Severity, minutes: int) -> None:
    """And a channel that two routes name hears of it by the sooner one."""
    now = START + minutes * MINUTE
    for channel, how in terms(routes, alert(), severity, now).items():
        naming = [route for route in applying(routes, alert(), severity, now) if channel in route.notify]
        at_once = any(not route.within and route.digest is None for route in naming)
        assert at_once is (how.leaves is None)
        assert how.leaves is None or now < how.leaves <= now + DAY + HOUR
        assert how.repeat == min(route.repeat for route in naming)


def test_an_escalation_comes_with_its_time() -> None:
    """After 15 minutes without an answer, and not without one being waited for."""
    route = Route(("ops",), escalate=(Escalation(15 * MINUTE, ("cto",)), Escalation(HOUR, ("ceo",))))
    assert set(terms([route], alert(), X, START)) == {"ops"}
    assert set(terms([route], alert(), X, START, waited=15 * MINUTE - MINUTE / 60)) == {"ops"}
    assert set(terms([route], alert(), X, START, waited=15 * MINUTE)) == {"ops", "cto"}
    assert set(terms([route], alert(), X, START, waited=2 * HOUR)) == {"ops", "cto", "ceo"}
