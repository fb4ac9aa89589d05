"""What a check is configured to do, defaults included and secrets hidden; how it is judged, in words. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from monitor.baseline import WEEKS
from monitor.units import show_duration
from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from monitor.model import Severity
    from monitor.plan import Plan
    from monitor.probes.base import Check
    from monitor.thresholds import Threshold
    from monitor.watch import Watch


def effective(
    check: Check, hide: Callable[[str], str], leave_out: Container[str] = (), *, defaults: bool = True
) -> dict[str, object]:
    """Return the fields of `check` by the names that files use, but those to leave out, in values that JSON has.

    Secrets are `•••`, and from every other text `hide` removes what is secret. Without `defaults` only what is other
    than its default is there.
    """
    shown = {name for name in type(check).model_fields if name not in leave_out}
    fields = check.model_dump(include=shown, by_alias=True, exclude_defaults=not defaults)
    return {name: _plain(value, hide) for name, value in fields.items()}


def _plain(value: object, hide: Callable[[str], str]) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case timedelta():
            return show_duration(value.total_seconds())
        case Enum():
            return hide(str(value.value))
        case dict():
            return {hide(str(_plain(name, hide))): _plain(one, hide) for name, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(one, hide) for one in value]
        case _:
            return hide(str(value))


def judging(plan: Plan) -> Iterator[str]:
    """Yield how each threshold judges, a line each; one that begins with a space tells more of that before it."""
    for threshold in plan.thresholds:
        target = [f"good {threshold.target}"] if threshold.target else []
        figures = [_figure(threshold, severity) for severity in threshold.patience]
        name = "" if threshold.name == threshold.watch.text else f"{threshold.name}: "
        yield f"{name}{threshold.watch.text}: {', '.join([*target, *figures])}"
        if threshold.watch.looks_back:
            yield f"  {_compared(threshold.watch, plan)}"
    for name, other in plan.elsewhere.items():
        yield f"{name}: watched by {other}, which sees the same"


def _compared(watch: Watch, plan: Plan) -> str:
    """Return with what of the past `watch` compares."""
    by = f"the values of {watch.by}" if watch.by else "the label sets"
    match watch.function:
        case Function.USUAL:
            what = f"times the median of that hour of the week over the last {WEEKS} weeks, hours of {plan.zone}"
        case Function.DRIFT:
            what = f"how much of the mix of {by} is other than on the days of the last {WEEKS} weeks"
        case _:
            what = f"1 for each of {by} that no hour has seen before, for {_span(watch.window)}"
    return f"{what}; silent until there are two weeks of history"


def _figure(threshold: Threshold, severity: Severity) -> str:
    text = next(figure.text for figure in threshold.figures if figure.severity is severity)
    patience = threshold.patience[severity]
    waits = [f"for {_span(patience.for_)}"] if patience.for_ else []
    keeps = [f"until quiet for {_span(patience.keep)}"] if patience.keep else []
    return " ".join([str(severity), text, *waits, *keeps])


def _span(duration: timedelta) -> str:
    return show_duration(duration.total_seconds())
