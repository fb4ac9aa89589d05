"""What is looked at after a deploy, and how that reads. Pure."""

from __future__ import annotations

from dataclasses import replace

from monitor.model import CheckId, State
from monitor.protocol import ended, protocol
from tests.examples import left_out, sample
from tests.plans import Scripted, plan


class AfterDeploy(Scripted):
    """Runs after each deploy by itself."""

    @property
    def after_deploy(self) -> bool:
        return True


def test_what_is_named_comes_in_its_order_then_what_always_follows() -> None:
    flow = replace(plan(check=CheckId("shop", "flow")), check=AfterDeploy())
    elsewhere = replace(plan(check=CheckId("shed", "flow")), check=AfterDeploy())
    plans = [flow, elsewhere, *(plan(check=CheckId("shop", name)) for name in ("a", "b", "c"))]
    assert [each.id.check for each in protocol("shop", ["c", "gone", "a"], plans)] == ["c", "a", "flow"]
    assert [each.id.check for each in protocol("shop", ["flow"], plans)] == ["flow"]
    assert protocol("nothing", ["a"], plans) == []


def test_how_a_run_ended_in_a_line() -> None:
    site = plan()
    assert ended(site, sample(0)) == (True, "Site: up, in 100 ms")
    assert ended(site, sample(0, State.DOWN, detail="got 500")) == (False, "Site: down, status: got 500")
    assert ended(site, sample(0, State.UNKNOWN, detail="no answer")) == (False, "Site: unknown, dns: no answer")
    assert ended(site, left_out(0))[0]
    assert ended(site, None) == (False, "Site: it did not run")
