"""Everything that can be asked of the API: what the document is generated from, and what tests hold the routes to."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.web.acting import By
from monitor.web.api.models import alerts, measured, past, standing
from monitor.web.api.queries import CHECK, PLACE, DeploysAsked, IncidentsAsked, PlotAsked, SamplesAsked
from monitor.web.api.reports import Released, ReportAsked, RunAsked
from monitor.web.asked import Asked, Scoped
from monitor.web.badge.routes import PLACE as BADGES
from monitor.web.badge.routes import BadgeAsked
from monitor.web.wishes import Ack, Quiet, Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from monitor.web.api.models.base import Answer

SYSTEM = f"{PLACE}/systems/{{system}}"
JOB = f"{PLACE}/heartbeats/{{system}}/{{job}}"


NOTED: Mapping[int, type[Answer] | None] = {200: None, 202: None}


class Access(enum.Enum):
    """Who may do something, and how a failure is told."""

    READ = enum.auto()
    """The operator; where no token is set, whoever asks the machine itself by its own name."""
    ACT = enum.auto()
    """The operator."""
    REPORT = enum.auto()
    """Whoever has the token of a job, or that of a system's deploys. Answers are text."""
    BADGE = enum.auto()
    """Everybody, of a public system; else the operator. The answer is a picture, a failure is text."""
    OPEN = enum.auto()
    """Everybody."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for.

    `name` is what generated clients call it. `asked` has the parameters of the query, `body` what a body holds.
    `answers` are the models of what is answered by status when all is well; none: text, a picture, or the document.
    """

    method: str
    path: str
    name: str
    about: str
    access: Access = Access.READ
    asked: type[Asked] = Asked
    body: type[BaseModel] | None = None
    answers: Mapping[int, type[Answer] | None] = field(default_factory=dict)

    @property
    def seeks(self) -> bool:
        """Return whether it names something that may not be there."""
        return "{" in self.path or self.body is not None or "system" in self.asked.model_fields


def _get(path: str, name: str, about: str, answer: type[Answer], asked: type[Asked] = Asked) -> Operation:
    return Operation("GET", path, name, about, asked=asked, answers={200: answer})


def _post(path: str, name: str, about: str, body: type[BaseModel], answer: type[Answer]) -> Operation:
    return Operation("POST", path, name, about, Access.ACT, body=body, answers={200: answer, 202: answer})


def _report(method: str, path: str, name: str, about: str) -> Operation:
    asked = RunAsked if "{word}" in path else ReportAsked
    return Operation(method, path, name, about, Access.REPORT, asked, answers=NOTED)


def _badge(path: str, name: str, about: str) -> Operation:
    return Operation("GET", path, name, about, Access.BADGE, BadgeAsked, answers={200: None, 304: None})


OPERATIONS = (
    Operation("GET", f"{PLACE}/openapi.json", "document", "This document.", Access.OPEN, answers={200: None}),
    _get(f"{PLACE}/systems", "systems", "How every system stands.", standing.Systems),
    _get(SYSTEM, "system", "How one system stands.", standing.System),
    _get(f"{SYSTEM}/checks", "checks", "How the checks of a system stand.", standing.Checks),
    _get(CHECK, "check", "Everything about one check but its samples and plots.", standing.Check),
    _get(
        f"{CHECK}/samples", "samples", "What the runs of a check found, newest first.", measured.Samples, SamplesAsked
    ),
    _get(f"{CHECK}/plot", "plot", "One measure of a check over time.", measured.Plot, PlotAsked),
    _get(f"{PLACE}/alerts", "alerts", "What fires or is about to, the worst first.", alerts.Alerts, Scoped),
    _get(f"{PLACE}/incidents", "incidents", "What happened, newest first.", past.Incidents, IncidentsAsked),
    _get(f"{PLACE}/deploys", "deploys", "What was deployed, newest first.", past.Deploys, DeploysAsked),
    _get(
        f"{PLACE}/heartbeats",
        "heartbeats",
        "The jobs that report, and when each did so last.",
        past.Heartbeats,
    ),
    _post(f"{PLACE}/acks", "acknowledge", "Acknowledge what fires.", Ack, alerts.AlertsDone),
    _get(f"{PLACE}/silences", "silences", "The silences that have not ended.", alerts.Silences),
    _post(f"{PLACE}/silences", "silence", "Begin a silence.", Quiet, alerts.SilenceDone),
    Operation(
        "DELETE",
        f"{PLACE}/silences/{{id}}",
        "lift",
        "End a silence before its time.",
        Access.ACT,
        By,
        answers={200: alerts.Done, 202: alerts.Done},
    ),
    _post(f"{PLACE}/runs", "run", "Run a check now, at most once in 10 s.", Run, alerts.Done),
    Operation(
        "POST",
        f"{PLACE}/deploys/{{system}}",
        "report_deploy",
        "Report a deploy of a system.",
        Access.REPORT,
        body=Released,
        answers=NOTED,
    ),
    _report("POST", JOB, "report_success", "Report that a run of a job succeeded."),
    _report("GET", JOB, "report_success_by_get", "The same, for clients that can only get."),
    _report("POST", f"{JOB}/{{word}}", "report_run", "Report that a run of a job begins, or how it ended."),
    _report("GET", f"{JOB}/{{word}}", "report_run_by_get", "The same, for clients that can only get."),
    _badge(f"{BADGES}/{{system}}.svg", "system_badge", "How a system stands, as a picture."),
    _badge(f"{BADGES}/{{system}}/{{check}}.svg", "check_badge", "How a check stands, as a picture; never open."),
)
