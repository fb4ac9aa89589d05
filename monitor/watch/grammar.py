"""From the text of a `watch` to what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import Labels, labels
from monitor.units import parse_duration
from monitor.watch.nouns import PAST, Function, Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMED = {str(function): function for function in Function if function not in {Function.LAST, Function.QUANTILE}}
ALLOWED = f"{', '.join(NAMED)} and p50, p95, p99, p99.9 and the like"
FORMS = 'measure, measure{label="text"} or function(measure, window)'
LONGEST_WINDOW = timedelta(days=14)
LONGEST_USUAL = timedelta(days=1)
NEW_FOR = timedelta(hours=1)
"""How long `unseen` calls a value new unless it says otherwise."""
INNER: Mapping[Function, tuple[Function, Function]] = {
    Function.USUAL: (Function.AVG, Function.RATE),
    Function.DRIFT: (Function.SUM, Function.INCREASE),
}
"""What is made of a window before it is compared: of a measure as it stands, and of a counter."""
PAST_FORMS = {
    Function.USUAL: "usual(measure, 1h), usual(measure, 1h, least) or usual(rate(counter, 1h))",
    Function.DRIFT: "drift(measure by label, 1d), drift(measure by label, 1d, least) or drift(rate(counter, 1d))",
    Function.UNSEEN: "unseen(measure by label) or unseen(measure by label, 1h)",
}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CALL = re.compile(r"([^({]*)\((.*)\)", re.DOTALL)
_SERIES = re.compile(r"([^{]*)(?:\{(.*)\})?", re.DOTALL)
_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,2})?)")
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_MATCHER = re.compile(rf"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(!=|=)\s*({_QUOTED})\s*(?:,|$)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ARGUMENT = re.compile(
    rf"(?:[^,\"'{{}}()]|{_QUOTED}|\{{(?:[^\"'}}]|{_QUOTED})*\}}|\((?:[^\"'()]|{_QUOTED})*\))*", re.DOTALL
)
_BY = re.compile(rf"(.*[\s)}}])by\s+({_NAME.pattern})", re.DOTALL)


def parse_watch(text: str) -> Watch:
    """Return the watch that `text` writes, such as `size` or `p95(duration{phase="tls"}, 5m)`.

    Raises ValueError saying what is allowed.
    """
    text = text.strip()
    call = _CALL.fullmatch(text)
    if call is None:
        measure, selection, exclusion = _series(text, text)
        return Watch(text, Function.LAST, measure, selection, exclusion=exclusion)
    name = call[1].strip()
    if NAMED.get(name) in PAST:
        return _past(NAMED[name], call[2], text)
    function, quantile = _function(name, text)
    inside, comma, window = call[2].rpartition(",")
    if not comma or '"' in window or "'" in window:
        raise _windowless(name, call[2].strip(), text)
    measure, selection, exclusion = _series(inside, text)
    return Watch(text, function, measure, selection, _window(window, text), quantile, exclusion)


def _past(function: Function, inside: str, text: str) -> Watch:
    """Return the watch that looks back, of what stands `inside` its brackets."""
    first, *others = _arguments(inside, function, text)
    over, by = _grouped(first, function, text)
    if not all(others):
        raise _unlike(function, text)
    if function is Function.UNSEEN:
        measure, selection, exclusion = _series(over, text)
        length = _window(others.pop(0), text) if others else NEW_FOR
        watch = Watch(text, function, measure, selection, length, exclusion=exclusion, by=by)
    else:
        inner = _inner(function, over, others, text)
        least = others.pop(0) if others else ""
        watch = replace(inner, function=function, inner=inner, by=by, least=least)
    if others:
        raise _unlike(function, text)
    return watch


def _inner(function: Function, over: str, others: list[str], text: str) -> Watch:
    """Return what is made of the window before it is compared; its length is taken from `over` or from `others`."""
    call = _CALL.fullmatch(over)
    of_measure, of_counter = INNER[function]
    if call is not None:
        over, comma, window = call[2].rpartition(",")
        if call[1].strip() != Function.RATE or not comma:
            raise _unlike(function, text)
    elif others:
        window = others.pop(0)
    else:
        raise _unlike(function, text)
    length = _window(window, text)
    if function is Function.USUAL and length > LONGEST_USUAL:
        raise ValueError(f"{text!r}: usual compares hours of the week, so its window is at most {LONGEST_USUAL.days}d")
    measure, selection, exclusion = _series(over, text)
    return Watch(text, of_counter if call else of_measure, measure, selection, length, exclusion=exclusion)


def _arguments(inside: str, function: Function, text: str) -> list[str]:
    """Return what commas part, where they stand in no quotes and no brackets."""
    found, position = [], 0
    while True:
        match = _ARGUMENT.match(inside, position)
        end = match.end() if match else position
        found.append(inside[position:end].strip())
        if end == len(inside):
            return found
        if inside[end] != ",":
            raise _unlike(function, text)
        position = end + 1


def _grouped(part: str, function: Function, text: str) -> tuple[str, str]:
    """Return what stands before `by`, and the label behind it."""
    match = _BY.fullmatch(part)
    if match is None:
        return part, ""
    if function is Function.USUAL:
        raise ValueError(f"{text!r}: usual judges each series by itself, and knows no by")
    return match[1].strip(), match[2]


def _unlike(function: Function, text: str) -> ValueError:
    return ValueError(f"{text!r}: write {PAST_FORMS[function]}")


def _function(name: str, text: str) -> tuple[Function, float]:
    percentile = _PERCENTILE.fullmatch(name)
    if percentile and float(percentile[1]) > 0:
        return Function.QUANTILE, round(float(percentile[1]) / 100, 6)
    if name not in NAMED:
        hint = {"p0": "; p0 is min", "p100": "; p100 is max"}.get(name, "")
        raise ValueError(f"{text!r}: {name!r} is no function; functions are {ALLOWED}{hint}")
    return NAMED[name], 0.0


def _series(part: str, text: str) -> tuple[str, Labels, Labels]:
    match = _SERIES.fullmatch(part.strip())
    name = match[1].strip() if match else part
    if match is None or not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} is no {FORMS}; functions are {ALLOWED}")
    wanted: dict[str, str] = {}
    unwanted: set[tuple[str, str]] = set()
    for label, comparison, value in _matchers(match[2] or "", text):
        if comparison == "!=":
            unwanted.add((label, value))
        elif wanted.setdefault(label, value) != value:
            raise ValueError(f"{text!r}: {label} cannot have two values at once")
    return name, labels(wanted), tuple(sorted(unwanted))


def _matchers(part: str, text: str) -> list[tuple[str, str, str]]:
    found = []
    position = 0
    while part[position:].strip():
        match = _MATCHER.match(part, position)
        if match is None:
            raise ValueError(
                f'{text!r}: {part[position:].strip()!r} is no label selection such as state="idle" or state!="idle"'
            )
        found.append((match[1], match[2], _ESCAPE.sub(_unescape, match[3][1:-1])))
        position = match.end()
    return found


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


def _window(part: str, text: str) -> timedelta:
    try:
        window = parse_duration(part.strip())
    except ValueError as error:
        raise ValueError(f"{text!r}: the window {error}") from None
    if not timedelta() < window <= LONGEST_WINDOW:
        raise ValueError(
            f"{text!r}: a window is longer than 0 and at most {LONGEST_WINDOW.days}d, for which samples are kept"
        )
    return window


def _windowless(function: str, inside: str, text: str) -> ValueError:
    bare, bracket, window = inside.removesuffix("]").rpartition("[")
    if bracket:
        return ValueError(f"{text!r}: write {function}({bare.strip()}, {window.strip()})")
    return ValueError(f"{text!r} lacks a window: write {function}({inside or 'measure'}, 5m)")
