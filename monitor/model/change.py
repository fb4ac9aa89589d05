"""What is reported to us, what must be remembered, and what becomes durable together."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.model.act import Act, Silence
from monitor.model.alert import Alert, Event
from monitor.model.delivery import Attempt, Notification, Post
from monitor.model.deploy import Deploy
from monitor.model.sample import CheckId, Sample


class Said(enum.StrEnum):
    """What a job says of one of its runs: that it begins, or how it ended."""

    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"


class Report(NamedTuple):
    """What a job tells us of one of its runs, over HTTP.

    `status` is the exit status, where it told one; `run` the name that it has for this run, so that starts and ends
    find each other; `text` a line of its own, which may hold anything.
    """

    said: Said
    status: int | None = None
    run: str = ""
    text: str = ""


class Heard(NamedTuple):
    """What is known of the runs of a job that reports them.

    `success` is when it last succeeded; `ended` when the run that ended last did, `good` whether that was a success,
    `status` its exit status and `took` how long it ran, if it told. `running` is since when a run is under way, the
    oldest of them.
    """

    success: datetime | None = None
    ended: datetime | None = None
    good: bool = False
    status: int | None = None
    took: timedelta | None = None
    running: datetime | None = None


@dataclass(frozen=True, slots=True)
class Keepsake:
    """What a check must remember beyond the process, such as what it has to remove again.

    There is one for each `topic` of a check: the last one counts, and one without a `body` is gone. It holds no secret.
    """

    check: CheckId
    topic: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What must become durable together: one transaction, harmless when written twice.

    An alert that is `idle` is forgotten; an attempt that is final settles its notification; `done` are the acts that
    were carried out.
    """

    samples: tuple[Sample, ...] = ()
    alerts: tuple[Alert, ...] = ()
    events: tuple[Event, ...] = ()
    owed: tuple[Notification, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    keepsakes: tuple[Keepsake, ...] = ()
    deploys: tuple[Deploy, ...] = ()
    silences: tuple[Silence, ...] = ()
    posts: tuple[Post, ...] = ()
    done: tuple[Act, ...] = ()
