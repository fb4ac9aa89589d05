"""The Prometheus text format: names, label values, numbers, and a family whose lines are cached for each owner.

The rules are those of the text format 0.0.4 and of OpenMetrics 1.0: HELP and TYPE once for each family, the lines of a
family together, no series twice. Names also obey what `promtool check metrics` wants of them. What comes from outside
(labels, and the names that a file gives to its measures) is made to fit: one bad line costs Prometheus the whole page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from monitor.units import Unit

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from monitor.probes.base import MeasureSpec

FamilyType = Literal["counter", "gauge", "histogram"]

LONGEST_VALUE = 500

_SPECIAL = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}
_UNFIT = re.compile(r"[^a-zA-Z0-9_]")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_OURS = frozenset({"system", "check", "le", "quantile"})
_RESERVED = ("_total", "_count", "_sum", "_bucket", "_info", "_created")


def number(value: float) -> str:
    """Return `value` as the text format writes it: `0.25`, `+Inf`, `-Inf`, `NaN`."""
    text = repr(float(value))
    return _SPECIAL.get(text, text)


def label_value(text: str) -> str:
    """Return `text` ready to stand between the quotes of a label, cut to 500 characters.

    Control characters and lone surrogates, on which some readers choke, are written as Python would escape them.
    """
    if len(text) > LONGEST_VALUE:
        text = f"{text[: LONGEST_VALUE - 1]}…"
    text = _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def label_pairs(labels: Iterable[tuple[str, str]]) -> str:
    """Return labels as they stand between the braces; a name that cannot be one, or is ours, is made to fit."""
    fitting = {label_name(name): label_value(value) for name, value in labels}
    return ",".join(f'{name}="{value}"' for name, value in fitting.items())


def metric_name(kind: str, measure: MeasureSpec) -> str:
    """Return the name of a measure's gauge: `monitor_<kind>_<measure>_<unit>`, unless the measure names it itself.

    A name that ends in what only counters and histograms may end in gets `_value` behind it.
    """
    if measure.metric:
        return measure.metric
    stem = _snake(f"monitor_{kind}_{measure.name}")
    unit = str(measure.unit)
    name = stem if not unit or stem.endswith(f"_{unit}") else f"{stem}_{unit}"
    return f"{name}_value" if measure.unit is Unit.NUMBER and name.endswith(_RESERVED) else name


class Family:
    """One metric family: its header, and its lines as bytes for each owner (a check, an alert)."""

    __slots__ = ("_openmetrics", "_text", "blocks", "name")

    def __init__(self, name: str, kind: FamilyType, meaning: str) -> None:
        """Make a family without lines. `name` is that of the samples: a counter's ends in `_total`."""
        self.name = name
        self.blocks: dict[Hashable, bytes] = {}
        base = name.removesuffix("_total") if kind == "counter" else name
        meaning = meaning.replace("\\", "\\\\").replace("\n", "\\n").encode("utf-8", "replace").decode()
        quoted = meaning.replace('"', '\\"')
        self._text = f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n".encode()
        self._openmetrics = f"# HELP {base} {quoted}\n# TYPE {base} {kind}\n".encode()

    def header(self, *, openmetrics: bool) -> bytes:
        """Return the lines that stand above the family's samples."""
        return self._openmetrics if openmetrics else self._text


def label_name(name: str) -> str:
    """Return a name that a label can have, and that is none of ours."""
    name = _snake(name)
    return f"exported_{name}" if name in _OURS or name.startswith("__") else name


def _snake(name: str) -> str:
    """Return `name` in snake_case, of the characters that a name may have."""
    name = _UNFIT.sub("_", _HUMP.sub("_", name)).lower()
    return name if name and not name[0].isdigit() else f"_{name}"
