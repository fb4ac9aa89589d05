"""What is looked at after a deploy, one check after the other, and how each ended in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import CheckId, State
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from monitor.model import Sample
    from monitor.plan import Plan


def protocol(system: str, named: Sequence[str], plans: Collection[Plan]) -> list[Plan]:
    """Return what runs after a deploy of `system`: what is `named`, in that order, and whatever runs only then."""
    own = {plan.id: plan for plan in plans if plan.id.system == system}
    listed = [own[check] for name in named if (check := CheckId(system, name)) in own]
    return [*listed, *(plan for plan in own.values() if plan.check.after_deploy and plan not in listed)]


def ended(plan: Plan, sample: Sample | None) -> tuple[bool, str]:
    """Return whether a run passed, and how it ended in words; one that was left out passes."""
    if sample is None:
        return False, f"{plan.title}: it did not run"
    match sample.state:
        case State.UP:
            return True, f"{plan.title}: up, in {show_duration(sample.took.total_seconds())}"
        case State.UNKNOWN if sample.left_out:
            return True, f"{plan.title}: left out, {sample.detail}"
        case _:
            return False, f"{plan.title}: {sample.state}, {sample.reason}: {sample.detail}"
