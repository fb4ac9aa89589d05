"""One system of a file: its checks with short forms, defaults and conditions, and what they need."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from monitor.config.budget import look_at_budget, requests
from monitor.config.circles import circles
from monitor.config.fields import DeployFields, SystemFields
from monitor.config.kinds import CHECKS, keys
from monitor.config.names import Skipped, look_at_condition, look_at_name
from monitor.config.planning import make_plan
from monitor.config.questions import asked
from monitor.config.section import Section
from monitor.config.validation import validate
from monitor.faults import allowed
from monitor.maintenance import Announcement, Maintenance
from monitor.model import CheckId, stable_id
from monitor.routing import parse_hours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.config.fields import RetentionFields
    from monitor.config.maintenance import MaintenanceFields
    from monitor.config.section import Context
    from monitor.config.yaml_file import Document, KeyPath
    from monitor.faults import Fault
    from monitor.plan import Plan
    from monitor.probes.base import Check

"""The system of the daemon's own alerts."""


@dataclass(frozen=True, slots=True)
class System:
    """What is said of a system as a whole. `public`: everybody may see how it stands."""

    name: str
    title: str
    runbook: str = ""
    deploys: DeployFields = DeployFields()  # noqa: RUF009 - frozen
    public: bool = False


@dataclass(slots=True)
class Watching:
    """What one system has: its checks as plans, those that are skipped, and when it is worked on.

    `announces` are the channels that hear of that, each with the fault that it is if there is no such channel.
    """

    system: System
    maintenance: tuple[Maintenance, ...] = ()
    announces: list[tuple[str, Fault]] = field(default_factory=list)
    plans: dict[CheckId, Plan] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)


def read_system(
    document: Document, base: KeyPath, name: str, context: Context, kept: RetentionFields, *, selected: bool
) -> Watching | None:
    """Return what the system at `base` of `document` has, or None if it is not selected or too wrong to tell."""
    raw = document.data
    for step in base:
        raw = raw[str(step)]
    reader = _Reader(document, base, name, context, selected)
    fields = reader.around(raw)
    if fields is None:
        return None
    system = System(name, fields.title or name, fields.runbook, fields.deploys, fields.public)
    watching = Watching(system, _maintenance(reader, fields), _announces(reader, fields))
    for check_name in fields.checks:
        reader.check(check_name, fields, kept, watching)
    reader.look_at_defaults(fields)
    _resolve_needs(reader, fields, watching)
    _look_at_deploys(reader, fields)
    _watch_once(watching.plans)
    if not selected:
        return None
    look_at_budget(fields.rate_limits, watching.plans.values(), document, base, context.faults)
    for check_id, plan in watching.plans.items():
        if any(requests(limit, plan) for limit in fields.rate_limits):
            watching.plans[check_id] = replace(plan, limited=True)
    return watching


class _Reader:
    """Reads one system, and remembers which kinds its checks have."""

    def __init__(self, document: Document, base: KeyPath, name: str, context: Context, selected: bool) -> None:  # noqa: FBT001 - private
        self.document = document
        self.base = base
        self.name = name
        self.context = context
        self._selected = selected
        self._raw: Mapping[str, Any] = {}
        self._known: set[str] = set()

    def fault(self, path: tuple[str | int, ...], message: str, hint: str = "") -> None:
        """Note a fault at `path` within the system."""
        self.context.faults.append(self.document.fault((*self.base, *path), message, hint))

    def around(self, raw: Any) -> SystemFields | None:  # noqa: ANN401 - any value
        """Return what stands around the checks; these are taken as they are, without their variables."""
        if not isinstance(raw, dict):
            self.fault((), "must be a mapping with checks")
            return None
        self._raw = raw
        section = Section(self.document, self.base, self.context, lenient=not self._selected)
        for key, value in raw.items():
            if key in {"checks", "defaults"}:
                section.data[key] = value
            elif key != "system" or self.base:
                section.put(key, value)
        fields = validate(SystemFields, section)
        if fields is not None and not fields.checks:
            self.fault(("checks",), "holds no check")
        return fields

    def check(self, name: str, fields: SystemFields, kept: RetentionFields, watching: Watching) -> None:
        """Read one check into `watching`."""
        path: KeyPath = (*self.base, "checks", name)
        known = self.context.known.setdefault(self.name, {})
        known[name] = None
        look_at_name(self.document, path, name, self.context)
        raw = fields.checks[name]
        own = raw if isinstance(raw, dict) else {}
        reason = self.context.skip_reason({**fields.defaults, **own})
        section = Section(self.document, path, self.context, lenient=bool(reason) or not self._selected)
        kind = self._kind(section, raw)
        if kind is None:
            return
        self._borrow(section, kind, fields.defaults)
        if "zone" in kind.model_fields:
            section.data.setdefault("zone", fields.zone)
        check = validate(kind, section)
        if check is None:
            return
        look_at_condition(section, check.if_set)
        known[name] = check
        plan = make_plan(CheckId(self.name, name), check, fields, section, kept)
        self.context.asked += asked(plan.id, check, section)
        if check.changes and not check.writes and not self.context.placeholders:
            reason = reason or f"it would change something outside ({check.changes}), and has no writes: true"
        if reason:
            watching.skipped.append(Skipped(str(plan.id), reason, plan=plan))
        else:
            watching.plans[plan.id] = plan

    def look_at_defaults(self, fields: SystemFields) -> None:
        """Note the defaults that no check of this system could take."""
        for key in fields.defaults:
            if self._known and (key not in self._known or key == "kind"):
                self.fault(("defaults", key), "unknown key", allowed(key, sorted(self._known - {"kind"})))

    def _kind(self, section: Section, raw: Any) -> type[Check] | None:  # noqa: ANN401 - any value
        kind = CHECKS.read(section, raw)
        if kind is not None:
            self._known.update(keys(kind))
        return kind

    def _borrow(self, section: Section, kind: type[Check], defaults: Mapping[str, Any]) -> None:
        names = set(keys(kind)) - {"kind"}
        for key, value in defaults.items():
            if key in names and key not in section.data:
                section.put(key, value, (*self.base, "defaults", key))


def _watch_once(plans: dict[CheckId, Plan]) -> None:
    """Leave what several checks imply of one subject to one of them: that which watches it itself, else the first."""
    watching: dict[tuple[str, str], CheckId] = {}
    for implied in (False, True):
        for plan in plans.values():
            for threshold in plan.thresholds:
                if plan.check.subject and threshold.figures and threshold.implied is implied:
                    watching.setdefault((plan.check.subject, threshold.watch.measure), plan.id)
    for check_id, plan in plans.items():
        elsewhere = {
            threshold.name: other
            for threshold in plan.thresholds
            if threshold.implied
            and (other := watching.get((plan.check.subject, threshold.watch.measure), check_id)) != check_id
        }
        if elsewhere:
            own = tuple(threshold for threshold in plan.thresholds if threshold.name not in elsewhere)
            known = stable_id(plan.fingerprint, *elsewhere.items())
            plans[check_id] = replace(plan, thresholds=own, elsewhere=elsewhere, fingerprint=known)


def _look_at_deploys(reader: _Reader, fields: SystemFields) -> None:
    """See that the checks which follow a deploy exist; one that is skipped does not follow."""
    for index, name in enumerate(fields.deploys.checks):
        if name not in fields.checks:
            hint = allowed(name, fields.checks)
            reader.fault(("deploys", "checks", index), f"there is no check {name!r}", hint)


def _maintenance(reader: _Reader, fields: SystemFields) -> tuple[Maintenance, ...]:
    """Return when the system is worked on, and see that the checks exist which that concerns."""
    for index, one in enumerate(fields.maintenance):
        for number, name in enumerate(one.checks):
            if name not in fields.checks:
                hint = allowed(name, fields.checks)
                reader.fault(("maintenance", index, "checks", number), f"there is no check {name!r}", hint)
    return tuple(_window(one, reader.name, fields) for one in fields.maintenance if one.at or one.weekly or one.cron)


def _window(one: MaintenanceFields, system: str, fields: SystemFields) -> Maintenance:
    zone, announce = one.zone or fields.zone, one.announce
    return Maintenance(
        system=system,
        system_title=fields.title or system,
        title=one.title,
        zone=zone,
        checks=tuple(one.checks),
        at=datetime.fromisoformat(one.at) if one.at else None,
        weekly=parse_hours(one.weekly, zone) if one.weekly else None,
        cron=one.cron or "",
        length=one.for_ or timedelta(),
        announcement=Announcement(tuple(announce.notify), announce.before, announce.text) if announce else None,
    )


def _announces(reader: _Reader, fields: SystemFields) -> list[tuple[str, Fault]]:
    named = (
        (index, name)
        for index, one in enumerate(fields.maintenance)
        for name in (one.announce.notify if one.announce else ())
    )
    return [
        (
            name,
            reader.document.fault(
                (*reader.base, "maintenance", index, "announce", "notify"), f"there is no channel {name!r}"
            ),
        )
        for index, name in named
    ]


def _resolve_needs(reader: _Reader, fields: SystemFields, watching: Watching) -> None:
    """Put what each check needs into its plan; what is skipped explains nothing and is left out."""
    needs: dict[str, list[str]] = {}
    for check_id, plan in list(watching.plans.items()):
        for index, need in enumerate(plan.check.needs):
            if need not in fields.checks:
                hint = allowed(need, (name for name in fields.checks if name != check_id.check))
                reader.fault(("checks", check_id.check, "needs", index), f"there is no check {need!r}", hint)
        needs[check_id.check] = [need for need in plan.check.needs if CheckId(reader.name, need) in watching.plans]
        ids = tuple(dict.fromkeys(CheckId(reader.name, need) for need in needs[check_id.check]))
        watching.plans[check_id] = replace(plan, needs=ids, fingerprint=stable_id(plan.fingerprint, *ids))
    for circle in circles(needs):
        reader.fault(("checks", circle[0], "needs"), f"needs itself: {' → '.join((*circle, circle[0]))}")
