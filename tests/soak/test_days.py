"""Whole days, and the exact list of messages: by channel and to the second, or to the grain where a day is long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.channels.base import Delivered, Retry
from monitor.maintenance import TEMPLATE, Announcement, Maintenance
from monitor.model import Act, CheckId, Deed, Patience, Scope, Severity, State
from monitor.probes.base import Retry as RetryFields
from monitor.routing import Escalation, Route, parse_digest, parse_hours
from tests.plans import Scripted, plan
from tests.soak.days import World, any_of, counts, days, utc

if TYPE_CHECKING:
    from monitor.plan import Plan

pytestmark = pytest.mark.timeout(240)  # seconds of work alone, many times that beside others
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
X, W, NOTE = frozenset({Severity.CRITICAL}), frozenset({Severity.WARNING}), frozenset({Severity.INFO})
SITE = CheckId("shop", "site")
NIGHT = utc("2026-01-06 02:00")
URGENT = (Route(("ops", "oncall"), X, repeat=30 * MINUTE, escalate=(Escalation(15 * MINUTE, ("cto",)),)),)
BERLIN = "Europe/Berlin"

Target = Callable[[CheckId, datetime], State]


def down(*spans: tuple[datetime, datetime]) -> Target:
    inside = any_of(*spans)
    return lambda _, at: State.DOWN if inside(at) else State.UP


def slow(check: CheckId, severity: Severity = Severity.CRITICAL, retry: timedelta = 10 * SECOND) -> Plan:
    """Return the plan of a check that runs every minute, and at the pace of `retry` while it fails."""
    runs = Scripted(every=MINUTE, timeout=5 * SECOND, retry=RetryFields(every=retry))
    return replace(plan(check=check), check=runs, down={severity: Patience(breaches=3, clears=2)})


def a_night(*deeds: tuple[timedelta, Act | None]) -> World:
    """Let the site be down from 02:00 to 03:10."""
    world = World({SITE: plan(check=SITE)}, URGENT, down((NIGHT, NIGHT + 70 * MINUTE)))
    return days(world, NIGHT - 5 * MINUTE, 90 * MINUTE, deeds)


UNTAKEN = [
    "Tue 02:00:22 oncall: CRITICAL: Shop: Site: down",
    "Tue 02:00:22 ops: CRITICAL: Shop: Site: down",
    "Tue 02:15:22 cto: Escalated, nobody took it for 15 min: Shop: Site: down",
    "Tue 02:30:22 oncall: Still critical after 30 min: Shop: Site: down",
    "Tue 02:30:22 ops: Still critical after 30 min: Shop: Site: down",
    "Tue 02:45:22 cto: Still critical after 45 min: Shop: Site: down",
    "Tue 03:00:22 oncall: Still critical after 1 h: Shop: Site: down",
    "Tue 03:00:22 ops: Still critical after 1 h: Shop: Site: down",
    "Tue 03:10:12 cto: Resolved after 1 h 9 min: Shop: Site: down",
    "Tue 03:10:12 oncall: Resolved after 1 h 9 min: Shop: Site: down",
    "Tue 03:10:12 ops: Resolved after 1 h 9 min: Shop: Site: down",
]


def test_a_critical_at_two_in_the_morning_that_nobody_takes() -> None:
    """TA-17: at once, to the CTO after a quarter of an hour, each half hour again, and the end to all three."""
    assert sorted(a_night().lines) == sorted(UNTAKEN)


KILLS = [15 * SECOND, 21 * SECOND, 23 * SECOND, 15 * MINUTE + 21 * SECOND, 44 * MINUTE, 70 * MINUTE + 5 * SECOND]


@pytest.mark.parametrize("kills", [[after] for after in KILLS] + [KILLS], ids=[*map(str, KILLS), "all of these"])
def test_kill_9_in_between_changes_no_message(kills: list[timedelta]) -> None:
    """Before the page, between the decision and the send, between escalation and reminder, before the end."""
    world = a_night(*((5 * MINUTE + after, None) for after in kills))
    minute = {str(line)[:9] + str(line)[12:] for line in world.lines}
    assert len(world.lines) == len(UNTAKEN)
    assert minute == {line[:9] + line[12:] for line in UNTAKEN}


def test_one_that_somebody_takes_is_quiet_from_then_on() -> None:
    """Neither the CTO nor any reminder; who took it is told at once, without the minute of a page."""
    taken = Act("1", NIGHT, Deed.ACKNOWLEDGE, "ana", Scope("shop", "site"))
    assert sorted(a_night((15 * MINUTE, taken)).lines) == [
        "Tue 02:00:22 oncall: CRITICAL: Shop: Site: down",
        "Tue 02:00:22 ops: CRITICAL: Shop: Site: down",
        "Tue 02:10:01 oncall: Taken by ana until 06:10: Shop: Site: down",
        "Tue 02:10:01 ops: Taken by ana until 06:10: Shop: Site: down",
        "Tue 03:10:12 oncall: Resolved after 1 h 9 min: Shop: Site: down",
        "Tue 03:10:12 ops: Resolved after 1 h 9 min: Shop: Site: down",
    ]


def test_a_warning_on_a_saturday_is_told_on_monday_at_nine() -> None:
    """CL-16: business hours, those of Berlin; looked at every 30 s, for this takes two days."""
    office = parse_hours("Mon-Fri 09:00-18:00 Europe/Berlin")
    spell = utc("2026-01-10 10:00"), utc("2026-01-12 09:30")
    plans, routes = {SITE: slow(SITE, Severity.WARNING, MINUTE)}, (Route(("devops",), W, hours=office),)
    world = World(plans, routes, down(spell), grain=30 * SECOND)
    assert days(world, utc("2026-01-10 09:00"), 49 * HOUR).lines == [
        "Mon 08:00:30 devops: Warning: Shop: Site: down",
        "Mon 09:31:30 devops: Resolved after 1 d 23 h: Shop: Site: down",
    ]


def test_warnings_leave_within_the_hour_and_the_rest_once_a_day() -> None:
    """TA-17: in one message each, with what came and went meanwhile."""
    a, b, c, d = (CheckId("shop", name) for name in "abcd")
    end = utc("2026-01-06 12:30")
    spells = {
        a: (utc("2026-01-06 10:00"), end),
        b: (utc("2026-01-06 10:30"), end),
        c: (utc("2026-01-06 10:45"), utc("2026-01-06 10:50")),
        d: (utc("2026-01-06 09:00"), end),
    }
    plans = {check: slow(check, Severity.INFO if check == d else Severity.WARNING) for check in spells}
    digest = parse_digest("12:00")
    routes = (Route(("ops",), W, within=HOUR, repeat=24 * HOUR), Route(("ops",), NOTE, digest=digest, repeat=24 * HOUR))
    world = World(
        plans, routes, lambda check, at: State.DOWN if spells[check][0] <= at < spells[check][1] else State.UP
    )
    assert days(world, utc("2026-01-06 08:50"), 5 * HOUR).lines == [
        "Tue 11:00:58 ops: 2 warning, 1 resolved in shop (3)",
        "Tue 12:00:00 ops: Info: Shop: D: down",
        "Tue 13:30:18 ops: 2 resolved in shop (2)",
    ]


def test_an_hour_of_flapping_is_said_once() -> None:
    """Down for five minutes, up for five: seen after four changes; then only how it stands when it is stable."""
    begin = utc("2026-01-06 10:00")
    flaps: Target = lambda _, at: (  # noqa: E731 - one expression, once
        State.DOWN if begin <= at < begin + HOUR and (at - begin) // (5 * MINUTE) % 2 == 0 else State.UP
    )
    world = World({SITE: plan(check=SITE)}, (Route(("ops",), X, repeat=30 * MINUTE),), flaps)
    assert days(world, begin - 10 * MINUTE, 3 * HOUR).lines == [
        "Tue 10:00:22 ops: CRITICAL: Shop: Site: down",
        "Tue 10:05:12 ops: Resolved after 4 min 50 s: Shop: Site: down",
        "Tue 10:10:22 ops: CRITICAL: Shop: Site: down",
        "Tue 10:15:12 ops: Flapping: Shop: Site: down (4 changes in an hour)",
        "Tue 11:25:12 ops: Resolved after 1 h 14 min: Shop: Site: down",
    ]


def test_a_storm_of_500_over_five_systems_is_a_few_messages_a_channel() -> None:
    """Or three, and as many when it is over; what they share stands in the first line."""
    begin = utc("2026-01-06 10:00")
    checks = [CheckId(system, f"c{number}") for system in "abcde" for number in range(100)]
    plans = {check: slow(check) for check in checks}
    world = World(plans, (Route(("ops", "oncall"), X, repeat=4 * HOUR),), down((begin, begin + 3 * MINUTE)))
    days(world, begin - MINUTE, 8 * MINUTE)
    told = counts(world.heard)
    assert set(told) == {"ops", "oncall"}
    for channel in told:
        pages = [one for one in world.heard if one.channel == channel and "CRITICAL" in one.headline]
        ends = [one for one in world.heard if one.channel == channel and "resolved" in one.headline]
        assert len(pages) <= 3
        assert len(ends) <= 3
        assert sum(one.alerts for one in pages) == sum(one.alerts for one in ends) == len(checks)


def test_a_maintenance_over_the_night_in_which_the_clock_goes_back() -> None:
    """TA-23: from 01:30 to 03:30 on the wall, which is three hours; looked at every 10 s.

    What fired before has its end told in it, what came and went in it is never told, what still fires at its end is.
    """
    window = Maintenance(
        "shop",
        "Shop",
        "Upgrade",
        BERLIN,
        weekly=parse_hours("Sun 01:30-03:30", BERLIN),
        announcement=Announcement(("list",), 24 * HOUR, TEMPLATE),
    )
    spells = [("24 23:00", "25 00:10"), ("25 01:00", "25 01:10"), ("25 02:00", "25 03:00")]
    target = down(*((utc(f"2026-10-{begin}"), utc(f"2026-10-{end}")) for begin, end in spells))
    routes = (Route(("ops",), X, repeat=2 * HOUR),)
    world = World({SITE: slow(SITE)}, routes, target, windows=[window], grain=10 * SECOND)
    assert days(world, utc("2026-10-23 23:00"), 29 * HOUR).lines == [
        "Fri 23:30:10 list: Announced: Shop: Upgrade",
        "Sat 23:00:30 ops: CRITICAL: Shop: Site: down",
        "Sun 00:10:20 ops: Resolved after 1 h 9 min: Shop: Site: down",
        "Sun 02:30:10 list: Announced: Shop: Upgrade",
        "Sun 02:30:10 ops: CRITICAL: Shop: Site: down",
        "Sun 03:00:20 ops: Resolved after 59 min 50 s: Shop: Site: down",
    ]
    said = [delivery.notifications[0].page.summary for delivery in world.deliveries]
    assert "On Sunday, 25 October 2026 from 01:30 to 03:30 (Europe/Berlin), about 3 h." in said[0]
    assert said[3] == "Upgrade is over. 1 of 1 checks fail: Site."


def test_slack_is_down_for_two_hours_in_the_middle_of_it() -> None:
    """The fallback gets page and reminder after a minute each; Slack hears how it stands when it is back."""
    gone = any_of((NIGHT - HOUR, NIGHT + HOUR))
    world = World(
        {SITE: plan(check=SITE)},
        (Route(("slack",), X, repeat=30 * MINUTE),),
        down((NIGHT, NIGHT + 90 * MINUTE)),
        fallbacks={"slack": "mail"},
        answer=lambda name, at: Retry("503") if name == "slack" and gone(at) else Delivered(),
    )
    assert sorted(days(world, NIGHT - 5 * MINUTE, 110 * MINUTE).lines) == [
        "Tue 02:01:22 mail: CRITICAL: Shop: Site: down",
        "Tue 02:31:22 mail: Still critical after 31 min 1 s: Shop: Site: down",
        "Tue 03:00:22 slack: CRITICAL: Shop: Site: down",
        "Tue 03:30:12 mail: Resolved after 1 h 29 min: Shop: Site: down",
        "Tue 03:30:12 slack: Resolved after 1 h 29 min: Shop: Site: down",
    ]
