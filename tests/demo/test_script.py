"""Each fault of the script crosses exactly the figures that it is meant to, as the real probes see it."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.demo.script import DIGEST, FAULTS, LENGTH, MAINTENANCE, SCRIPT, Dials, dials, scripted
from monitor.model import CheckId, Severity
from tests.demo.stages import SECOND, watched

if TYPE_CHECKING:
    from collections.abc import Iterable

IN_SCRIPT = [fault for fault in SCRIPT if fault.scripted]
REPORTED = "job-silent"
"""What is seen only by a daemon to which a job reports."""
LATE = 40 * SECOND
"""So long after its beginning, or shortly before its end, every fault is at its worst."""
QUIET = 5 * SECOND
ALWAYS = {(CheckId("shop", "keys"), "due"): Severity.INFO}
"""A key grows old all the time, which is for the digest."""


@pytest.mark.parametrize("name", [name for name in FAULTS if name != REPORTED])
async def test_a_fault_opens_its_alerts_and_no_other(name: str) -> None:
    """At its worst, in every system; when it is healed, all is as it was."""
    fault = FAULTS[name]
    async with watched() as demo:
        demo.world.happen(name)
        demo.clock.skip(min(LATE, fault.lasts - QUIET) if fault.scripted else LATE)
        meant = {(CheckId(fault.system, one.check), one.alert): one.severity for one in fault.shows}
        assert await demo.found() == meant | ALWAYS
        demo.world.heal()
        demo.clock.skip(LATE)
        assert await demo.found() == ALWAYS


def test_the_script_begins_and_ends_well() -> None:
    """With a quiet while for looking around, and one at the end."""
    assert dials(scripted(0 * SECOND)) == dials(scripted(LENGTH)) == Dials()
    assert IN_SCRIPT[0].begins >= 30 * SECOND
    assert max(fault.ends for fault in IN_SCRIPT) + 4 * QUIET <= LENGTH
    assert [fault.begins for fault in IN_SCRIPT] == sorted(fault.begins for fault in IN_SCRIPT)


@pytest.mark.parametrize("system", sorted({fault.system for fault in SCRIPT}))
def test_one_system_has_one_fault_at_a_time(system: str) -> None:
    """And a while between two, so that each is seen by itself."""
    own = [fault for fault in IN_SCRIPT if fault.system == system]
    assert len(own) >= 2
    assert all(later.begins - fault.ends >= QUIET for fault, later in pairwise(own))


async def test_a_fault_lasts_until_somebody_is_told() -> None:
    """For longer than the patience of its alert, its pace and two runs more."""
    async with watched() as demo:
        for fault in IN_SCRIPT:
            for one in fault.shows:
                plan = demo.config.plans[CheckId(fault.system, one.check)]
                threshold = plan.threshold(one.alert)
                patience = (threshold.patience if threshold else plan.down)[one.severity]
                needed = patience.for_ + (patience.breaches + 2) * plan.check.every
                assert fault.lasts >= needed + QUIET, (fault.name, one)


async def test_the_rebuild_is_inside_the_maintenance_that_the_file_plans() -> None:
    """Whenever the demo is started: its moment is counted from then."""
    begins, lasts = MAINTENANCE
    assert begins + QUIET <= FAULTS["rebuild"].begins
    assert FAULTS["rebuild"].ends + QUIET <= begins + lasts
    async with watched(by_hand=False) as demo:
        (window,) = demo.config.maintenance
        (planned,) = window.coming(demo.clock.now() + begins)
        assert window.system == "licences"
        assert planned.end - planned.begin == lasts
        assert abs(planned.begin - demo.clock.now() - begins) <= SECOND


async def test_without_a_script_no_maintenance_comes() -> None:
    async with watched() as demo:
        assert not demo.config.maintenance


def test_the_digest_leaves_within_the_ten_minutes() -> None:
    """With the whole minute after it at the latest."""
    assert DIGEST + 60 * SECOND <= LENGTH


@given(st.floats(0, 2 * LENGTH.total_seconds()))
def test_the_world_is_told_at_any_second(second: float) -> None:
    """What goes on then has begun and not ended, and the dials follow from it."""
    going_on = scripted(second * SECOND)
    for name, so_far in going_on.items():
        assert 0 * SECOND <= so_far < FAULTS[name].lasts
        assert FAULTS[name].begins + so_far == second * SECOND
    changed = dials(going_on)
    assert all(getattr(changed, dial) == getattr(Dials(), dial) for dial in _untouched(going_on))


def _untouched(names: Iterable[str]) -> set[str]:
    touched = {dial for name in names for _, changes in FAULTS[name].course for dial in changes}
    return {field.name for field in fields(Dials)} - touched
