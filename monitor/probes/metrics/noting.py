"""Which of a figure's values are told: those with the most in them, and what is to be said of the others. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from monitor.probes.metrics.computing import Result
from monitor.units import Unit, show, show_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from monitor.probes.metrics.computing import Results
    from monitor.probes.metrics.fields import Figure

MOST_TOLD = 3


class Chosen(NamedTuple):
    """What is told, and the values of the label that are not, as there are too many."""

    told: Results
    hidden: Collection[str]


def filled(figure: Figure, found: Results) -> Results:
    """Return the results that are numbers; where the file says what nothing is, that for all others."""
    whole: Mapping[str, Result] = found if figure.by else {"": Result(math.nan, 0.0), **found}
    known = {name: result for name, result in whole.items() if math.isfinite(result.value)}
    if figure.empty is None:
        return known
    nothing = figure.empty * figure.scale
    return {name: known.get(name, Result(nothing, result.weight, result.told)) for name, result in whole.items()}


def choose(figure: Figure, found: Results, shown: Callable[[str], str]) -> Chosen:
    """Return at most as many results as the figure may have, by what is shown of their names: two must not be one."""
    ordered = sorted(found, key=lambda name: (-found[name].weight, name))
    told: Results = {}
    hidden = []
    for name in ordered:
        label = shown(name)
        if len(told) < figure.most and label not in told:
            told[label] = found[name]
        else:
            hidden.append(label)
    return Chosen(told, hidden)


def remark(figure: Figure, chosen: Chosen, unit: Unit) -> str:
    """Return in a line what the figure is made of; of several values the largest."""
    parts = []
    for name in sorted(chosen.told, key=lambda name: -chosen.told[name].value)[:MOST_TOLD]:
        result = chosen.told[name]
        value = f"{name} {show(result.value, unit)}" if figure.by else ""
        told = f"({result.told})" if value and result.told else result.told
        parts.append(" ".join(filter(None, (value, told))))
    text = ", ".join(filter(None, parts))
    if text and figure.windowed:
        text = f"{text} in {show_duration(figure.window.total_seconds())}"
    if chosen.hidden:
        others = f"{len(chosen.hidden)} further values of {figure.by} are left out, which have less in them"
        text = f"{text}; {others}" if text else others
    return text
