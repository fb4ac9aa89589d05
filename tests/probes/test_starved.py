"""What a run is worth beside which we stood still ourselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.model import Measure, Reason, Sample, State
from monitor.probes.base import starved
from tests.examples import SITE, left_out
from tests.fakes import START


@pytest.mark.parametrize("state", [State.UP, State.DOWN])
def test_a_run_beside_a_stall_of_ours_is_unknown(state: State) -> None:
    """It neither opens nor resolves, and what it measured counts nowhere; a moment's lateness changes nothing."""
    took = timedelta(seconds=9)
    sample = Sample(SITE, START, took, state, Reason.TIMEOUT, "no answer within 2 s", (Measure("duration", 9.0),))
    assert starved(sample, timedelta(milliseconds=900)) is sample
    found = starved(sample, timedelta(seconds=6))
    assert (found.state, found.reason, found.measures) == (State.UNKNOWN, Reason.UNKNOWN, ())
    assert found.detail == "the monitor itself stood still for 6 s"
    assert (found.check, found.at, found.took) == (SITE, START, took)


def test_a_run_left_out_beside_a_stall_was_left_out_all_the_same() -> None:
    """It says nothing of a target that a stall could falsify."""
    assert starved(left_out(0), timedelta(seconds=6)) == left_out(0)
