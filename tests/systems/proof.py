"""How a requirement is proven: pushed across its figure, told to the right people with the remedy, and seen to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from monitor.model import Severity, State
from tests.systems.bench import System, bench

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from _pytest.mark import ParameterSet

    from tests.peers import Authority
    from tests.systems.bench import Bench

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL


class Case(NamedTuple):
    """One requirement and one way in which it is not met: which check sees it, how bad it is, and words of the message.

    `said` is what was found, `remedy` what to do.
    """

    id: str
    check: str
    fault: Callable[[Any], None]
    severity: Severity
    said: str
    remedy: str


def params(*cases: Case) -> list[ParameterSet]:
    """Return `cases` as parameters, each named by its requirement."""
    return [pytest.param(case, id=f"{case.id} {getattr(case.fault, '__name__', '')}") for case in cases]


async def prove_figure(
    running: Bench[System],
    check: str,
    threshold: str,
    severity: Severity,
    cross: Callable[[], Awaitable[object]],
    end: Callable[[], Awaitable[object]],
    *said: str,
) -> None:
    """Prove a figure: quiet before `cross`, told first after its `for`, over after `end` and its `keep`."""
    plan = running.plan(check)
    watched = plan.threshold(threshold)
    assert watched
    patience = watched.patience[severity]
    await running.run(check, times=2)
    assert running.told() == []
    await cross()
    if patience.for_:
        await running.run(check)
        assert running.told() == []
    await running.run(check, times=1 + patience.for_ // plan.check.every)
    running.assert_told(check, severity, f"{plan.title}: {threshold}", *said)
    await end()
    await running.run(check, times=2 + (patience.keep + watched.watch.window) // plan.check.every)
    running.assert_resolved(check, severity)


async def prove_down(
    running: Bench[System],
    check: str,
    severity: Severity,
    cross: Callable[[], Awaitable[object]],
    end: Callable[[], Awaitable[object]],
    *said: str,
) -> None:
    """Prove an outage: quiet until as many runs have failed as its level needs, over after as many good ones."""
    plan = running.plan(check)
    patience = plan.down[severity]
    assert (await running.run(check, times=2)).state is State.UP
    await cross()
    if patience.breaches > 1:
        await running.run(check, times=patience.breaches - 1)
        assert running.told() == []
    assert (await running.run(check)).state is State.DOWN
    running.assert_told(check, severity, f"{plan.title}: down", *said)
    await end()
    await running.run(check, times=patience.clears)
    running.assert_resolved(check, severity)


async def prove(kind: Callable[[Authority], System], authority: Authority, case: Case, **settings: str) -> None:
    """Prove `case`: quiet while all is well, told after as many failures as its level needs, over once healed."""
    async with bench(kind, authority, **settings) as running:
        plan = running.plan(case.check)
        patience = plan.down[case.severity]
        assert (await running.run(case.check, times=2)).state is State.UP
        case.fault(running.stand_in)
        for _ in range(patience.breaches - 1):
            assert (await running.run(case.check)).state is State.DOWN
        assert running.told() == []
        assert (await running.run(case.check)).state is State.DOWN
        running.assert_told(case.check, case.severity, plan.title, case.said, case.remedy)
        running.stand_in.heal()
        await running.run(case.check, times=patience.clears - 1)
        assert running.told() == []
        await running.run(case.check)
        running.assert_resolved(case.check, case.severity)
