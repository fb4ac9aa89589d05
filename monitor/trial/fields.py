"""What a file of tests can hold: its YAML models."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.routes import Names
from monitor.fields import Duration, Fields, PositiveDuration

START = "2026-01-05 12:00"
"""A Monday."""
PROMPT = timedelta(seconds=2)

Word = Literal["ok", "pending", "info", "warning", "critical"]
Kind = Literal[
    "opened",
    "worsened",
    "eased",
    "resolved",
    "removed",
    "repeated",
    "escalated",
    "acknowledged",
    "lapsed",
    "flapping",
    "announced",
]
Level = Literal["info", "warning", "critical"]
Written = str | int | float
Results = dict[str, Written]


class ActFields(Fields):
    """What somebody does while a test goes on: exactly one of `ack`, `silence`, `lift` and `note`."""

    at: Duration
    """When, from the start."""
    ack: str = ""
    """The alert that somebody takes: `system`, `system/check` or `system/check alert`."""
    silence: str = ""
    """What is silenced, written in the same way; `everything` for all."""
    lift: str = ""
    """The silences that are ended."""
    note: str = ""
    """The alert of which somebody says in `why` what fixed it."""
    who: str = "somebody"
    """Who does it."""
    why: str = ""
    """What that person says."""
    lasts: PositiveDuration | None = Field(default=None, alias="for")
    """How long a silence or an acknowledgement lasts; default: as long as it does without being told."""
    maintenance: bool = False
    """The silence is a maintenance, and counts as no outage."""


class ExpectFields(Fields):
    """What must be so at a moment: the state of an alert, or a message that a channel gets then."""

    at: Duration | None = None
    """When, from the start. Required but for `told: nobody`."""
    alert: str = ""
    """The alert: `system/check` and its name, such as `shop/database connections` or `shop/site down`."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Which of the alert's series is meant; default: the worst of them."""
    state: Word | None = None
    """How the alert stands at that moment, after all that happens in it."""
    told: Names | None = None
    """The channels that are told at that moment; `nobody`: no message at all leaves during the test."""
    kind: Kind | None = None
    """Why they are told: `opened`, `worsened`, `repeated`, `escalated`, `eased`, `resolved` and so on; default: any."""
    severity: Level | None = None
    """The severity that the message names; default: any."""
    text: str = ""
    """What the message says somewhere, in these words."""
    within: Duration = PROMPT
    """How much later than `at` the message may leave."""


class StoryFields(Fields):
    """One test: what runs find, what people do, and what must follow."""

    name: str
    """What it is about."""
    start: str = START
    """When it begins, as `2026-01-05 02:00 Europe/Berlin`; without a zone in UTC."""
    results: dict[str, Written | Results]
    """What the runs of each check find, as a series (`up x3 down(timeout) x5 up for 10m`), or as a mapping: `state`
    is such a series, each measure has one of values (`50% for 10m 85%..95% x10`), `every` is another pace of its runs
    and `detail` what a failed run says. Only the checks that are named here run."""
    past: dict[str, Results] = Field(default_factory=dict)
    """What the hours before were like, for `usual`, `drift` and `unseen`: a value of each measure and label, the same
    in each hour of the four weeks before."""
    channels: dict[str, str] = Field(default_factory=dict)
    """How channels behave, as a series of `takes`, `fails` and `refuses`: `takes for 5m fails for 2h takes`. Default:
    they take everything."""
    acts: list[ActFields] = Field(default_factory=list)
    """What people do."""
    until: PositiveDuration | None = None
    """How long it goes on; default: until every series is at its end and everything expected has had its time."""
    expect: list[ExpectFields] = Field(default_factory=list)
    """What must follow."""
    messages: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """How many messages each channel gets in all; several alerts collected into one count once."""
    nothing_else: bool = True
    """Every alert that fires must be named in `expect`; and where `expect` names messages, so must every message."""


class LevelFields(Fields):
    """The levels of one rule: at which value each is silent, and at which it fires: `80% | 80.1% after 1m`.

    Of `down`: after how many failed runs in a row, and in `up` after how many good ones it is over.
    """

    info: Written | None = None
    warning: Written | None = None
    critical: Written | None = None
    up: Annotated[int, Field(ge=1)] = 2


class TrialFile(Fields):
    """A file of unit tests of thresholds and routes, for `monitor test`."""

    config: str = ""
    """The configuration that is tested, a file or a folder, from this file's folder; default: the one in use."""
    system: str = ""
    """The system that names without one belong to. Coverage counts only its rules then."""
    rules: dict[str, dict[str, LevelFields]] = Field(default_factory=dict)
    """The figures of each check, by threshold: just at which value a level is silent, and just at which it fires."""
    tests: list[StoryFields] = Field(default_factory=list)
    """Whole stories."""
