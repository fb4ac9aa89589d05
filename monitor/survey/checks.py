"""A check of a first file as text, piece by piece. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from monitor.review.rounding import written_span
from monitor.survey.facts import measure_name
from monitor.survey.figures import EVERY, TIMEOUTS, figures
from monitor.survey.found import CLOSED
from monitor.survey.scalars import listed, mapping, remark, scalar, variable
from monitor.units import Unit, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.survey.facts import Facts
    from monitor.survey.families import Family
    from monitor.survey.figures import Figures
    from monitor.survey.found import Place, Samples

TODO = "Write here what to do."
"""Every remedy that is a mere suggestion begins so."""
OWN_MEASURES = frozenset({"duration", "phase", "status", "body_size", "redirects", "expiry", "certificate"})
INSIDE = 4
SHARES = {"target": "< 0.1%", "warning": "> 1%", "critical": "> 5%"}
"""Of requests that fail: where most teams begin."""


def remedy(hint: str, indent: int = INSIDE) -> str:
    """Return a remedy that somebody must still write."""
    return f"{' ' * indent}remedy: {scalar(f'{TODO} {hint}')}"


def measured(samples: Samples) -> tuple[list[str], Figures]:
    """Return what was measured, as a comment, and the figures that follow."""
    found = figures(samples.times)
    lines = remark(f"Measured now, from here: {found.words}.", INSIDE)
    if samples.others:
        said = ", ".join(f"{count} × {what}" for what, count in samples.others.items())
        lines += remark(f"Not every sample was like that: {said}. Find out why before you trust these figures.", INSIDE)
    return lines, found


def pace(found: Figures) -> list[str]:
    """Return how often to look and how long to wait, where that is not what the defaults say."""
    lines = []
    if found.every != EVERY:
        lines.append(f"    every: {written_span(found.every)}")
    if found.timeout != TIMEOUTS[0]:
        lines.append(f"    timeout: {written_span(found.timeout)}")
    return lines


def slow(found: Figures) -> list[str]:
    """Return the threshold on how long it takes, as a comment where too little was measured."""
    window = written_span(found.window)
    if not found.levels:
        return remark(f"thresholds: too few samples for a figure; begin with watch: p95(duration, {window})", INSIDE)
    return [
        "    thresholds:",
        f"      - watch: p95(duration, {window})",
        "        name: slow",
        *(f'        {level}: "{figure}"' for level, figure in found.levels.items()),
        "        for: 1m",
        remedy("Where is the time spent, and how is there more of what it waits for?", 8),
    ]


def closed(place: Place, name: str) -> list[str]:
    """Return what is said of an address that wants to know who asks."""
    if place.status not in CLOSED:
        return []
    secret = variable(f"{name.upper().replace('-', '_')}_TOKEN")
    return [
        *remark("It wants to know who asks. So much is watched: that it answers, and refuses strangers.", INSIDE),
        *remark("With a token of its own it sees more; the token stands in the environment:", INSIDE),
        f"    # auth: {{bearer: {secret}}}",
        f"    # headers: {{X-Api-Key: {secret}}}",
    ]


def expected(place: Place) -> list[str]:
    """Return what is expected of an answer, and what else could be."""
    parts = {"status": scalar(place.status)}
    told = place.facts
    if told and told.well:
        parts["json"] = mapping({path: scalar(value) for path, value in told.well.items()})
    elif place.text:
        parts["body"] = mapping({"equals": scalar(place.text)})
    elif place.media_type and place.status not in CLOSED:
        parts["content_type"] = scalar(place.media_type)
    lines = [f"    expect: {mapping(parts)}"]
    if place.title:
        lines += remark(
            f"Stricter: body: {scalar(place.title)}, as its title has it, which an error page would lack.", INSIDE
        )
    if len(parts) == 1 and place.status == HTTPStatus.OK:
        lines += remark(
            "Any page with this status will do, which `monitor validate` doubts: expect more of it.", INSIDE
        )
    return [*lines, *_told(told)] if told else lines


def _told(told: Facts) -> list[str]:
    lines: list[str] = []
    for path, word in told.ill.items():
        lines += remark(f"{path} said {scalar(word)} now: put right what that means, then expect it here.", INSIDE)
    taken = set(OWN_MEASURES)
    numbers = [(measure_name(number.path, taken), number) for number in told.numbers]
    sure = {
        name: mapping({"path": scalar(number.path), "unit": number.unit}) for name, number in numbers if number.unit
    }
    if sure:
        lines.append(f"    values: {mapping(sure)}")
    for name, number in numbers:
        if not number.unit:
            line = f"values: {{{name}: {{path: {scalar(number.path)}, unit: number}}}} (a number; in which unit?)"
            lines += remark(line, INSIDE)
    if told.versions:
        lines.append(f"    version: {scalar(told.versions[0])} # another one than before is a deploy")
    if told.others:
        kinds = ", ".join(f"{path} ({kind})" for path, kind in told.others.items())
        lines += remark(f"Also there: {kinds}.", INSIDE)
    return lines


def web(place: Place, name: str, title: str, hint: str, more: Iterable[str] = ()) -> list[str]:
    """Return a check of one address."""
    lines, found = measured(place.samples)
    return [
        f"  {name}:",
        f"    title: {scalar(title)}",
        f"    url: {scalar(str(place.url))}",
        *closed(place, name),
        *pace(found),
        *more,
        *expected(place),
        *about(place),
        remedy(hint),
        *lines,
        *slow(found),
        "",
    ]


def about(place: Place) -> list[str]:
    """Return what else is known of an answer."""
    size = f"more than {show(place.size, Unit.BYTES)}" if place.truncated else show(place.size, Unit.BYTES)
    packed = f", compressed ({place.coding})" if place.coding else ""
    lines = remark(f"The answer has {size}{packed}.", INSIDE)
    if place.aliases:
        lines += remark(f"The same is told at {', '.join(place.aliases)}.", INSIDE)
    return lines


def metrics(place: Place, families: Iterable[Family], needs: Iterable[str], more: Iterable[str] = ()) -> list[str]:
    """Return a check of a page of metrics; a comment where nothing on it is known everywhere."""
    found = list(families)
    if not found:
        return [
            *remark(f"{place.url} is a page of metrics, but nothing on it means the same everywhere.", 2),
            *remark("Choose what matters: kind metrics, in docs/application.md.", 2),
            "",
        ]
    lines = [
        *remark("Whoever finds this address reads it: keep it private if it tells too much.", 2),
        "  metrics:",
        "    title: Metrics",
        "    kind: metrics",
        f"    url: {scalar(str(place.url))}",
        *more,
        "    down: {warning: 3}",
        *([f"    needs: {listed(map(scalar, needs))}"] if needs else []),
        "    values:",
    ]
    lines += [f"      {family.name}: {_figure(family)}" for family in found]
    lines.append(remedy("The page of metrics is gone, or lacks what is looked for: the message says which."))
    return [*lines, *_shares(found), ""]


def _figure(family: Family) -> str:
    fields: Mapping[str, str] = {key: scalar(value) for key, value in family.fields.items()}
    if family.errors:
        return mapping({**fields, "least": "20", "empty": "0"})
    if "histogram" in family.fields:
        return mapping({"quantile": "0.95", **fields, "least": "20", "empty": "0"})
    return mapping(fields)


def _shares(found: Iterable[Family]) -> list[str]:
    if not any(family.errors for family in found):
        return remark(
            "thresholds: write figures once you have seen a day of it: `monitor history`, or Grafana.", INSIDE
        )
    return [
        *remark("Where most teams begin; nothing of it was measured.", INSIDE),
        "    thresholds:",
        "      - watch: error_rate",
        "        name: errors",
        *(f'        {level}: "{figure}"' for level, figure in SHARES.items()),
        "        for: 5m",
        remedy("What do the failed requests have in common, by the log? Did it begin with a deploy?", 8),
    ]
