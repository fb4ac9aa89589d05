"""The reference page of the configuration, made from the models that read it, so that it cannot be out of date."""

from __future__ import annotations

import inspect
import json
import re
from typing import TYPE_CHECKING, Any

from monitor.channels.base import Channel
from monitor.config.fields import LimitFields, MainFile, RateLimitFields, RetentionFields, SystemFile
from monitor.config.kinds import CHANNELS, CHECKS, keys
from monitor.config.maintenance import MaintenanceFields
from monitor.config.routes import FlappingFields, RouteFields
from monitor.config.variables import PUBLIC
from monitor.probes.base import Check, ThresholdFields
from monitor.schema import definitions_of
from monitor.settings import Settings
from monitor.watch import ALLOWED, COMPARISONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pydantic import BaseModel

INTRODUCTION = """\
# Configuration

<!-- Made by `monitor.reference.reference()` from the models. Do not edit: change their docstrings. -->

The configuration is one YAML file, or a folder with `monitor.yaml` (who is told) and a file for each system, beside it
or in `systems/`. It is read strictly: whatever is not on this page is an error that names file, line, key and what is
allowed, all errors are reported at once, and nothing starts before there is none.

```yaml
{shortest}```

The kind of `site` follows from its address, a sole channel is told of everything, and a warning before the certificate
expires is implied. Of the checks of a system that see the same certificate one watches it: the first, unless another
has a threshold on `expiry` of its own; `monitor explain` says which.

## Values

YAML is read as version 1.2: `no` is a word, and a key that is given twice is an error. Quote what begins with `>`.

A duration is `300ms`, `30s`, `5m`, `1h30m`, `2d`; a size `25MB` or `1GiB`; a share `80%`. A number without its unit is
an error.

`${{NAME}}` in a text becomes the value of the environment's variable, `${{NAME:-default}}` has a default, and `$${{` is
a plain `${{`. A text that is nothing else and not quoted becomes a number where it reads as one: `port: ${{PORT}}`. An
empty variable counts as not set. One that is not set is an error, except in systems that `MONITOR_SYSTEMS` leaves out
and in checks and channels that `if_set` skips. Values of variables are secrets and are removed from every message,
unless the name ends in {public}
and the value holds neither password nor query.
"""
FIGURES = """\
`watch` is a measure of the check's kind or `function(measure, window)`; functions are
{functions}.
A measure with labels may be narrowed: `phase{{phase="tls"}}`. A window must hold enough runs: `pNN` needs
ceil(1 / (1 - q)) + 1 of them, so `p95` 21, and `rate`, `increase` and `change` need 2. A figure is a comparison
({comparisons}) and a quantity in the unit of what is watched; the figures of several levels must get worse in one
direction.

Three functions hold what is seen against the past, and are silent until there are two weeks of it
([how](alerts.md#against-the-past)):

| function | yields | a figure |
| --- | --- | --- |
| `usual(measure, 1h)` | how many times the usual of that hour of the week the average is | `"> 3"` |
| `usual(measure, 1h, least)` | the same; less than `least`, in the unit of the measure, counts as that | `"> 3"` |
| `drift(measure by label, 1d)` | which share of the mix of the label's values is other than usual | `"> 30%"` |
| `drift(measure by label, 1d, least)` | the same, if the window adds up to so much; otherwise to 30 | `"> 30%"` |
| `unseen(measure by label, 1h)` | 1 for each value of the label that was never seen before, for an hour | `"> 0"` |

Of a counter say `usual(rate(measure, 1h))`, `drift(rate(measure, 1d) by label)`. Without `by label` all labels together
tell series apart. `usual` judges each series by itself, and takes a window of at most a day and a check that runs once
an hour or more often. `unseen` alone takes no window too: an hour.
"""
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "object": "mapping",
    "null": "",
}
QUANTITIES = {"300ms": "duration", "1GB": "size", "20%": "share"}
SHORTEST = """\
channels: {ops: "${SLACK_WEBHOOK_URL}"}
systems:
  shop:
    checks: {site: https://shop.example.com/}
"""


def reference() -> str:
    """Return the whole page in Markdown."""
    public = ", ".join(f"`{suffix}`" for suffix in PUBLIC)
    parts = [
        INTRODUCTION.format(shortest=SHORTEST, public=public),
        *_page("The main file", MainFile),
        *_page("Routes", RouteFields),
        *_page("Flapping", FlappingFields),
        *_page("Limits", LimitFields),
        *_page("Retention", RetentionFields),
        *_page("The file of a system", SystemFile),
        *_page("Rate limits", RateLimitFields),
        *_page("Maintenance", MaintenanceFields),
        *_page("Checks", Check, "The fields that every kind of check has."),
        *_page("Thresholds", ThresholdFields),
        FIGURES.format(functions=ALLOWED, comparisons=" ".join(f"`{sign}`" for sign in COMPARISONS)),
        *_kinds(),
        *_page("Channels", Channel, "The fields that every kind of channel has."),
        *_channels(),
        *_environment(),
    ]
    return "\n".join(parts)


def _page(title: str, model: type[BaseModel], text: str = "") -> Iterator[str]:
    yield f"## {title}\n"
    yield f"{text or inspect.getdoc(model)}\n"
    yield _table(model, ())


def _kinds() -> Iterator[str]:
    common = set(keys(Check)) - {"kind"}
    for name, kind in CHECKS.all().items():
        yield f"## Kind `{name}`\n"
        yield f"{inspect.getdoc(kind)}\n"
        yield _table(kind, common)
        yield _rows(
            ("measure", "unit", "labels", "what it is"),
            (
                (f"`{m.name}`", str(m.unit), ", ".join(f"`{label}`" for label in m.labels), m.meaning)
                for m in kind.measures
            ),
        )
        yield f"Reasons of a failure: {', '.join(f'`{reason}`' for reason in sorted(kind.reasons))}.\n"


def _channels() -> Iterator[str]:
    common = set(keys(Channel)) - {"kind"}
    for name, kind in CHANNELS.all().items():
        yield f"## Channel `{name}`\n"
        yield f"{inspect.getdoc(kind)}\n"
        yield _table(kind, common)


def _environment() -> Iterator[str]:
    yield "## Environment\n"
    yield f"{inspect.getdoc(Settings)}\n"
    fields = Settings.model_fields.values()
    yield _rows(
        ("variable", "what it is"), ((f"`{field.validation_alias}`", field.description or "") for field in fields)
    )


def _table(model: type[BaseModel], without: Collection[str]) -> str:
    """Return the tables of the fields of `model` and of what is only found within them."""
    definitions = definitions_of([model])
    own = _own(definitions[model.__name__], without)
    tables = [_fields(own, definitions[model.__name__].get("required", ()), definitions)]
    for name in _within(own, definitions):
        definition = definitions[name]
        inner = _fields(_own(definition, ()), _mapping(definition).get("required", ()), definitions)
        tables.append(f"`{name}`: {_mapping(definition).get('description', '')}\n\n{inner}")
    return "\n".join(tables)


def _within(part: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """Return the names of all mappings that are found in `part`, or in those, and have no page of their own."""
    found: list[str] = []
    left = [part]
    while left:
        for name in re.findall(r'"#/\$defs/(\w+)"', json.dumps(left.pop(0))):
            if name not in found and _mapping(definitions.get(name, {})) and name not in OWN_PAGES:
                found.append(name)
                left.append(definitions[name])
    return found


def _mapping(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the form of `definition` that is a mapping, as there may be a short one besides."""
    forms: list[dict[str, Any]] = [definition, *definition.get("anyOf", ())]
    return next((form for form in forms if "properties" in form), {})


OWN_PAGES = {
    model.__name__
    for model in (
        RouteFields,
        FlappingFields,
        LimitFields,
        RetentionFields,
        RateLimitFields,
        MaintenanceFields,
        ThresholdFields,
    )
}


def _own(definition: dict[str, Any], without: Collection[str]) -> dict[str, Any]:
    fields: dict[str, Any] = _mapping(definition).get("properties", {})
    return {key: part for key, part in fields.items() if key not in without and key != "kind"}


def _fields(fields: dict[str, Any], required: Collection[str], definitions: dict[str, Any]) -> str:
    if not fields:
        return "It has no keys of its own.\n"
    rows = (
        (f"`{key}`", _value(part), "required" if key in required else _default(part), _told(part, definitions))
        for key, part in fields.items()
    )
    return _rows(("key", "value", "default", "what it is"), rows)


def _told(part: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return what `part` is: in its own words, or those of the model that stands there."""
    model = definitions.get(str(part.get("$ref", "")).rpartition("/")[2], {})
    return str(part.get("description") or model.get("description", ""))


def _default(part: dict[str, Any]) -> str:
    default = part.get("default")
    if default in (None, "", [], {}) or str(part.get("$ref", "")).rpartition("/")[2] in OWN_PAGES:
        return ""
    text = default if isinstance(default, str) else json.dumps(default, ensure_ascii=False).replace('"', "")
    return f"`{text}`"


def _value(part: dict[str, Any]) -> str:
    """Return in words what stands there."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return "" if name == "Variable" else f"`{name}`"
    for key in ("anyOf", "oneOf"):
        if key in part:
            return " or ".join(dict.fromkeys(filter(None, map(_value, part[key]))))
    if "enum" in part or "const" in part:
        return ", ".join(f"`{value}`" for value in part.get("enum", [part.get("const")]))
    if "examples" in part:
        return QUANTITIES.get(part["examples"][0], f"such as `{part['examples'][0]}`")
    return _typed(part)


def _typed(part: dict[str, Any]) -> str:
    kind = part.get("type")
    if kind == "array":
        return f"list of {_value(part.get('items', {})) or 'values'}"
    return TYPES.get(str(kind), "any value")


def _rows(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), ["---"] * len(list(head)), *(list(row) for row in rows)]
    return "".join(
        f"| {' | '.join(' '.join(cell.replace('|', '&#124;').split()) for cell in line)} |\n" for line in lines
    )
