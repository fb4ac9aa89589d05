"""Values → answers: how systems and checks stand, what was measured, what happened. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.live import as_record, iso
from monitor.model import Alert
from monitor.record import deploy_record, incident_record
from monitor.web.api.models import alerts, base, measured, past, standing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from monitor.incidents import Incident
    from monitor.live import Live
    from monitor.model import Deploy, Heard, Sample
    from monitor.uptime import Uptime
    from monitor.view import Cell, CheckDetail, CheckView, FigureView, Overview, Plot, SystemView
    from monitor.web.api.jobs import Job

Hide = Callable[[str], str]
MOMENT = timedelta(microseconds=1)


def systems_around(seen: Overview) -> standing.Systems:
    """Return how everything stands, without the systems."""
    return standing.Systems(
        at=seen.at.isoformat(), leads=seen.leads, leader=seen.leader or None, problems=list(seen.problems), systems=[]
    )


def system_of(one: SystemView) -> standing.System:
    """Return how a system stands."""
    return standing.System(
        system=one.name,
        title=one.title,
        condition=one.condition,
        checks=dict(Counter(check.condition for check in one.checks)),
        public=one.public,
        runbook=one.runbook or None,
        maintenance_until=iso(one.maintenance),
        uptime=_uptimes(one.day, one.month),
        strip=[_cell(cell) for cell in one.strip],
    )


def standing_of(one: CheckView, hide: Hide) -> standing.Standing:
    """Return how a check stands; `hide` removes secrets from what a file says to do."""
    return standing.Standing(**_standing(one, hide))


def check_of(found: CheckDetail, hide: Hide) -> standing.Check:
    """Return everything about a check; `hide` as above."""
    view = found.view
    return standing.Check(
        **_standing(view, hide),
        alerts=[_alert(one) for one in view.alerts],
        strip=[_cell(cell) for cell in view.strip],
        phases=dict(found.phases),
        remedy=list(found.remedy),
        remedy_for={reason: list(steps) for reason, steps in found.remedy_for.items()},
        needs=[str(check) for check in found.needs],
        measures={name: standing.Measured(unit=unit, meaning=said) for name, (unit, said) in found.measures.items()},
        configuration=dict(found.configuration),
    )


def next_of(found: Sequence[Sample], limit: int) -> str | None:
    """Return the `until` of what came before samples (the oldest first), if there are as many as were asked for."""
    return iso(found[0].at - MOMENT) if len(found) == limit else None


def plot_of(plot: Plot) -> measured.Plot:
    """Return a measure over time."""
    return measured.Plot(
        system=plot.check.system,
        check=plot.check.check,
        measure=plot.measure,
        unit=plot.unit,
        meaning=plot.meaning,
        since=plot.since.isoformat(),
        until=plot.until.isoformat(),
        gap_seconds=plot.gap.total_seconds(),
        series=[
            measured.Series(
                labels=dict(labels),
                points=[
                    measured.Point(at=point.at.isoformat(), mean=point.mean, least=point.least, greatest=point.greatest)
                    for point in points
                ],
            )
            for labels, points in plot.series.items()
        ],
        lines=[measured.Line(value=one.value, text=one.text, severity=_level(one.severity)) for one in plot.lines],
        marks=[
            measured.Mark(at=one.at.isoformat(), kind=one.kind, text=one.text, severity=_level(one.severity))
            for one in plot.marks
        ],
        dark=[
            measured.Dark(since=since.isoformat(), until=until.isoformat(), state=state)
            for since, until, state in plot.dark
        ],
    )


def incident_of(one: Incident) -> past.Incident:
    """Return what happened to an alert."""
    known = Alert(one.key, since=one.opened_at).incident if one.opened_at else None
    return past.Incident.model_validate({"incident": known, **incident_record(one)})


def deploy_of(one: Deploy) -> past.Deploy:
    """Return a deploy."""
    return past.Deploy.model_validate({"id": one.id, "system": one.system, **deploy_record(one)})


def heartbeat_of(seen: tuple[CheckView, Job]) -> past.Heartbeat:
    """Return a job, and when it reported last."""
    view, job = seen
    heard = job.heard
    return past.Heartbeat(
        system=view.id.system,
        check=view.id.check,
        title=view.title,
        condition=view.condition,
        state=view.state,
        reason=view.reason,
        by="http" if job.over_http else "database",
        last_success_at=iso(heard.success),
        last_end=_ended(heard, heard.ended) if heard.ended else None,
        running_since=iso(heard.running),
    )


def sample_of(one: Sample) -> measured.Sample:
    """Return what a run found."""
    return measured.Sample(
        at=one.at.isoformat(),
        took_seconds=one.took.total_seconds(),
        state=one.state,
        reason=one.reason,
        detail=one.detail or None,
        left_out=one.left_out,
        measures=[
            measured.Measure(name=found.name, value=found.value, labels=dict(found.labels)) for found in one.measures
        ],
    )


def _ended(heard: Heard, at: datetime) -> past.Ended:
    return past.Ended(at=at.isoformat(), good=heard.good, exit_status=heard.status, took_seconds=_seconds(heard.took))


def _standing(one: CheckView, hide: Hide) -> dict[str, Any]:
    return {
        "system": one.id.system,
        "check": one.id.check,
        "title": one.title,
        "kind": one.kind,
        "condition": one.condition,
        "state": one.state,
        "reason": one.reason,
        "detail": one.detail or None,
        "at": iso(one.at),
        "took_seconds": _seconds(one.took),
        "every_seconds": one.every.total_seconds(),
        "since": iso(one.since),
        "skipped": one.skipped or None,
        "uptime": _uptimes(one.day, one.month),
        "figures": [_figure(figure, hide) for figure in one.figures],
    }


def _figure(one: FigureView, hide: Hide) -> standing.Figure:
    return standing.Figure(
        name=one.name,
        watch=one.watch,
        unit=one.unit,
        labels=dict(one.labels),
        value=one.value,
        shown=one.shown or None,
        target=one.target or None,
        figures={str(severity): text for severity, text in one.figures.items()},
        firing=_level(one.firing),
        remedy=[hide(step) for step in one.remedy],
        source=one.source or None,
        implied=one.implied,
    )


def _uptimes(day: Uptime, month: Uptime) -> base.Uptimes:
    return base.Uptimes(last_24h=_uptime(day), last_30d=_uptime(month))


def _uptime(one: Uptime) -> base.Uptime:
    return base.Uptime(
        ratio=one.ratio, shown=str(one), up_seconds=one.up.total_seconds(), down_seconds=one.down.total_seconds()
    )


def _cell(one: Cell) -> base.Cell:
    return base.Cell(at=one.at.isoformat(), up=one.up, down=one.down, unknown=one.unknown, worst=_level(one.worst))


def _alert(one: Live) -> alerts.Alert:
    return alerts.Alert.model_validate(as_record(one))


def _seconds(span: timedelta | None) -> float | None:
    return span.total_seconds() if span is not None else None


def _level(severity: object) -> str | None:
    return None if severity is None else str(severity)
