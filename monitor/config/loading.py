"""From a file or a folder to a whole configuration, or to everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from monitor.config.drills import planned_drills
from monitor.config.fields import LimitFields, MainFile, RetentionFields
from monitor.config.files import find, read_all
from monitor.config.names import look_at_name
from monitor.config.questions import with_questions
from monitor.config.section import Context, Section
from monitor.config.systems import read_system
from monitor.config.telling import Review, Telling, read_review, read_telling
from monitor.config.validation import validate
from monitor.config.variables import Variables, url_secrets
from monitor.faults import ConfigError, Fault, allowed
from monitor.model import OURS
from monitor.routing import Flapping
from monitor.secrets import Redactor, Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from monitor.channels.base import Channel
    from monitor.config.names import Skipped
    from monitor.config.systems import System, Watching
    from monitor.config.yaml_file import Document, KeyPath
    from monitor.drill import PlannedDrill
    from monitor.maintenance import Maintenance
    from monitor.model import CheckId
    from monitor.plan import Plan
    from monitor.routing import Route


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration without a fault.

    `plans` are the checks that run, `skipped` those (and the channels) that do not, with the reason. `secrets` is all
    that a `Redactor` must know, `variables` the names of all variables that are asked for.
    """

    plans: Mapping[CheckId, Plan] = field(default_factory=dict)
    systems: Mapping[str, System] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    flapping: Flapping = Flapping()  # noqa: RUF009 - frozen
    review: Review | None = None
    drills: tuple[PlannedDrill, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    limits: LimitFields = LimitFields()  # noqa: RUF009 - frozen
    retention: RetentionFields = RetentionFields()  # noqa: RUF009 - frozen
    secrets: tuple[Secret, ...] = ()
    variables: frozenset[str] = frozenset()


class Selection(NamedTuple):
    """The systems that the user chose (none: all), and what he named them in, for a fault; empty: as arguments."""

    names: Sequence[str]
    named_in: str


def load(
    source: Path,
    environ: Mapping[str, str],
    systems: Sequence[str] = (),
    *,
    placeholders: bool = False,
    named_in: str = "MONITOR_SYSTEMS",
) -> Config:
    """Return the configuration in `source`, a file or a folder, with its variables taken from `environ`.

    `systems` names those to watch, none named means all; `named_in` is what the user named them in. `placeholders`:
    stand-ins take the place of variables that are not set, and nothing is skipped; such a configuration can be looked
    at and not run. Raises `ConfigError` with every fault; no fault's text holds a secret.
    """
    context = Context(Variables(environ), placeholders)
    config = _read(source, context, Selection(systems, named_in))
    if context.faults:
        raise ConfigError(_redacted(context))
    return config


def _read(source: Path, context: Context, selection: Selection) -> Config:
    mains, singles = read_all(find(source, context.faults), context.faults)
    for extra in mains[1:]:
        hint = "a file of one system begins with system: and its name"
        context.faults.append(extra.fault((), f"{mains[0].file} is the main file already", hint))
    main = mains[0] if mains else None
    around = _around(main, context) if main else None
    limits, retention = (around.limits, around.retention) if around else (LimitFields(), RetentionFields())
    places = _places(main, singles, context)
    _look_at_selection(source, places, selection, context)
    watching = list(_watched(places, selection.names, context, retention))
    plans = {check_id: plan for one in watching for check_id, plan in one.plans.items()}
    plans = with_questions(plans, context.asked, context.known)
    telling = read_telling(main, context, places, around.holidays if around else ()) if main else Telling()
    review = read_review(main, context, around.review, telling) if main and around and around.review else None
    context.faults += [fault for one in watching for name, fault in one.announces if name not in telling.known]
    drills = planned_drills(around.drills, main, plans, context) if main and around else ()
    return Config(
        plans=plans,
        systems={one.system.name: one.system for one in watching},
        channels=telling.channels,
        routes=telling.routes,
        flapping=Flapping(**dict(around.flapping)) if around else Flapping(),
        maintenance=tuple(window for one in watching for window in one.maintenance),
        review=review,
        drills=drills,
        skipped=tuple(skip for skips in (telling.skipped, *(one.skipped for one in watching)) for skip in skips),
        limits=limits,
        retention=retention,
        secrets=tuple(_secrets(context, watching, telling)),
        variables=frozenset(context.variables.used),
    )


def _around(main: Document, context: Context) -> MainFile | None:
    """Return what the main file holds besides channels, routes and systems, which are read piece by piece."""
    section = Section(main, (), context)
    for key, value in main.data.items():
        if key in {"channels", "systems"}:
            section.data[key] = value
        elif key == "routes" and isinstance(value, list):
            continue
        else:
            section.put(key, value)
    return validate(MainFile, section)


def _places(
    main: Document | None, singles: Iterable[Document], context: Context
) -> dict[str, tuple[Document, KeyPath]]:
    """Return where each system stands, by its name."""
    places: dict[str, tuple[Document, KeyPath]] = {}
    for document, base, at, name in _named(main, singles):
        look_at_name(document, at, name, context)
        if not isinstance(name, str):
            continue
        if name == OURS:
            context.faults.append(document.fault(at, f"{OURS!r} is the name of the daemon itself", "give it another"))
        elif name in places:
            other, other_at = places[name]
            message = f"there is a system {name!r} already, in {other.file}:{other.place(other_at)[0]}"
            context.faults.append(document.fault(at, message))
        else:
            places[name] = (document, base)
    return places


def _named(main: Document | None, singles: Iterable[Document]) -> Iterator[tuple[Document, KeyPath, KeyPath, Any]]:
    """Yield each system: its file, the path of what describes it and of its name, and the name."""
    inline = main.data.get("systems") if main else None
    if main and isinstance(inline, dict):
        for name in inline:
            yield main, ("systems", name), ("systems", name), name
    for single in singles:
        yield single, (), ("system",), single.data["system"]


def _look_at_selection(source: Path, places: Mapping[str, Any], selection: Selection, context: Context) -> None:
    if not places and not context.faults:
        hint = "give it systems, or a file for each"
        context.faults.append(Fault("holds no system, so there is nothing to watch", file=str(source), hint=hint))
    for name in selection.names:
        if name not in places:
            hint = allowed(name, places)
            context.faults.append(Fault(f"there is no system {name!r}", key=selection.named_in, hint=hint))


def _watched(
    places: Mapping[str, tuple[Document, KeyPath]], selected: Sequence[str], context: Context, kept: RetentionFields
) -> Iterator[Watching]:
    for name, (document, base) in places.items():
        watching = read_system(document, base, name, context, kept, selected=not selected or name in selected)
        if watching is not None:
            yield watching


def _secrets(context: Context, watching: Iterable[Watching], telling: Telling) -> Iterator[Secret]:
    """Yield every value that must not be printed, once."""
    models = [plan.check for one in watching for plan in one.plans.values()]
    texts = set(context.variables.secrets)
    terms = [one.system.deploys for one in watching]
    for secret in _within([*models, *terms, *telling.channels.values()]):
        texts.update((secret.reveal(), *url_secrets(secret.reveal())))
    yield from map(Secret, sorted(texts))


def _within(value: Any) -> Iterator[Secret]:  # noqa: ANN401 - whatever a model holds
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, BaseModel):
        yield from _within([getattr(value, name) for name in type(value).model_fields])
    elif isinstance(value, dict):
        yield from _within([*value, *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _within(part)


def _redacted(context: Context) -> Iterator[Fault]:
    redact = Redactor(map(Secret, context.variables.secrets))
    for fault in context.faults:
        yield Fault(redact(fault.message), fault.key, fault.file, fault.line, fault.column, redact(fault.hint))
