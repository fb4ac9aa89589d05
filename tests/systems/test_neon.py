"""What Neon says of Seed & Source's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.model import Reason, State
from tests.systems.bench import bench
from tests.systems.proof import CRITICAL, Case, params, prove
from tests.systems.seedsource import SeedSource
from tests.systems.site import Answer, page, says_json

if TYPE_CHECKING:
    from tests.peers import Authority

CASES = [
    Case("SS-07", "neon", SeedSource.branch_is_archived, CRITICAL, "to be ready, got archived", "every query is slow"),
    Case("SS-07", "neon", SeedSource.branch_is_reset, CRITICAL, "to be ready, got resetting", "it takes minutes"),
    Case("SS-07", "neon", SeedSource.loses_its_branch, CRITICAL, "has no branch main", "Restore it from its history"),
    Case("SS-07", "neon", SeedSource.compute_is_disabled, CRITICAL, "takes no connections", "switched on again"),
]


@pytest.mark.parametrize("case", params(*CASES))
async def test_a_branch_that_cannot_be_used(case: Case, authority: Authority) -> None:
    """Told with the remedy, and over once Neon says that it is ready."""
    await prove(SeedSource, authority, case)


@pytest.mark.parametrize(
    "answer",
    [says_json({"message": "not found"}, 404), says_json({"message": "no"}, 401), page("<h1>Neon</h1>", 503), page()],
    ids=["SS-07 404", "401", "503", "page"],
)
async def test_what_neons_api_does_wrong_tells_nobody_that_the_branch_is_down(
    answer: Answer, authority: Authority
) -> None:
    async with bench(SeedSource, authority) as running:
        await running.run("neon", times=2)
        running.stand_in.neon.says = answer
        sample = await running.run("neon", times=3)
        assert sample.state is State.UNKNOWN
        assert sample.reason in {Reason.MISSING, Reason.AUTH, Reason.STATUS, Reason.PROTOCOL}
        assert running.told() == []
