"""PromQL as text: selectors, durations, numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.metrics.text import label_name, label_value, number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.model import CheckId, Labels

MILLISECOND = timedelta(milliseconds=1)
PARTS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def duration(span: timedelta) -> str:
    """Return `span` as Prometheus writes it, to the millisecond: `1h30m`."""
    left, said = span // MILLISECOND, ""
    for name, size in PARTS:
        count, left = divmod(left, size)
        said += f"{count}{name}" if count else ""
    return said or "0s"


def figure(value: float) -> str:
    """Return `value` as a number in PromQL: `0.3`, `1814400`."""
    return number(value).removesuffix(".0")


def selector(metric: str, check: CheckId, *, wanted: Labels = (), unwanted: Labels = ()) -> str:
    """Return the series of `check` called `metric` that have the labels `wanted`, and none of `unwanted`."""
    pairs = [("system", "=", check.system), ("check", "=", check.check)]
    pairs += [(label_name(name), "=", value) for name, value in wanted]
    pairs += [(label_name(name), "!=", value) for name, value in unwanted]
    return f"{metric}{{{_matchers(pairs)}}}"


def firing(alert: str, check: CheckId, severity: object) -> str:
    """Return the series that Prometheus itself keeps of an alert while it fires."""
    pairs = (("alertname", alert), ("alertstate", "firing"), ("system", check.system), ("check", check.check))
    return f"ALERTS{{{_matchers((name, '=', value) for name, value in (*pairs, ('severity', str(severity))))}}}"


def _matchers(pairs: Iterable[tuple[str, str, str]]) -> str:
    return ",".join(f'{name}{sign}"{label_value(value)}"' for name, sign, value in pairs)
