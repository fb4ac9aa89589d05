"""Examples for the document: a shop whose database has too many connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.model import EventKind, Reason, State
from monitor.units import Unit
from monitor.view import Condition
from monitor.web.api.models import alerts, base, measured, past, standing

if TYPE_CHECKING:
    from monitor.web.api.models.base import Answer

NOON, ELEVEN, LATER = "2026-01-05T12:00:00+00:00", "2026-01-05T11:00:00+00:00", "2026-01-05T14:00:00+00:00"
PLACES: dict[str, dict[str, Any]] = {
    "system": {"description": "The system's name.", "schema": {"type": "string"}, "example": "shop"},
    "check": {"description": "The check's name in its system.", "schema": {"type": "string"}, "example": "database"},
    "job": {"description": "The name of the job's check.", "schema": {"type": "string"}, "example": "backup"},
    "id": {"description": "The id of the silence.", "schema": {"type": "string"}, "example": "move-7"},
    "word": {
        "description": "`start`, `fail`, or the exit status.",
        "schema": {"type": "string", "pattern": "^(start|fail|[01]?[0-9]?[0-9]|2[0-4][0-9]|25[0-5])$"},
        "example": "start",
    },
}
BODIES: dict[str, dict[str, Any]] = {
    "acknowledge": {
        "an alert": {
            "value": {"system": "shop", "check": "database", "alert": "connections", "for": "2h", "who": "anna"}
        }
    },
    "silence": {
        "a move": {
            "value": {
                "system": "shop",
                "check": "database",
                "for": "1h",
                "why": "a move",
                "who": "anna",
                "maintenance": True,
                "id": "move-7",
            }
        }
    },
    "run": {"a check": {"value": {"system": "shop", "check": "database", "who": "anna"}}},
    "report_deploy": {"a release": {"value": {"version": "1.4.2", "before": "1.4.1"}}},
}

_DAY = base.Uptime(ratio=0.9998, shown="99.980 %", up_seconds=86_382.72, down_seconds=17.28)
_UPTIMES = base.Uptimes(last_24h=_DAY, last_30d=_DAY)
_STRIP = [base.Cell(at=ELEVEN, up=240, down=0, unknown=0, worst="warning")]
_FIGURE = standing.Figure(
    name="connections",
    watch="connections_ratio",
    unit=Unit.RATIO,
    labels={},
    value=0.82,
    shown="82 %",
    target=None,
    figures={"warning": "> 80%", "critical": "> 95%"},
    firing="warning",
    remedy=["See who holds the connections."],
    source="Alert Thresholds",
    implied=False,
)
_STANDING: dict[str, Any] = {
    "system": "shop",
    "check": "database",
    "title": "Database",
    "kind": "postgres",
    "condition": Condition.WARNING,
    "state": State.UP,
    "reason": None,
    "detail": None,
    "at": NOON,
    "took_seconds": 0.0123,
    "every_seconds": 15.0,
    "since": ELEVEN,
    "skipped": None,
    "uptime": _UPTIMES,
    "figures": [_FIGURE],
}
_ACK = alerts.Acknowledged(who="anna", why="", at=NOON, until=LATER, severity="warning")
_ALERT = alerts.Alert(
    severity="warning",
    state="firing",
    title="Shop: Database: connections",
    system="shop",
    check="database",
    alert="connections",
    labels={},
    since=ELEVEN,
    value="82 %",
    figure="> 80%",
    incident="3f1c0a9be2d47786",
    acknowledged=_ACK,
    silenced_until=None,
    told=[alerts.Told(channel="ops", severity="warning", at=ELEVEN, delivered_at=ELEVEN)],
)
_SYSTEM = standing.System(
    system="shop",
    title="Shop",
    condition=Condition.WARNING,
    checks={Condition.UP: 3, Condition.WARNING: 1},
    public=True,
    runbook="https://example.com/runbook",
    maintenance_until=None,
    uptime=_UPTIMES,
    strip=_STRIP,
)
_SAMPLE = measured.Sample(
    at=NOON,
    took_seconds=0.0123,
    state=State.UP,
    reason=None,
    detail=None,
    left_out=False,
    measures=[measured.Measure(name="connections", value=81.0, labels={"state": "idle"})],
)
_PLOT = measured.Plot(
    system="shop",
    check="database",
    measure="connections_ratio",
    unit=Unit.RATIO,
    meaning="how full the server is",
    since=ELEVEN,
    until=NOON,
    gap_seconds=60.0,
    series=[
        measured.Series(labels={}, points=[measured.Point(at=NOON, mean=0.81, least=0.8, greatest=0.82)]),
    ],
    lines=[measured.Line(value=0.8, text="> 80%", severity="warning")],
    marks=[measured.Mark(at=ELEVEN, kind="deploy", text="deploy of 1.4.2", severity=None)],
    dark=[],
)
_INCIDENT = past.Incident(
    incident="3f1c0a9be2d47786",
    title=_ALERT.title,
    system="shop",
    check="database",
    alert="connections",
    labels={},
    severity="warning",
    opened_at=ELEVEN,
    ended_at=None,
    resolved=False,
    goes_on=True,
    seconds_to_resolve=None,
    seconds_to_acknowledge=3_600.0,
    acknowledged=[past.Taker(who="anna", at=NOON, until="2026-01-05 14:00 UTC", why="")],
    changes=[past.Event(at=ELEVEN, kind=EventKind.OPENED, severity="warning", value=0.82, detail="")],
    messages=[],
)
_DEPLOY = past.Deploy(
    id="c27c0f6a1d3b9e54",
    system="shop",
    at=ELEVEN,
    version="1.4.2",
    steps=[past.Step(part="", before="1.4.1", now="1.4.2")],
    back=False,
    failed=False,
    protocol=["shop/site: up"],
)
_HEARTBEAT = past.Heartbeat(
    system="shop",
    check="backup",
    title="Backup",
    condition=Condition.FAILING,
    state=State.DOWN,
    reason=Reason.STATUS,
    by="http",
    last_success_at="2026-01-04T03:10:00+00:00",
    last_end=past.Ended(at="2026-01-05T03:02:00+00:00", good=False, exit_status=1, took_seconds=120.0),
    running_since=None,
)
_SILENCE = alerts.Silence(
    id="move-7",
    system="shop",
    check="database",
    alert=None,
    labels={},
    since=NOON,
    until="2026-01-05T13:00:00+00:00",
    who="anna",
    why="a move",
    maintenance=True,
)

ANSWERS: dict[str, Answer] = {
    "systems": standing.Systems(at=NOON, leads=True, leader=None, problems=[], systems=[_SYSTEM]),
    "system": _SYSTEM,
    "checks": standing.Checks(at=NOON, checks=[standing.Standing(**_STANDING)]),
    "check": standing.Check(
        **_STANDING,
        alerts=[_ALERT],
        strip=_STRIP,
        phases={},
        remedy=["Restart it."],
        remedy_for={Reason.SATURATED: ["Give it more connections."]},
        needs=["shop/site"],
        measures={"connections_ratio": standing.Measured(unit=Unit.RATIO, meaning="how full the server is")},
        configuration={"kind": "postgres", "every": "15s"},
    ),
    "samples": measured.Samples(next_until=None, samples=[_SAMPLE]),
    "plot": _PLOT,
    "alerts": alerts.Alerts(alerts=[_ALERT]),
    "incidents": past.Incidents(since=ELEVEN, incidents=[_INCIDENT]),
    "deploys": past.Deploys(since=ELEVEN, deploys=[_DEPLOY]),
    "heartbeats": past.Heartbeats(heartbeats=[_HEARTBEAT]),
    "acknowledge": alerts.AlertsDone(
        id="9c2f1e7a0b4d8836", done=True, said="Shop: Database: connections: acknowledged by anna", alerts=[_ALERT]
    ),
    "silences": alerts.Silences(silences=[_SILENCE]),
    "silence": alerts.SilenceDone(
        id="move-7", done=True, said="shop/database: silent until 13:00", silences=[_SILENCE]
    ),
    "lift": alerts.Done(id="5f0e9d3c7a61b248", done=True, said="shop/database: no longer silent"),
    "run": alerts.Done(id="1b7d4c0e95f2a683", done=True, said="shop/database: up"),
}
