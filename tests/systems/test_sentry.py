"""What Sentry knows of the systems: errors beyond the usual hour, new issues, and its own blindness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from monitor.model import State
from tests.baseline.hours import HOUR, WEEK, each_hour, measure
from tests.systems.bench import bench
from tests.systems.capliquify import CapLiquify
from tests.systems.ecomdash import EcomDash
from tests.systems.proof import INFO, WARNING
from tests.systems.sentry_api import MINUTE, TOKEN, SentryApi
from tests.systems.site import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.peers import Authority
    from tests.systems.bench import Bench
    from tests.systems.site import StandIn


def addresses(system: str, sentry: SentryApi) -> dict[str, str]:
    return {
        f"{system}_SENTRY_TOKEN": TOKEN,
        f"{system}_SENTRY_ORG_NAME": sentry.org,
        f"{system}_SENTRY_PROJECT_NAME": "api",
        f"{system}_SENTRY_URL": sentry.url,
    }


class Reporting:
    """A system that reports its errors to Sentry."""

    def build_sentry(self, system: StandIn) -> None:
        self.sentry = SentryApi("sentry.io", system.authority, system.now)
        system.sites.append(self.sentry)


class ReportingCapLiquify(Reporting, CapLiquify):
    def build(self) -> None:
        super().build()
        self.build_sentry(self)

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **addresses("CAPLIQUIFY", self.sentry)}


class ReportingEcomDash(Reporting, EcomDash):
    def build(self) -> None:
        super().build()
        self.build_sentry(self)

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **addresses("ECOMDASH", self.sentry)}


def remembers(running: Bench[Any], usual: float) -> None:
    """Have the daemon remember four weeks in which each hour had so many errors."""
    check = running.plan("sentry").id
    before = running._pipeline.pasts()[check]
    known = before.emptied()
    begin = running.clock.now().replace(minute=0, second=0, microsecond=0) - 4 * WEEK
    for hour in each_hour(4, lambda _: [measure(usual, name="errors", count=6)], begin):
        known.add(hour)
    known.read_at = running.clock.now()
    running._pipeline.look_back(check, before, known)


SYSTEMS = [pytest.param(ReportingCapLiquify, id="CL-20"), pytest.param(ReportingEcomDash, id="ED-22")]


@pytest.mark.parametrize("system", SYSTEMS)
async def test_errors_beyond_three_times_the_usual_hour(
    system: Callable[[Authority], Any], authority: Authority
) -> None:
    """120 are usual; 300 in an hour are not yet a surge, 420 are, and it ends when they are few again."""
    async with bench(system, authority) as running:
        sentry = running.stand_in.sentry
        remembers(running, 120)
        await running.run("sentry", times=2)
        assert running.told() == []
        sentry.errors = 5
        await running.run("sentry", times=7)
        assert running.told() == []
        sentry.errors = 7
        await running.run("sentry", times=7)
        title = f"{running.plan('sentry').title}: error surge"
        running.assert_told("sentry", WARNING, title, "Did it begin with")
        sentry.errors = 2
        await running.run("sentry", times=8)
        running.assert_resolved("sentry", WARNING)


@pytest.mark.parametrize(
    ("substatus", "first", "severity", "threshold"),
    [
        pytest.param("new", 5 * MINUTE, INFO, "new issues", id="ED-22 new"),
        pytest.param("escalating", 9 * HOUR, WARNING, "escalating issues", id="ED-22 surge"),
    ],
)
async def test_an_issue(substatus: str, first: Any, severity: Any, threshold: str, authority: Authority) -> None:  # noqa: ANN401
    """Told by its short id with a link, and without a word of its text."""
    async with bench(ReportingEcomDash, authority) as running:
        sentry = running.stand_in.sentry
        sentry.has("ongoing")
        await running.run("sentry", times=2)
        assert running.told() == []
        sentry.has(substatus, "KeyError: eve@example.com", first=first)
        sample = await running.run("sentry")
        assert "eve" not in repr(sample)
        title = f"{running.plan('sentry').title}: {threshold}"
        link = "https://example.sentry.io/issues/2/"
        running.assert_told("sentry", severity, title, "API-2", link, "Its tags say which shop")
        sentry.issues.pop()
        await running.run("sentry")
        running.assert_resolved("sentry", severity)


@pytest.mark.parametrize("system", SYSTEMS)
async def test_sentry_that_drops_events_is_blind(system: Callable[[Authority], Any], authority: Authority) -> None:
    """That says so itself; and what Sentry does wrong tells nobody anything."""
    async with bench(system, authority) as running:
        sentry = running.stand_in.sentry
        await running.run("sentry", times=2)
        sentry.drops(500)
        await running.run("sentry")
        running.assert_told("sentry", WARNING, "Sentry is blind", "500 rate limited", "no new issue means nothing now")
        sentry.says = page("<h1>502</h1>", 502)
        assert (await running.run("sentry", times=3)).state is State.UNKNOWN
        assert running.told() == []
        sentry.heal()
        await running.run("sentry")
        running.assert_resolved("sentry", WARNING)
