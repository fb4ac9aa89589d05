"""A piece of a bad week, from several seeds: each fault has exactly its pages, and nothing is left over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.model import CheckId, EventKind
from tests.soak import week as weeks
from tests.soak.ledger import judge
from tests.soak.oracle import IDLE, Belief, Place, Rule
from tests.soak.script import SYSTEMS, draw
from tests.soak.week import week

if TYPE_CHECKING:
    from pathlib import Path

    from tests.soak.ledger import Ledger
    from tests.soak.world import World

pytestmark = pytest.mark.timeout(240)  # ten seconds of work alone, many times that beside others

AN_HOUR = 0.04
BUSY = 12.0
SEEDS = (3,)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bad_day_loses_nothing_and_doubles_nothing_without_a_reason(seed: int) -> None:
    """An hour with as much trouble as in half a day, then calm: see docs/soak.md for what the ledger says."""
    ledger = week(seed, AN_HOUR, BUSY)
    assert ledger.balanced, f"\n{ledger}"
    assert ledger.must
    assert ledger.injected.keys() >= {"kill", "reload", "target down", "target asleep"}


def test_a_ledger_with_a_message_missing_does_not_balance(monkeypatch: pytest.MonkeyPatch) -> None:
    """The books notice one delivery that is taken out, and one that comes twice."""
    books: dict[str, Ledger] = {}

    async def cooked(world: World, path: Path, tasks: int) -> Ledger:
        taken = world.taken["hook"]
        end = next(one for one in taken if one.note.kind is EventKind.RESOLVED)
        taken.remove(end)
        books["short"] = await judge(world, path, tasks)
        taken += [end, end._replace(delivery="another")]
        books["doubled"] = await judge(world, path, tasks)
        return books["short"]

    monkeypatch.setattr(weeks, "judge", cooked)
    week(SEEDS[0], AN_HOUR / 2, BUSY)
    assert books["short"].lost
    assert any("doubled under another key" in line for line in books["doubled"].wrong)


def test_the_same_seed_is_the_same_script() -> None:
    """So that a failure can be looked at again."""
    assert draw(7, 1.0) == draw(7, 1.0) != draw(8, 1.0)
    assert set(draw(7, 1.0).targets) == {
        CheckId(system, check) for system, checks in SYSTEMS.items() for check in checks
    }


def test_what_was_not_written_may_or_may_not_be_remembered() -> None:
    """Three failures, of which two are on disk: the next process may need one more, and may not."""
    belief = Belief(Rule(looks=3, quiet_looks=2))
    for now in (0.0, 10.0):
        belief.look(now, 0, crossed=True)
    belief.write(20.0)
    belief.look(20.0, 0, crossed=True)
    assert belief.places == {Place(fires=True)}
    belief.die(21.0)
    assert belief.places == {IDLE}
    belief.remember(22.0)
    assert {place.fires for place in belief.places} == {True, False}
    assert belief.places == {Place(fires=True), Place(seen=2, judged=0)}
