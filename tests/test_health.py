"""How the daemon says it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from monitor.deadman import Progress
from monitor.health import Health
from monitor.metrics import Metrics
from tests.examples import SECOND
from tests.fakes import START, FakeClock
from tests.plans import Scripted, plan

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from monitor.plan import Plan

MINUTE = 60 * SECOND


class Clock(FakeClock):
    """A clock whose wall is a second ahead."""

    def offset(self) -> timedelta:
        return SECOND


@dataclass
class Parts:
    """Every part that is asked, in one."""

    leads: bool = True
    reached: bool = True
    available: bool = True
    judged_at: datetime = START
    committed_at: datetime | None = START
    lost_samples: int = 0
    owed_since: datetime | None = None
    plans: list[Plan] = field(default_factory=lambda: [plan()])

    def oldest(self) -> datetime | None:
        return self.owed_since


def health(parts: Parts, clock: Clock) -> Health:
    part: Any = parts
    return Health(clock, part, part, part, part, lambda: parts.plans)  # type: ignore[arg-type] # a clock is a clock


async def after(clock: Clock, parts: Parts, minutes: float) -> list[str]:
    """Return the problems after so many minutes."""
    asked = health(parts, clock)
    await clock.advance(minutes * MINUTE)
    return list(asked.problems())


async def test_a_daemon_that_judges_nothing_is_ill_after_two_minutes() -> None:
    assert await after(Clock(), Parts(), 2) == []
    assert await after(Clock(), Parts(), 2.5) == ["no sample was judged for 150 s"]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(Parts(leads=False), id="it waits for the lease"),
        pytest.param(Parts(plans=[]), id="it watches nothing"),
        pytest.param(
            Parts(plans=[replace(plan(), check=Scripted(regular=False))]), id="nothing runs unless it is asked for"
        ),
    ],
)
async def test_who_has_no_work_is_well(parts: Parts) -> None:
    """A platform must not restart an instance that waits for its turn."""
    assert await after(Clock(), parts, 60) == []


async def test_checks_that_run_seldom_have_longer() -> None:
    """Twice their pace counts as a pace, and twice that as too long."""
    seldom = Parts(plans=[replace(plan(), check=Scripted(every=600 * SECOND))])
    assert await after(Clock(), seldom, 39) == []
    assert await after(Clock(), seldom, 41) != []


@pytest.mark.parametrize(("reached", "available"), [(False, True), (True, False)])
def test_without_a_store_it_is_not_ready(*, reached: bool, available: bool) -> None:
    told = health(Parts(reached=reached, available=available), Clock()).not_ready()
    assert told == ["the store cannot be reached: what happens is remembered in memory only"]
    assert health(Parts(), Clock()).not_ready() == []


def test_progress_is_that_of_the_parts() -> None:
    parts = Parts(owed_since=START - MINUTE)
    assert health(parts, Clock()).progress() == Progress(START, START, START - MINUTE)


def test_what_it_shows_of_itself() -> None:
    metrics, parts = Metrics(), Parts(lost_samples=3)
    asked = health(parts, Clock())
    asked.show(metrics.daemon)
    parts.leads, parts.lost_samples = False, 5
    asked.show(metrics.daemon)
    lines = metrics.page().decode().splitlines()
    for line in (
        "monitor_leader 0.0",
        "monitor_store_available 1.0",
        "monitor_clock_offset_seconds 1.0",
        "monitor_samples_lost_total 5.0",
    ):
        assert line in lines
