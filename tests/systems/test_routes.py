"""Who is told, by the routes as they stand in the file: the people of CL-16, the classes of TA-17, maintenance."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from monitor.model import CheckId, Severity
from monitor.upkeep import Upkeep
from tests.examples import SECOND
from tests.systems.bench import bench
from tests.systems.capliquify import CapLiquify
from tests.systems.tatame import Tatame

if TYPE_CHECKING:
    from tests.peers import Authority
    from tests.systems.bench import Bench

MONDAY, SATURDAY = 0, 5
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LEAD = {"ESCALATION_EMAIL": "lead@example.com"}


def channels(running: Bench[CapLiquify] | Bench[Tatame], word: str) -> set[str]:
    """Return who has just heard something that begins with `word`, and nothing else was said."""
    told = running.told()
    assert all(word in message.headline.lower() for message in told), told
    return {message.channel for message in told}


@pytest.mark.parametrize(
    ("day", "hour", "others"),
    [
        pytest.param(MONDAY, 10, {"devops"}, id="CL-16 in business hours"),
        pytest.param(MONDAY, 20, set(), id="CL-16 in the evening"),
        pytest.param(SATURDAY, 12, set(), id="CL-16 on a Saturday"),
    ],
)
async def test_people_of_capliquify(day: int, hour: int, others: set[str], authority: Authority) -> None:
    """A critical goes to Slack and the CTO at any hour, to operations in business hours; so does its end."""
    async with bench(CapLiquify, authority, **LEAD) as running:
        running.as_written()
        running.until(day, hour)
        await running.run("backend")
        running.stand_in.loses_its_database()
        await running.run("backend", times=3)
        heard = channels(running, "critical")
        assert heard == {"ops", "oncall", "hook", "cto", *others}
        running.stand_in.heal()
        await running.run("backend", times=3)
        assert channels(running, "resolved") == heard


@pytest.mark.parametrize("day", [pytest.param(SATURDAY, id="CL-16 what goes on since the weekend")])
async def test_what_goes_on_since_the_weekend_is_told_on_monday(day: int, authority: Authority) -> None:
    """To the lead of operations, at nine; the database's administrator hears of what is the database's only."""
    async with bench(CapLiquify, authority) as running:
        running.as_written()
        running.until(day, 12)
        await running.run("frontend")
        running.stand_in.front_end_is_gone()
        await running.run("frontend", times=3)
        assert "devops" not in channels(running, "critical")
        running.until(MONDAY, 9)
        await running.run("frontend")
        told = {message.channel for message in running.told()}
        assert "devops" in told
        assert "db-admin" not in told


@pytest.mark.parametrize(
    ("check", "severity", "others"),
    [
        pytest.param("database", Severity.WARNING, {"db-admin", "devops"}, id="CL-16 the database"),
        pytest.param("backend", Severity.WARNING, {"devops"}, id="CL-16 all the rest"),
        pytest.param("database", Severity.CRITICAL, {"db-admin", "devops", "cto"}, id="CL-16 the database, critical"),
    ],
)
async def test_the_slack_channel_of_capliquify_hears_of_everything(
    check: str, severity: Severity, others: set[str], authority: Authority
) -> None:
    """At any hour; the others in business hours, by the zone that is set."""
    slack = {"CAPLIQUIFY_SLACK_WEBHOOK_URL": "https://hooks.example.com/services/T0/B1/x"}
    async with bench(CapLiquify, authority, CAPLIQUIFY_ZONE="Asia/Tokyo", **slack) as running:
        running.as_written()
        running.until(MONDAY, 8)  # 17:00 in Tokyo
        own = {"capliquify", "devops", "db-admin", "cto"}
        assert own & set(running.hears(check, severity)) == {"capliquify", *others}
        running.until(MONDAY, 9)
        assert own & set(running.hears(check, severity)) == {"capliquify", *(others & {"cto"})}


@pytest.mark.parametrize("minutes", [pytest.param(15, id="TA-17 an unacknowledged critical escalates")])
async def test_criticals_of_tatame_leave_at_once_and_escalate(minutes: int, authority: Authority) -> None:
    """To whoever is on call within seconds; a quarter of an hour later to the lead, who hears the end as well."""
    async with bench(Tatame, authority, **LEAD) as running:
        running.as_written()
        await running.run("server")
        running.stand_in.crashes()
        await running.run("server", times=3)
        assert channels(running, "critical") == {"ops", "oncall", "hook"}
        running.clock.skip(minutes * MINUTE)
        await running.run("server")
        assert channels(running, "escalated") == {"lead"}
        running.stand_in.heal()
        await running.run("server", times=3)
        assert channels(running, "resolved") == {"ops", "oncall", "hook", "lead"}


@pytest.mark.parametrize("within", [pytest.param(HOUR, id="TA-17 a warning")])
async def test_warnings_of_tatame_leave_within_the_hour(within: timedelta, authority: Authority) -> None:
    """Not before: others may come, to be told with it."""
    async with bench(Tatame, authority) as running:
        running.as_written()
        await running.run("headers")
        running.stand_in.loses_nosniff()
        await running.run("headers", times=3)
        assert running.told() == []
        await running.later(within - running.plan("headers").check.every * 3)
        await running.later(30 * MINUTE)
        assert channels(running, "warning") == {"ops", "hook"}


@pytest.mark.parametrize("hour", [pytest.param(9, id="TA-17 what is for information")])
async def test_the_rest_of_tatame_is_told_once_a_day(hour: int, authority: Authority) -> None:
    """At nine in the morning."""
    async with bench(Tatame, authority) as running:
        running.as_written()
        running.until(MONDAY, hour - 2)
        await running.run("header-xss")
        running.stand_in.loses_xss_protection()
        await running.run("header-xss", times=3)
        assert running.told() == []
        running.until(MONDAY, hour)
        await running.later(2 * SECOND)
        assert channels(running, "info") == {"ops"}


@pytest.mark.parametrize("notice", [pytest.param(timedelta(hours=24), id="TA-23")])
async def test_maintenance_of_tatame(notice: timedelta, authority: Authority) -> None:
    """Announced a day ahead from the template; alerts are held while it runs; health is checked at its end."""
    begin = datetime.now(ZoneInfo("UTC")).replace(microsecond=0, second=0) + timedelta(days=3)
    planned = {"TATAME_MAINTENANCE": f"{begin:%Y-%m-%d %H:%M}", "TATAME_MAINTENANCE_TITLE": "Database migration"}
    async with bench(Tatame, authority, **planned) as running:
        upkeep = Upkeep(running.clock, running.pipeline, running._run_now)
        server = CheckId("tatame", "server")
        upkeep.configure(running.config.maintenance, {server: running.plan("server")})
        running.pipeline.configure({server: running.plan("server")}, running.routes)

        async def at(moment: datetime) -> None:
            running.clock.skip(moment - running.clock.now())
            await running._run_once(running.plan("server"))
            await upkeep.tick()
            await asyncio.gather(*upkeep.under_way)
            await running.later(0 * SECOND)

        await at(begin - notice - SECOND)
        assert running.told() == []
        await at(begin - notice)
        announced = running.told()
        assert {message.channel for message in announced} == {"ops", "oncall"}
        for word in (f"{begin:%A}", f"from {begin:%H:%M} to {begin + HOUR:%H:%M} UTC", "read-only mode"):
            assert all(word in message.text for message in announced)
        await at(begin)
        running.stand_in.crashes()
        await running.run("server", times=4)
        assert running.told() == []
        await at(begin + HOUR)
        told = running.told()
        assert {message.channel for message in told if "critical" in message.headline.lower()} >= {"ops", "oncall"}
        assert any("1 of 1 checks fail: Server" in message.text for message in told)
