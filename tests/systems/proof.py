"""How a requirement is proven: pushed across its figure, told to the right people with the remedy, and seen to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from monitor.model import Severity, State
from tests.systems.bench import System, bench

if TYPE_CHECKING:
    from collections.abc import Callable

    from _pytest.mark import ParameterSet

    from tests.peers import Authority

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
